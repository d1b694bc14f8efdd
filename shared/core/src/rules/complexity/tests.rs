use serde_json::{Value, json};

use super::*;

fn of(pattern: &Value) -> usize {
    complexity(&pattern.to_string()).unwrap()
}

/// A field that may have these values.
fn field(values: &[Value]) -> usize {
    of(&json!({ "a": values }))
}

fn wildcards(wildcards: &[&str]) -> usize {
    let values: Vec<Value> = wildcards.iter().map(|wildcard| json!({ "wildcard": wildcard })).collect();
    field(&values)
}

/// The values that AWS's own evaluator gives, of a file beside the checkout.
#[test]
fn aws_own_values_are_met() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/pattern-complexity.jsonl");
    let Ok(text) = std::fs::read_to_string(file) else {
        println!("SKIPPED: AWS's own values are not here");
        return;
    };
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let golden: Value = serde_json::from_str(line).unwrap();
        let (found, wanted) = (of(&golden["pattern"]), &golden["complexity"]);
        count += 1;
        if json!(found) != *wanted {
            wrong.push(format!("{}: {found} instead of {wanted}", golden["note"]));
        }
    }
    println!("{count} patterns");
    assert!(count > 0 && wrong.is_empty(), "of {count}: {wrong:#?}");
}

#[test]
fn only_wildcards_cost() {
    let free = [
        json!("x"),
        json!(null),
        json!(1),
        json!({"prefix": "x"}),
        json!({"suffix": "x"}),
        json!({"exists": false}),
        json!({"anything-but": ["x", "y"]}),
        json!({"anything-but": {"prefix": ["x", "y"]}}),
        json!({"anything-but": {"suffix": "x"}}),
        json!({"equals-ignore-case": "x"}),
        json!({"numeric": [">", 0]}),
    ];
    assert_eq!(field(&free), 0);
    assert!(wildcards(&["*x"]) > 0);
}

#[test]
fn each_wildcard_adds_to_the_others_of_its_field() {
    for names in 1..=5 {
        let ends: Vec<String> = (0..names).map(|name| format!("*/name{name}")).collect();
        let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
        assert_eq!(wildcards(&ends), 2 * names, "one star");
        let middles: Vec<String> = (0..names).map(|name| format!("*:stack/{name}Stack/*")).collect();
        let middles: Vec<&str> = middles.iter().map(String::as_str).collect();
        assert_eq!(wildcards(&middles), 3 * names, "a star at both ends");
    }
}

#[test]
fn what_cannot_match_together_does_not_add_up() {
    assert_eq!(wildcards(&["Get*", "List*"]), wildcards(&["Get*"]));
    assert!(wildcards(&["Get*", "GetObject*"]) > wildcards(&["Get*"]));
}

#[test]
fn wildcards_of_one_anything_but_are_one_pattern() {
    let but = |wildcards: &[&str]| field(&[json!({"anything-but": {"wildcard": wildcards}})]);
    assert_eq!(but(&["*NotFound*", "NoSuch*", "*Throttl*", "*LimitExceeded*", "*DryRunOperation"]), 6);
    assert_eq!(but(&["*NotFound*", "*Throttl*", "*DryRunOperation"]), 4);
    assert_eq!(field(&[json!({"anything-but": {"wildcard": "*x"}})]), but(&["*x"]));
}

#[test]
fn fields_and_branches_are_looked_at_one_by_one() {
    let one = wildcards(&["*x*", "*y*"]);
    let both = json!({"a": [{"wildcard": "*x*"}, {"wildcard": "*y*"}], "b": {"c": [{"wildcard": "*z*"}]}});
    assert_eq!(of(&both), one);
    // Branches that begin alike look at the next field together.
    let apart = json!({"$or": [{"a": [{"wildcard": "*x*"}]}, {"a": [{"wildcard": "*y*"}]}]});
    assert_eq!(of(&apart), one);
    let after =
        json!({"$or": [{"0": [1], "a": [{"wildcard": "*x*"}]}, {"0": [2], "a": [{"wildcard": "*y*"}]}]});
    assert_eq!(of(&after), wildcards(&["*x*"]));
}

#[test]
fn a_star_after_a_backslash_is_a_character() {
    assert_eq!(wildcards(&[r"a\*b"]), wildcards(&["axb"]));
}

#[test]
fn many_wildcards_are_measured_soon_and_only_so_far() {
    let many: Vec<String> = (0..200).map(|name| format!("*{name}*x{name}*")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(wildcards(&many), CAP);
}

#[test]
fn what_is_no_pattern_is_said() {
    for (text, why) in
        [("{", "no JSON"), ("[]", "an object"), (r#"{"a":1}"#, "neither"), (r#"{"$or":[1]}"#, "choice")]
    {
        let error = complexity(text).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
