//! What a function is handed: a batch from SQS of EventBridge's events, or one such event by itself.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::SqsEvent;
use serde_json::value::RawValue;

/// One event of a payload.
#[derive(Debug)]
pub(crate) struct Event {
    /// The message's ID; `None` for an event that came by itself.
    pub(crate) id: Option<String>,
    /// The event as it came.
    pub(crate) body: String,
    /// Its `detail`, or why there is none.
    pub(crate) detail: Result<Box<RawValue>, String>,
}

impl Event {
    fn new(id: Option<String>, body: String) -> Self {
        let event: Result<EventBridgeEvent<Box<RawValue>>, _> = serde_json::from_str(&body);
        let detail = event.map(|event| event.detail).map_err(|error| {
            format!("no event of EventBridge: {error} (the payload has {} bytes)", body.len())
        });
        Self { id, body, detail }
    }
}

/// Cuts a payload into events.
pub(crate) fn events(payload: &RawValue) -> Vec<Event> {
    match serde_json::from_str::<SqsEvent>(payload.get()) {
        Ok(batch) if batch.records.iter().any(|message| message.message_id.is_some()) => batch
            .records
            .into_iter()
            .map(|message| Event::new(message.message_id, message.body.unwrap_or_default()))
            .collect(),
        _ => vec![Event::new(None, payload.get().to_owned())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(json: &str) -> Vec<(Option<String>, Result<String, String>)> {
        let payload = RawValue::from_string(json.to_owned()).unwrap();
        let detail = |detail: Result<Box<RawValue>, _>| detail.map(|detail| detail.get().to_owned());
        events(&payload).into_iter().map(|event| (event.id, detail(event.detail))).collect()
    }

    const EVENT: &str = r#"{"version":"0","id":"i","detail-type":"AWS API Call via CloudTrail",
        "source":"aws.ec2","account":"111122223333","time":"2026-03-14T02:00:00Z","region":"eu-west-1",
        "resources":[],"detail":{"eventID":"1"}}"#;

    #[test]
    fn an_event_comes_by_itself_or_in_a_batch() {
        assert_eq!(cut(EVENT), [(None, Ok(r#"{"eventID":"1"}"#.to_owned()))]);
        let body = serde_json::to_string(EVENT).unwrap();
        let batch = format!(r#"{{"Records":[{{"messageId":"a","body":{body}}},{{"messageId":"b"}}]}}"#);
        let events = cut(&batch);
        assert_eq!(events[0], (Some("a".to_owned()), Ok(r#"{"eventID":"1"}"#.to_owned())));
        assert_eq!(events[1].0.as_deref(), Some("b"));
        assert!(events[1].1.as_ref().unwrap_err().contains("0 bytes"), "{:?}", events[1].1);
    }

    #[test]
    fn what_is_no_event_says_why() {
        for (payload, why) in [
            ("null", "no event of EventBridge"),
            (r#"{"Records":[]}"#, "missing field"),
            (r#"{"detail-type":"x"}"#, "missing field"),
        ] {
            let events = cut(payload);
            assert!(events[0].1.as_ref().unwrap_err().contains(why), "{events:?}");
        }
    }
}
