//! Hostile texts take time that grows with them, and no faster: twice the text, about twice the bytes that are looked at.

use super::{LIMITS, read_with, record};

/// Of each byte at most so many looks, on average: each level of nesting may take one, in two views of what is a string.
const MOST_LOOKS: u64 = 300;

/// Texts of about `size` bytes, by what is wrong with them.
fn hostile(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let repeat = |part: &str| part.repeat(size / part.len()).into_bytes();
    let behind = |start: &str, part: &str| [start.as_bytes(), &repeat(part)].concat();
    let python = "{'eventVersion': '1.08', 'userIdentity': {'type': 'IAMUser'}, 'eventName': 'RunInstances'}";
    let broken = record("A").replace(r#""eventName""#, "eventName");
    let open = record("A").replace(r#""eventName""#, r#""tlsDetails":{"x":1,"eventName""#);
    vec![
        ("Python's dictionaries, one a line", repeat(&format!("{python}\n"))),
        ("Python's dictionaries, in a list", behind("[", &format!("{python}, "))),
        ("deep nesting in a record", behind(r#"{"eventVersion":"1","requestParameters":"#, r#"{"a":"#)),
        ("deep nesting in a list", behind(r#"{"Records":["#, "[")),
        ("records in records", repeat(r#"{"eventVersion":{"#)),
        ("records in lists in records", repeat("{\"eventVersion\":[1,\n")),
        ("brackets", repeat("[")),
        ("braces", repeat("{")),
        ("a string without an end a line", repeat("{\"eventVersion\":\"1.0\n")),
        ("an object without an end a line", repeat("{\"eventVersion\":{\"a\":1\n")),
        ("strings that turn inside out", repeat("{\"eventVersion\":{\"a\":\"b\n")),
        ("strings that turn inside out, closed", repeat("{\"eventVersion\":[{\"a\":\"b]}]\n")),
        ("broken records, one a line", repeat(&format!("{broken}\n"))),
        ("broken records in a list", behind(r#"{"Records":["#, &format!("{broken},"))),
        ("records without their last brackets", behind(r#"{"Records":["#, &format!("{open},"))),
        ("records inside what is broken", repeat(&format!("{{\"a\":{} x}}", record("A")))),
        ("broken texts", repeat("{\"eventVersion\":\"\u{fffd}\" x")),
        ("a long line", repeat("x")),
        ("a long text", behind("\"", "x")),
        ("a long record", behind(r#"{"eventVersion":""#, "x")),
        ("a long number", repeat("1")),
        ("backslashes", behind("\"", "\\")),
        ("white space behind a brace", repeat(&format!("{{{}", " ".repeat(1000)))),
        ("bytes that are no text", vec![0xff; size]),
        ("records with bytes that are no text", { b"{\"eventVersion\":\"\xff\"}\n".repeat(size / 22) }),
        ("one record that never ends, and good ones", behind(r#"{"eventVersion":["#, &(record("A") + ","))),
    ]
}

#[test]
fn hostile_text_takes_steps_that_grow_with_it() {
    // Between two powers of two: an unfinished value is looked at each time it has doubled.
    const SIZE: usize = 200_000;
    let mut looks = Vec::new();
    for ((name, once), (_, twice)) in hostile(SIZE).into_iter().zip(hostile(2 * SIZE)) {
        for piece in [4096, usize::MAX] {
            let (_, one) = read_with(&once, piece, LIMITS);
            let (_, two) = read_with(&twice, piece, LIMITS);
            assert!(one >= once.len() as u64, "{name}: looked at {one} of {} bytes", once.len());
            assert!(2 * two < 5 * one, "{name} in pieces of {piece}: {one} steps, of twice the text {two}");
            let each = two / twice.len() as u64;
            assert!(each < MOST_LOOKS, "{name} in pieces of {piece}: each byte was looked at {each} times");
            looks.push((each, name));
        }
    }
    println!("{looks:?}");
}
