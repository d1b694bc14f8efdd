//! The event patterns of `template.yaml`: read, filled in, checked and matched.
//!
//! The matching is done by `quamina`, whose patterns are those of EventBridge but for what is taken apart here:
//! `$or`, `anything-but` of a prefix or wildcard, and lists that have other values beside `exists`. That these may
//! stand in a pattern as they do, and that `*` stands for nothing too, is in the source and the tests of AWS's own
//! matcher, event-ruler. The package `event-ruler` of `PyPI`, 0.3.0, a port, knows none of them.
//!
//! Held against once, by a script: 60,231 verdicts (the samples, the corpus with three policies, the cases, the
//! operators, and every 13th record of [`crate::everything`]; 254 patterns). The engine of `localstack-core` 2026.3.0,
//! whose validator takes all these patterns, gives the same verdicts once its `*` may stand for nothing; as it is, it
//! differs in 523. moto 5.2.1 differs in one: a leaf that is an empty object is there for it, and isn't for AWS.

use std::collections::BTreeMap;

use handsoff_core::rules::{LONGEST, Names, Rule};
use handsoff_functions::detectors;
use handsoff_tests::root;
use quamina::Quamina;
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Map, Value, json};

/// The detectors, in the order in which verdicts are given: these, and then what else is registered.
pub(crate) fn functions() -> Vec<&'static str> {
    let known = ["drift", "break-glass", "deny-spike", "pipeline"];
    let others = detectors().iter().map(|it| it.name()).filter(|name| !known.contains(name));
    known.into_iter().chain(others).collect()
}

/// The detectors' rules, each with the place in [`functions`] of the function that it feeds.
pub(crate) fn registered() -> Vec<(usize, Rule)> {
    let functions = functions();
    let place = |name| functions.iter().position(|function| *function == name).unwrap();
    let rules = |name, rules: &'static [Rule]| rules.iter().map(move |rule| (place(name), *rule));
    detectors().iter().flat_map(|detector| rules(detector.name(), detector.about().rules)).collect()
}

/// The rule that brings what isn't CloudTrail's: grants and reviews, to break-glass.
const CASES: &str = "CasesRule";

/// The rule that brings how builds and deployments go, to pipeline.
const EVENTS: &str = "PipelineEventsRule";

/// The rules of one account's stack.
pub(crate) struct Rules {
    /// The patterns as EventBridge gets them, in the order of [`registered`].
    pub(crate) texts: Vec<String>,
    quamina: Quamina<usize>,
    /// How many places a verdict has.
    wide: usize,
    /// The function by its place in [`functions`], the pattern that has to match, and those that must not.
    branches: Vec<(usize, usize, Vec<usize>)>,
}

impl Rules {
    /// The rules of a stack with these parameters in this account.
    pub(crate) fn of(names: &Names, account: &str) -> Self {
        let mut known = Known::from([
            ("AWS::AccountId".to_owned(), vec![account.to_owned()]),
            ("AWS::Partition".to_owned(), vec!["aws".to_owned()]),
        ]);
        for (whose, lists) in [("BreakGlass", &names.break_glass), ("DeployRole", &names.deploy)] {
            let any = format!("Any{whose}Assumed");
            known.insert(any, vec![if lists.any_role { "yes" } else { "no" }.to_owned()]);
        }
        for (parameter, value) in names.parameters() {
            known.insert(parameter, value.split(',').map(str::to_owned).collect());
        }
        let (places, rules): (Vec<usize>, Vec<Rule>) = registered().into_iter().unzip();
        let ids: Vec<&str> = rules.iter().map(|rule| rule.id).collect();
        let texts = patterns(&ids, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", &known);
        Self::matching(texts, &places)
    }

    /// The rule for grants and reviews, as the only one: it is the same in all accounts.
    pub(crate) fn of_cases() -> Self {
        Self::from_texts(patterns(&[CASES], "ENABLED", &Known::new()))
    }

    /// The rule that reports tampering past the functions, as the only one.
    pub(crate) fn of_tampering() -> Self {
        let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
        let template = Yaml::load_from_str(&template).unwrap().remove(0);
        let properties = get(get(get(&template, "Resources"), "TamperingRule"), "Properties");
        Self::from_texts(filled(get(properties, "EventPattern"), &Known::new()))
    }

    /// The rule for what services send themselves, as the only one: it is the same in all accounts.
    pub(crate) fn of_events() -> Self {
        Self::from_texts(patterns(&[EVENTS], "ENABLED", &Known::new()))
    }

    /// Rules with these patterns, one for each place of a verdict.
    pub(crate) fn from_texts(texts: Vec<String>) -> Self {
        let places: Vec<usize> = (0..texts.len()).collect();
        Self::matching(texts, &places)
    }

    fn matching(texts: Vec<String>, places: &[usize]) -> Self {
        let wide = places.iter().max().map_or(0, |last| last + 1);
        let mut rules = Self { texts, quamina: Quamina::new(), wide, branches: Vec::new() };
        let mut next = 0..;
        for (text, place) in rules.texts.iter().zip(places) {
            assert!(text.len() <= LONGEST, "a pattern of {} characters: {text}", text.len());
            let pattern: Value = serde_json::from_str(text).unwrap_or_else(|why| panic!("{why} in {text}"));
            for (wanted, unwanted) in branches(&pattern).into_iter().flat_map(|branch| plain(&branch)) {
                let mut add = |pattern: &Value| {
                    let id = next.next().unwrap();
                    rules.quamina.add_pattern(id, &pattern.to_string()).unwrap();
                    id
                };
                let wanted = add(&wanted);
                let unwanted = unwanted.iter().map(add).collect();
                rules.branches.push((*place, wanted, unwanted));
            }
        }
        rules
    }

    /// Whether an event reaches each function, in the order of [`functions`].
    pub(crate) fn let_through(&self, event: &str) -> Vec<bool> {
        let matched = self.quamina.matches_for_event(event.as_bytes()).unwrap();
        let mut through = vec![false; self.wide];
        for (place, wanted, unwanted) in &self.branches {
            through[*place] |= matched.contains(wanted) && !unwanted.iter().any(|one| matched.contains(one));
        }
        through
    }
}

/// The patterns of the template's rules, which all have to be in this state, and to be those of the detectors' folders.
fn patterns(rules: &[&str], state: &str, known: &Known) -> Vec<String> {
    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let template = Yaml::load_from_str(&template).unwrap().remove(0);
    let folders = of_folders();
    let pattern = |rule: &&str| {
        let properties = get(get(get(&template, "Resources"), rule), "Properties");
        assert_eq!(get(properties, "State").as_str(), Some(state), "{rule}");
        let (name, pattern) = (get(properties, "Name").as_str().unwrap(), get(properties, "EventPattern"));
        assert_eq!(unfilled(pattern), folders[name], "{rule}");
        filled(pattern, known).join(",")
    };
    rules.iter().map(pattern).collect()
}

/// The patterns of the detectors' folders by the names of their rules, each on one line, as the template's are read.
pub(crate) fn of_folders() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in std::fs::read_dir(root().join("functions")).unwrap() {
        let Ok(files) = std::fs::read_dir(folder.unwrap().path().join("patterns")) else { continue };
        for path in files.map(|file| file.unwrap().path()) {
            let name = format!("handsoff-{}", path.file_stem().unwrap().to_str().unwrap());
            let text = std::fs::read_to_string(&path).unwrap().lines().collect::<Vec<_>>().join(" ");
            assert_eq!(found.insert(name, text), None, "{}", path.display());
        }
    }
    found
}

/// The text of a pattern, without what is put in.
fn unfilled<'y>(node: &'y Yaml<'y>) -> &'y str {
    let node = node.get_tagged_node().unwrap_or(node);
    node.as_str().unwrap_or_else(|| pair(node)[0].as_str().unwrap())
}

/// A value of the template's text, without its tag.
fn get<'y>(node: &'y Yaml<'y>, key: &str) -> &'y Yaml<'y> {
    node.as_mapping_get(key).unwrap_or_else(|| panic!("the template has no {key}"))
}

/// What the template's expressions may name.
type Known = BTreeMap<String, Vec<String>>;

/// The text or list of an expression of `CloudFormation`.
fn filled(node: &Yaml<'_>, known: &Known) -> Vec<String> {
    let Some(tag) = node.get_tag() else { return vec![node.as_str().unwrap().to_owned()] };
    let node = node.get_tagged_node().unwrap();
    match &*tag.suffix {
        "Ref" => known[node.as_str().unwrap()].clone(),
        "If" => {
            let values = node.as_sequence().unwrap();
            let yes = known[values[0].as_str().unwrap()] == ["yes"];
            filled(&values[if yes { 1 } else { 2 }], known)
        }
        "Join" => {
            let [separator, values] = pair(node);
            vec![filled(values, known).join(separator.as_str().unwrap())]
        }
        "Sub" if node.as_str().is_some() => vec![substituted(node, known)],
        "Sub" => {
            let [text, variables] = pair(node);
            let variables = variables.as_mapping().unwrap().iter();
            let own =
                variables.map(|(name, value)| (name.as_str().unwrap().to_owned(), filled(value, known)));
            let known = known.clone().into_iter().chain(own).collect();
            vec![substituted(text, &known)]
        }
        other => panic!("!{other} in an event pattern"),
    }
}

fn pair<'y>(node: &'y Yaml<'y>) -> [&'y Yaml<'y>; 2] {
    match node.as_sequence().map(Vec::as_slice) {
        Some([first, second]) => [first, second],
        _ => panic!("{node:?} is no list of two"),
    }
}

fn substituted(text: &Yaml<'_>, known: &Known) -> String {
    let mut parts = text.as_str().unwrap().split("${");
    let mut whole = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap();
        whole += &known[name].join(",");
        whole += rest;
    }
    whole
}

/// Fields with the values that they may have.
type Branch = BTreeMap<Vec<String>, Vec<Value>>;

/// The pattern without `$or`: it matches where one of these does.
fn branches(pattern: &Value) -> Vec<Branch> {
    let mut branches = vec![Branch::new()];
    read(pattern.as_object().unwrap(), &mut Vec::new(), &mut branches);
    branches
}

/// What event-ruler takes for names of its own inside of `$or`.
const RESERVED: [&str; 9] = [
    "exactly",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "numeric",
    "cidr",
    "wildcard",
    "equals-ignore-case",
];

fn read(object: &Map<String, Value>, path: &mut Vec<String>, branches: &mut Vec<Branch>) {
    assert!(!object.is_empty(), "an empty object at {path:?}");
    for (key, value) in object {
        assert!(!RESERVED.contains(&key.as_str()), "{key} at {path:?} is no field");
        match value {
            Value::Array(choices) if key == "$or" => {
                assert!(choices.len() >= 2, "$or of one at {path:?}");
                let mut all = Vec::new();
                for choice in choices {
                    let mut chosen = branches.clone();
                    read(choice.as_object().unwrap(), path, &mut chosen);
                    all.extend(chosen);
                }
                *branches = all;
                assert!(branches.len() <= 1000, "EventBridge takes no more");
            }
            Value::Object(inner) => {
                path.push(key.clone());
                read(inner, path, branches);
                path.pop();
            }
            Value::Array(values) => {
                assert!(!values.is_empty(), "no values at {path:?} {key}");
                values.iter().for_each(check);
                let field: Vec<String> = path.iter().chain([key]).cloned().collect();
                for branch in branches.iter_mut() {
                    // EventBridge would take the last one, and forget the others.
                    let before = branch.insert(field.clone(), values.clone());
                    assert!(before.is_none(), "{field:?} twice in one branch");
                }
            }
            _ => panic!("{key} at {path:?} is {value}"),
        }
    }
}

/// What this file understands, and EventBridge takes.
fn check(value: &Value) {
    let Value::Object(operator) = value else {
        assert!(!value.is_array(), "{value}");
        return;
    };
    assert_eq!(operator.len(), 1, "{value}");
    let (operator, operand) = operator.iter().next().unwrap();
    let good = match operator.as_str() {
        "exists" => operand.is_boolean(),
        "prefix" | "suffix" => operand.as_str().is_some_and(|text| !text.is_empty()),
        "wildcard" => operand.as_str().is_some_and(is_wildcard),
        "anything-but" => match operand {
            Value::Object(inner) => inner.iter().all(|(operator, operand)| {
                texts(operand).iter().all(|text| match operator.as_str() {
                    "prefix" => !text.is_empty(),
                    "wildcard" => is_wildcard(text),
                    _ => false,
                })
            }),
            _ => !texts(operand).is_empty(),
        },
        _ => false,
    };
    assert!(good, "{value}");
}

fn is_wildcard(text: &str) -> bool {
    !text.is_empty() && !text.contains("**") && !text.contains('\\')
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().map(|value| value.as_str().unwrap()).collect(),
        _ => vec![value.as_str().unwrap()],
    }
}

/// A branch as patterns that quamina knows: one that has to match, and some that must not. It matches where one of
/// these pairs does.
fn plain(branch: &Branch) -> Vec<(Value, Vec<Value>)> {
    let mut pairs = vec![(json!({}), Vec::new())];
    for (field, values) in branch {
        let mut choices = Vec::new();
        for value in values {
            let Some(but) = value["anything-but"].as_object() else {
                choices.push((json!([simpler(value)]), None));
                continue;
            };
            let (operator, operand) = but.iter().next().unwrap();
            let unwanted: Vec<Value> =
                texts(operand).iter().map(|text| simpler(&json!({ operator: text }))).collect();
            // What is absent is not anything.
            choices.push((json!([{"exists": true}]), Some(nested(field, json!(unwanted)))));
        }
        pairs = choices
            .iter()
            .flat_map(|(wanted, unwanted)| {
                pairs.iter().cloned().map(move |(mut whole, mut none)| {
                    merge(&mut whole, nested(field, wanted.clone()));
                    none.extend(unwanted.clone());
                    (whole, none)
                })
            })
            .collect();
    }
    pairs
}

/// The same without a wildcard, where one operator says it: quamina takes long over many wildcards.
fn simpler(value: &Value) -> Value {
    let Some(wildcard) = value["wildcard"].as_str() else { return value.clone() };
    match (wildcard.strip_prefix('*'), wildcard.strip_suffix('*')) {
        _ if !wildcard.contains('*') => json!(wildcard),
        (Some(end), _) if !end.is_empty() && !end.contains('*') => json!({ "suffix": end }),
        (_, Some(start)) if !start.is_empty() && !start.contains('*') => json!({ "prefix": start }),
        _ => value.clone(),
    }
}

fn nested(field: &[String], value: Value) -> Value {
    field.iter().rev().fold(value, |value, key| json!({ key: value }))
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert_with(|| json!({})), value);
            }
        }
        (into, from) => *into = from,
    }
}
