use handsoff_cloudtrail::Record;
use handsoff_cloudtrail::json::DEEPEST;
use proptest::prelude::*;

use super::*;
use crate::input::Place;

mod steps;

#[derive(Debug, Default, PartialEq)]
struct Seen {
    names: Vec<String>,
    places: Vec<Position>,
    problems: Vec<String>,
}

impl Sink for Seen {
    fn record(&mut self, record: &Record<'_>, place: &Place<'_>) {
        self.names.push(record.event_name.text().unwrap_or_default().into_owned());
        self.places.push(place.position());
    }

    fn problem(&mut self, position: Option<Position>, message: String) {
        let position = position.map(|p| format!("{}:{}", p.line, p.column)).unwrap_or_default();
        self.problems.push(format!("{position} {message}"));
    }
}

/// Feeds a text in pieces of the given size, as a stream is read.
fn read_in(text: &[u8], piece: usize) -> Seen {
    read_with(text, piece, LIMITS).0
}

/// The same with other limits, and how many bytes were looked at.
fn read_with(text: &[u8], piece: usize, limits: Limits) -> (Seen, u64) {
    let (mut document, mut seen) = (Document::within_limits(limits), Seen::default());
    let mut buffer = Vec::new();
    // A file that is read whole has one piece, and it is the last.
    let pieces = if piece < text.len() { text } else { &[] };
    if pieces.is_empty() {
        buffer.extend_from_slice(text);
    }
    for part in pieces.chunks(piece.max(1)) {
        buffer.extend_from_slice(part);
        let used = document.feed(&buffer, false, &mut seen);
        buffer.drain(..used);
    }
    document.feed(&buffer, true, &mut seen);
    (seen, document.looked.get())
}

fn read(text: &str) -> Seen {
    read_in(text.as_bytes(), usize::MAX)
}

fn record(name: &str) -> String {
    format!(r#"{{"eventVersion":"1.08","eventName":"{name}","eventID":"{name}"}}"#)
}

#[test]
fn every_shape_is_read() {
    let (a, b) = (record("A"), record("B"));
    for text in [
        format!(r#"{{"Records":[{a},{b}]}}"#),
        format!(r#"{{ "x": {{"y": [1]}}, "Records" : [ {a} , {b} ] , "z": "}}" }}"#),
        format!(r#"{{"Records":[{a}],"Records":[{b}]}}"#),
        format!("[{a},{b}]"),
        format!("[\n  {a},\n  {b}\n]\n"),
        format!("{a}\n{b}\n"),
        format!("{a}\r\n\r\n{b}"),
        format!("{a}{b}"),
        format!("\u{feff}{a}\n{b}"),
        format!(r#"{{"Records":[{a}]}}{{"Records":[{b}]}}"#),
        format!("{{\"Records\":[{a}]}}\n[{b}]\n"),
        format!(r#"{{"detail-type":"AWS API Call via CloudTrail","detail":{a}}}{b}"#),
        format!(r#"{{"Records":[],"n":1}}{{"Records":[{a},{b}]}}"#),
    ] {
        for piece in [1, 7, usize::MAX] {
            let seen = read_in(text.as_bytes(), piece);
            assert_eq!(seen.names, ["A", "B"], "{text} in pieces of {piece}");
            assert_eq!(seen.problems, [""; 0], "{text}");
        }
    }
}

#[test]
fn a_bad_line_is_named_and_the_rest_is_read() {
    let text = format!(
        "{}\nthis is no JSON\n{}\n{{\"eventName\": nope}}\n{}\n",
        record("A"),
        record("B"),
        record("C")
    );
    let seen = read(&text);
    assert_eq!(seen.names, ["A", "B", "C"]);
    assert_eq!(
        seen.problems,
        ["2:1 not JSON: expected a JSON value", "4:15 not JSON: expected a JSON value"]
    );
}

#[test]
fn a_line_that_is_cut_inside_a_string_costs_only_itself() {
    let a = record("A");
    for cut in 1..a.len() {
        let text = format!("{}\n{}\n{}\n", &a[..cut], record("B"), record("C"));
        let seen = read(&text);
        assert_eq!(seen.names, ["B", "C"], "{text}");
        assert!(!seen.problems.is_empty(), "{text}");
    }
}

#[test]
fn a_broken_record_of_an_array_costs_only_itself() {
    let a = record("A");
    for cut in 2..a.len() {
        let text = format!(r#"{{"Records":[{},{},{}]}}"#, &a[..cut], record("B"), record("C"));
        let seen = read(&text);
        assert_eq!(seen.names, ["B", "C"], "{text}");
        assert!(!seen.problems.is_empty(), "{text}");
    }
}

#[test]
fn a_file_that_ends_early_keeps_what_is_whole() {
    let text =
        format!(r#"{{"Records":[{},{},{}"#, record("A"), record("B"), r#"{"eventVersion":"1.08","eventNa"#);
    let seen = read(&text);
    assert_eq!(seen.names, ["A", "B"]);
    assert_eq!(seen.problems.len(), 1);
    assert!(seen.problems[0].contains("ends inside a value"), "{:?}", seen.problems);
}

#[test]
fn bytes_that_are_no_utf8_are_named_and_the_rest_is_read() {
    let mut text = format!("{}\n", record("A")).into_bytes();
    text.extend_from_slice(b"{\"eventName\":\"\xff\xfe\"}\n");
    text.extend_from_slice(record("B").as_bytes());
    text.extend_from_slice(b"\n\xff");
    for piece in [1, 5, usize::MAX] {
        let seen = read_in(&text, piece);
        assert_eq!(seen.names, ["A", "B"]);
        assert_eq!(
            seen.problems,
            ["2:15 not UTF-8 text: the record around it can't be read", "4:1 not UTF-8 text"],
            "in pieces of {piece}"
        );
    }
}

#[test]
fn what_is_no_record_is_named() {
    let text = format!(r#"{{"foo":1}} [1, "two", {}] {{}}"#, record("A"));
    let seen = read(&text);
    assert_eq!(seen.names, ["A"]);
    assert_eq!(
        seen.problems,
        [
            "1:1 no CloudTrail record: the object has none of a record's fields",
            "1:12 no CloudTrail record: not even an object",
            "1:15 no CloudTrail record: not even an object",
            "1:77 no CloudTrail record: the object has none of a record's fields",
        ]
    );
}

#[test]
fn a_place_is_line_and_column_of_the_whole_text() {
    let text = format!("{}\n\n  {}\n[{}]", record("A"), record("B"), record("C"));
    for piece in [1, 100, usize::MAX] {
        let places: Vec<(u64, u64)> =
            read_in(text.as_bytes(), piece).places.iter().map(|p| (p.line, p.column)).collect();
        assert_eq!(places, [(1, 1), (3, 3), (4, 2)], "in pieces of {piece}");
    }
}

/// Limits that small texts reach.
const SMALL: Limits = Limits { value: 300, barren: 2000, loss: 1000 };

#[test]
fn a_value_that_is_too_long_costs_only_itself() {
    let long = format!(r#"{{"eventVersion":"{}"}}"#, "x".repeat(300));
    let endless = format!(r#"{{"eventVersion":"{}"#, "x".repeat(500));
    for text in [format!("{long}\n{}", record("B")), format!("{endless}\n{}", record("B"))] {
        for piece in [1, 64, usize::MAX] {
            let (seen, _) = read_with(text.as_bytes(), piece, SMALL);
            assert_eq!(seen.names, ["B"], "{text}");
            assert_eq!(seen.problems, ["1:1 a value of more than 0 MiB is no CloudTrail record"]);
        }
    }
}

#[test]
fn a_text_without_records_is_given_up() {
    let text = format!("{}{}{}", record("A"), "y\n".repeat(1500), record("B"));
    for piece in [1, 64, usize::MAX] {
        let (seen, _) = read_with(text.as_bytes(), piece, SMALL);
        assert_eq!(seen.names, ["A"]);
        assert!(seen.problems.last().unwrap().contains("no known format in"), "{:?}", seen.problems);
    }
}

#[test]
fn a_record_that_is_nested_too_deep_is_named_and_the_rest_is_read() {
    let nested = |levels: usize| {
        let inner = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        record("A").replace(r#""eventID""#, &format!(r#""requestParameters":{inner},"eventID""#))
    };
    let deepest = DEEPEST as usize - 1;
    for piece in [1, 64, usize::MAX] {
        let list = format!("{{\"Records\":[{},{},{}]}}", nested(deepest), nested(deepest + 1), record("C"));
        let seen = read_in(list.as_bytes(), piece);
        assert_eq!(seen.names, ["A", "C"], "{:?}", seen.problems);
        assert!(seen.problems[0].contains("nested more than 127 levels deep"), "{:?}", seen.problems);
        let text = serde_json::json!({ "message": nested(deepest + 1) }).to_string();
        let seen = read_in(text.as_bytes(), piece);
        assert_eq!(seen.problems, ["1:1 1 in this wrapper look like records and can't be read"]);
    }
}

#[test]
fn what_is_lost_is_measured() {
    let junk = "{'a': 1}\n".repeat(150);
    for text in [format!("{}\n{junk}{}", record("A"), record("B")), format!("{}\n{junk}", record("A"))] {
        for piece in [1, 64, usize::MAX] {
            let (seen, _) = read_with(text.as_bytes(), piece, SMALL);
            assert_eq!(seen.problems.len(), 2, "{:?}", seen.problems);
            assert!(seen.problems[0].starts_with("2:2 not JSON"), "{:?}", seen.problems);
            assert!(
                seen.problems[1].starts_with("152:1 the 1350 bytes before this can't be read"),
                "{:?}",
                seen.problems
            );
        }
    }
}

#[test]
fn a_text_with_a_record_behind_another_loses_none() {
    let text = serde_json::to_string(&format!("{}\n{}\n", record("A"), record("B"))).unwrap();
    assert_eq!(read(&text).names, ["A", "B"]);
}

#[test]
fn a_broken_list_at_a_pieces_end_loses_nothing_of_the_rest() {
    let (a, b) = (record("A"), record("B"));
    for text in [
        format!(r#"{{"Records":[]{{"userIdentity":{{]}}{a}{b}"#),
        format!("{{\"Records\":[{{\"Records\":[,{a},,{a}][{b}"),
        format!(r#"{{"Records":[715715583519980812],"n":12345,"m":[{a},12]}}{b}"#),
        format!("12345{a}\n{b}"),
    ] {
        let whole = read(&text);
        assert!(whole.names.ends_with(&["A".into(), "B".into()]), "{text}: {whole:?}");
        for piece in 1..20 {
            assert_eq!(read_in(text.as_bytes(), piece), whole, "{text} in pieces of {piece}");
        }
    }
}

/// What broken logs are made of.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => Just(record("A").into_bytes()),
        2 => Just(b"{\"Records\":[".to_vec()),
        1 => Just(b"]}".to_vec()),
        1 => Just(b",".to_vec()),
        1 => Just(b"\n".to_vec()),
        1 => Just(b"{\"eventVersion\":".to_vec()),
        1 => Just(br#"{"detail":"#.to_vec()),
        1 => Just(br#","n":12"#.to_vec()),
        1 => Just(b"2026-03-14T10:00:01.000Z stream ".to_vec()),
        1 => Just(serde_json::to_string(&record("T")).unwrap().into_bytes()),
        1 => Just("é\u{feff}\u{2028}".into()),
        1 => Just(b"\xff".to_vec()),
        1 => Just(b"\xe2\x82".to_vec()),
        1 => (0usize..300).prop_map(|blanks| " ".repeat(blanks).into_bytes()),
        1 => (1usize..200).prop_map(|levels| "[{\"a\":".repeat(levels).into_bytes()),
        3 => r#"[\\"{}\[\]:,a1\n]{0,10}"#.prop_map(String::into_bytes),
    ];
    prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn pieces_make_no_difference(text in junk(), piece in 1usize..400, value in 100usize..2000) {
        let limits = Limits { value, barren: 2 * value as u64, loss: 50 };
        let (whole, _) = read_with(&text, usize::MAX, limits);
        let (pieces, _) = read_with(&text, piece, limits);
        prop_assert_eq!(whole, pieces, "{} in pieces of {}", String::from_utf8_lossy(&text), piece);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_in(&bytes, 11);
    }
}

/// Fifty records; the fourth has a broken member, or lacks brackets at its end.
fn fifty(pretty: bool, sorted: bool, damage: impl Fn(String) -> String) -> String {
    let records: Vec<serde_json::Value> = (0..50)
        .map(|n| {
            let mut record = serde_json::json!({"eventVersion": "1.08", "eventName": format!("N{n}"), "eventID": format!("id-{n}"),
                "requestParameters": {"items": [{"a": 1}, {"b": [2, {"c": 3}]}]}, "tlsDetails": {"x": "y"}});
            if sorted {
                record.sort_all_objects();
            }
            record
        })
        .collect();
    let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
    damage(write(&serde_json::json!({ "Records": records })).unwrap())
}

#[test]
fn a_broken_record_costs_only_itself_however_the_array_is_written() {
    for (pretty, sorted) in [(false, false), (false, true), (true, false), (true, true)] {
        for (from, to) in [(r#""id-3""#, r#""id-3" x"#), (r#""N3""#, "N3"), (r#""N3""#, r#""N3"#)] {
            let text = fifty(pretty, sorted, |text| text.replace(from, to));
            for piece in [97, usize::MAX] {
                let seen = read_in(text.as_bytes(), piece);
                assert!(
                    seen.names.len() >= 49,
                    "{} {pretty} {sorted} {to}: {:?}",
                    seen.names.len(),
                    seen.problems
                );
                assert_eq!(seen.problems.len(), 1, "{:?}", seen.problems);
            }
        }
    }
}

#[test]
fn a_record_without_its_last_brackets_swallows_no_other() {
    let a = record("A");
    let open = a.replace(r#""eventName""#, r#""tlsDetails":{"x":1,"eventName""#);
    for text in [
        format!(r#"{{"Records":[{open},{},{}]}}"#, record("B"), record("C")),
        format!("{open}\n{}\n{}\n", record("B"), record("C")),
        format!("{{\"Records\":[{a}]\n{{\"Records\":[{},{}]}}\n", record("B"), record("C")),
    ] {
        for piece in [11, usize::MAX] {
            let seen = read_in(text.as_bytes(), piece);
            assert!(seen.names.ends_with(&["B".into(), "C".into()]), "{text}: {:?}", seen.names);
            assert!(!seen.problems.is_empty(), "{text}");
        }
    }
}

#[test]
fn what_looks_like_a_record_inside_of_one_is_its_callers_choice() {
    let text = r#"{"eventVersion":"1.08","eventName":"A","requestParameters":{"x":{"eventVersion":["1"]}}}"#;
    let seen = read(text);
    assert_eq!((seen.names, seen.problems), (vec!["A".to_owned()], vec![]));
}

#[test]
fn a_file_that_ends_between_two_records_is_cut_too() {
    let seen = read(&format!(r#"{{"Records":[{},{}"#, record("A"), record("B")));
    assert_eq!(seen.names, ["A", "B"]);
    assert!(seen.problems[0].contains("it may be cut off"), "{:?}", seen.problems);
    let seen = read(&format!(r#"{{"Records":[{}]"#, record("A")));
    assert!(seen.problems[0].contains("it may be cut off"), "{:?}", seen.problems);
}

#[test]
fn records_behind_the_list_are_read_too() {
    let text = format!(
        r#"{{"Records":[{}],"n":1,"more":{{"Records":[{}]}},"detail":{}}}"#,
        record("A"),
        record("B"),
        record("C")
    );
    for piece in [7, usize::MAX] {
        let seen = read_in(text.as_bytes(), piece);
        assert_eq!((seen.names, seen.problems), (vec!["A".into(), "B".into(), "C".into()], vec![]));
    }
}

#[test]
fn messages_of_queues_and_of_lookup_events_are_opened() {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let (a, b) = (record("A"), record("B"));
    let envelope =
        |record: &str| format!(r#"{{"detail-type":"AWS API Call via CloudTrail","detail":{record}}}"#);
    for text in [
        format!(
            r#"{{"Records":[{{"body":{},"eventSource":"aws:sqs"}},{{"body":{},"eventSource":"aws:sqs"}}]}}"#,
            quoted(&envelope(&a)),
            quoted(&b)
        ),
        format!(
            r#"{{"Events":[{{"EventId":"1","CloudTrailEvent":{}}},{{"EventId":"2","CloudTrailEvent":{}}}]}}"#,
            quoted(&a),
            quoted(&format!(" {b}"))
        ),
        format!(r#"{{"message":{}}}"#, quoted(&format!("{a}\n{b}\n"))),
        format!(r#"{{"message":{}}}"#, quoted(&format!("[{a},{b}]"))),
        format!(r#"{{"a":{a},"x":{{"y":{{"z":{{"detail":{b}}}}}}}}}"#),
    ] {
        let seen = read(&text);
        assert_eq!((seen.names, seen.problems), (vec!["A".into(), "B".into()], vec![]), "{text}");
    }
    let broken = b.replace(r#""eventName""#, "eventName");
    let seen = read(&format!(r#"{{"message":{}}}"#, quoted(&format!("{a}\n{broken}\n"))));
    assert_eq!(seen.names, ["A"]);
    assert!(
        seen.problems[0].contains("1 in this wrapper look like records and can't be read"),
        "{:?}",
        seen.problems
    );
}

#[test]
fn brackets_that_close_nothing_are_named() {
    let seen = read("}}]],\n");
    assert_eq!(seen.problems, ["1:1 a closing bracket without an opening one"]);
}
