//! Any version reads any other's states, and writes none back with less than it read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use handsoff_cloudtrail::Time;
use handsoff_core::alert::{Milestone, Period};
use handsoff_runtime::{Document, Episode, Look, State};
use handsoff_testing::in_memory::InMemory;
use serde_json::{Value, json};

const EPISODE: Episode = Episode { incident: String::new(), period: Period::NoTime };

fn parsed(text: &Value) -> State {
    // Codes are read by name.
    handsoff_functions::detectors();
    EPISODE.parse(&InMemory::default(), &text.to_string()).unwrap()
}

fn written(state: &State) -> Value {
    serde_json::from_str(&EPISODE.text(state).unwrap()).unwrap()
}

fn pending(by: &str, text: &str, code: &str) -> Value {
    json!({"by": by, "since": 7, "hue": "red",
        "alert": {"time": null, "cause": "opened", "incident": "drift-1", "period": "no-time", "tells": ["count:10"],
            "severity": "low", "findings": 1, "subject": "s", "text": text, "hue": [1]},
        "lead": {"code": code, "severity": "low", "incident": "drift-1", "event_id": "", "event_time": null,
            "account": "", "region": "", "action": "", "access": "", "error": null,
            "principal": {"kind": "human", "arn": "", "name": "", "human": null, "hue": {}}, "via": "", "source_ip": "",
            "user_agent": "", "mfa": null, "resources": [], "reason": "", "next": ""}})
}

#[test]
fn a_state_that_is_changed_keeps_what_is_not_understood() {
    let raw = json!({"v": 9, "since": 5, "next": 3, "told": ["count:10", "hue:red", "sealing"], "look": "elsewhere",
        "pending": [pending("a", "first", "drift-write"), pending("b", "second", "hued")], "hue": {"deep": 1}});
    let mut state = parsed(&raw);
    assert_eq!(written(&state), raw, "unchanged");
    state.alerted.remove(&Milestone::Sealing);
    state.alerted.insert(Milestone::Closed);
    state.look = Look::Done;
    (state.pending[1].by, state.pending[1].since) = ("c".into(), Time::from_timestamp(8));
    let mut now = raw.clone();
    now["told"] = json!(["count:10", "closed", "hue:red"]);
    now["look"] = json!("done");
    (now["pending"][1]["by"], now["pending"][1]["since"]) = (json!("c"), json!(8));
    assert_eq!(written(&state), now);
    // The other one is sent, and marked as sent.
    state.pending.remove(0);
    now["pending"] = json!([pending("b", "second", "hued")]);
    (state.pending[0].by, state.pending[0].since) = ("b".into(), Time::from_timestamp(7));
    assert_eq!(written(&state), now);
}

#[test]
fn what_cannot_be_read_of_a_state_is_alerted_about() {
    for waits in [json!("x"), json!({}), json!({"alert": {"subject": "sub", "tells": 7}}), json!([1])] {
        let state = parsed(&json!({"since": 1, "told": [], "pending": [waits]}));
        assert_eq!(state.pending.len(), 1, "{waits}");
        assert!(state.pending[0].alert.text.contains("a form that this version doesn't understand"));
        assert!(state.is_open());
    }
    assert_eq!(
        parsed(&json!({"pending": [{"alert": {"subject": "sub"}}], "since": 1, "told": []})).pending[0]
            .alert
            .subject,
        "sub"
    );
    // Of what is no state at all nothing counts as reported.
    assert!(parsed(&json!([1])).alerted.is_empty() && parsed(&json!("no")).is_open());
}
