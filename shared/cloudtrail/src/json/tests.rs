use super::*;
use proptest::prelude::*;
use serde_json::Value;

fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~]{0,70}",
        r#"[\\"{}\[\]:,u]{0,12}"#,
        any::<String>(),
        r"(\\\\){0,40}",
        Just("\"readOnly\":true".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |n| serde_json::Number::from_f64(n).map(Value::Number)),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 120, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Rebuilds a whole value by walking it level by level.
fn walked(raw: Raw<'_>) -> Value {
    if raw.is_object() {
        let members = raw.members().map(|m| m.map(|(key, value)| (key.into_owned(), walked(value))));
        Value::Object(members.collect::<Result<_, _>>().unwrap())
    } else if raw.is_array() {
        Value::Array(raw.elements().map(|e| e.map(walked)).collect::<Result<_, _>>().unwrap())
    } else {
        serde_json::from_str(raw.as_str()).unwrap()
    }
}

proptest! {
    #[test]
    fn walks_what_serde_json_reads(value in json(), pretty in any::<bool>(), tail in "[ -~]{0,80}") {
        let mut text =
            if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let end = text.len();
        // A number has no end of its own: only a delimiter ends it.
        if !value.is_number() { text.push_str(&tail); }
        let (raw, stop) = Raw::at(&text, 0).unwrap();
        prop_assert_eq!(stop, end);
        prop_assert_eq!(walked(raw), serde_json::from_str::<Value>(raw.as_str()).unwrap());
    }

    #[test]
    fn every_cut_of_an_object_says_that_the_text_ends(value in json(), cut in any::<prop::sample::Index>()) {
        let text = serde_json::to_string(&serde_json::json!({ "a": value })).unwrap();
        let mut cut = cut.index(text.len()).max(1);
        while !text.is_char_boundary(cut) { cut -= 1; }
        prop_assert_eq!(Raw::at(&text[..cut], 0).unwrap_err().why, Why::Ends);
    }

    #[test]
    fn strings_unescape_as_serde_json_does(text in any::<String>()) {
        let written = serde_json::to_string(&text).unwrap();
        let read = Raw::at(&written, 0).unwrap().0.text();
        prop_assert_eq!(read.as_deref(), Some(text.as_str()).filter(|text| !text.is_empty()));
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), junk in r#"[\\"{}\[\]:,u0-9 a-f\n]{0,200}"#) {
        for text in [text, junk] {
            let _ = Raw::at(&text, 0);
            for start in ["{", "[", "\""] {
                let text = format!("{start}{text}");
                if let Ok((raw, _)) = Raw::at(&text, 0) {
                    raw.text();
                    raw.members().for_each(drop);
                    raw.elements().for_each(drop);
                }
            }
        }
    }
}

#[test]
fn runs_of_backslashes_across_the_edge_of_a_block() {
    for before in 0..130 {
        for slashes in 0..6 {
            let value = serde_json::json!({ "k": format!("{}{}", "x".repeat(before), "\\\"}".repeat(slashes)), "z": 1 });
            let text = format!("{value} ]}}");
            let (raw, end) = Raw::at(&text, 0).unwrap();
            assert_eq!(end, text.len() - 3, "{text}");
            assert_eq!(walked(raw), value);
        }
    }
}

/// Objects and arrays, one in the other; the brackets of each level lie `apart` bytes from the next.
fn deep(levels: u32, apart: usize) -> String {
    let blank = " ".repeat(apart);
    (0..levels).rev().fold("1".to_owned(), |inner, level| {
        if level % 2 == 0 { format!(r#"{{"a":{blank}{inner}}}"#) } else { format!("[{blank}{inner}]") }
    })
}

#[test]
fn nesting_ends_where_serde_json_ends_it() {
    for apart in [0, 1, 7, 63, 64, 65] {
        let deepest = deep(DEEPEST, apart);
        let (raw, end) = Raw::at(&deepest, 0).unwrap();
        assert_eq!(end, deepest.len());
        assert_eq!(walked(raw), serde_json::from_str::<Value>(&deepest).unwrap());
        let deeper = deep(DEEPEST + 1, apart);
        assert_eq!(Raw::at(&deeper, 0).unwrap_err().why, Why::TooDeep, "{apart} apart");
        assert!(serde_json::from_str::<Value>(&deeper).is_err());
        // What is walked is a level too.
        assert!(Members::of(&deepest).all(|member| member.is_ok()));
        let error = Members::of(&deeper).find_map(Result::err).unwrap();
        assert_eq!(error.why, Why::TooDeep);
        // The bracket itself is named, and what follows it doesn't matter.
        for cut in 1..deeper.len() {
            let error = Raw::at(&deeper[..cut], 0).unwrap_err();
            let why = if cut > error.at { Why::TooDeep } else { Why::Ends };
            assert_eq!(error.why, why, "{apart} apart, cut at {cut}");
        }
    }
}

#[test]
fn half_a_surrogate_pair_is_replaced_and_not_an_error() {
    let text = |written: &str| Raw::at(written, 0).unwrap().0.text().unwrap().into_owned();
    assert_eq!(text(r#""a\ud83dz""#), "a\u{fffd}z");
    assert_eq!(text(r#""\ud83d\ude00""#), "\u{1f600}");
    assert_eq!(text(r#""\ud83d\u0041""#), "\u{fffd}A");
    assert_eq!(text(r#""\u12""#), "\u{fffd}12");
    assert_eq!(text(r#""\q""#), "\u{fffd}");
    assert_eq!(text(r#""\u+123""#), "\u{fffd}+123");
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let (raw, _) = Raw::at(r#"{"a":1,"a":{"b":[2]},"\u0061":3}"#, 0).unwrap();
    assert_eq!(raw.get("a").map(Raw::as_str), Some("3"));
}

#[test]
fn says_what_was_expected_and_where() {
    let error = |text: &str| {
        let (raw, _) = Raw::at(text, 0).unwrap();
        let error = raw.members().find_map(Result::err).unwrap();
        (error.at, error.why)
    };
    assert_eq!(error(r#"{"a" 1}"#), (5, Why::NoColon));
    assert_eq!(error(r#"{"a":1 "b":2}"#), (7, Why::NoComma));
    assert_eq!(error(r"{a:1}"), (1, Why::NoKey));
    assert_eq!(error(r#"{"a":nope}"#), (5, Why::NoValue));
    assert_eq!(error(r#"{"a":1,}"#), (7, Why::NoKey));
}

#[test]
fn values_of_another_type_still_have_a_text() {
    let text = |written: &'static str| Raw::at(written, 0).unwrap().0.text();
    assert_eq!(text("12").as_deref(), Some("12"));
    assert_eq!(text("true").as_deref(), Some("true"));
    assert_eq!(text("\"\""), None);
    assert_eq!(text("null"), None);
    assert_eq!(text("{}"), None);
    let flag = |written: &'static str| Raw::at(written, 0).unwrap().0.flag();
    assert_eq!(
        [flag("true"), flag("\"True\""), flag("\"false\""), flag("1"), flag("null")],
        [Some(true), Some(true), Some(false), None, None]
    );
}
