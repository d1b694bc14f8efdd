//! What a function is handed: a batch from SQS of EventBridge's events, or one such event by itself.

use std::borrow::Cow;

use handsoff_runtime::EnvelopeError;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One event of a payload.
#[derive(Debug)]
pub(crate) struct Event<'p> {
    /// The message's ID; `None` for an event that came by itself.
    pub(crate) id: Option<Cow<'p, str>>,
    /// The event as it came.
    pub(crate) body: Cow<'p, str>,
    /// When SQS took it, in milliseconds since 1970.
    pub(crate) arrived: Cow<'p, str>,
    /// Who put it into the queue, as SQS writes it.
    pub(crate) sender: Cow<'p, str>,
}

/// What is read of SQS's envelope. `aws_lambda_events` has types for both envelopes, which copy each field of each
/// message: a third of the time that a verdict takes.
#[derive(Deserialize)]
struct Batch<'p> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Delivered<'p>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivered<'p> {
    #[serde(borrow)]
    message_id: Option<Text<'p>>,
    #[serde(borrow)]
    body: Option<Text<'p>>,
    #[serde(borrow)]
    attributes: Option<Attributes<'p>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes<'p> {
    #[serde(borrow)]
    sent_timestamp: Option<Text<'p>>,
    #[serde(borrow)]
    sender_id: Option<Text<'p>>,
}

/// Borrowed, as `Cow` by itself never is in an `Option`.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'p>(#[serde(borrow)] Cow<'p, str>);

/// What is read of EventBridge's envelope.
#[derive(Deserialize)]
pub(crate) struct Envelope<'e> {
    #[serde(borrow)]
    detail: &'e RawValue,
    #[serde(borrow, default, rename = "detail-type")]
    kind: Option<Text<'e>>,
    #[serde(borrow, default)]
    account: Option<Text<'e>>,
    #[serde(borrow, default)]
    time: Option<Text<'e>>,
}

impl Envelope<'_> {
    /// The event's `detail`.
    pub(crate) fn detail(&self) -> &str {
        self.detail.get()
    }

    /// What else it, and the message that it came in, say.
    pub(crate) fn about<'s>(&'s self, event: &'s Event<'_>) -> handsoff_runtime::Envelope<'s> {
        handsoff_runtime::Envelope {
            kind: self.kind.as_ref().map(|Text(text)| &**text).unwrap_or_default(),
            account: self.account.as_ref().map(|Text(text)| &**text).unwrap_or_default(),
            time: self.time.as_ref().map(|Text(text)| &**text).unwrap_or_default(),
            arrived: &event.arrived,
            sender: &event.sender,
        }
    }
}

impl Event<'_> {
    /// Its envelope, or why there is none.
    pub(crate) fn envelope(&self) -> Result<Envelope<'_>, EnvelopeError> {
        let bytes = self.body.len();
        // A list of values would do for a struct, too.
        if self.body.trim_ascii_start().starts_with('[') {
            return Err(EnvelopeError::List { bytes });
        }
        let envelope = serde_json::from_str(&self.body);
        envelope.map_err(|error| EnvelopeError::Form { what: unquoted(&error), bytes })
    }
}

/// What is wrong and where, without the values that `serde_json` quotes: they go into a log, and may be secrets.
fn unquoted(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (what, place) = (text.split('"').next().unwrap_or_default(), (error.line(), error.column()));
    if what.len() == text.len() { text } else { format!("{what}… at line {} column {}", place.0, place.1) }
}

/// Cuts a payload into events.
pub(crate) fn events(payload: &RawValue) -> Vec<Event<'_>> {
    match serde_json::from_str(payload.get()) {
        Ok(Batch { records }) if records.iter().any(|message| message.message_id.is_some()) => {
            records.into_iter().map(event).collect()
        }
        _ => {
            let (arrived, sender) = (Cow::default(), Cow::default());
            vec![Event { id: None, body: payload.get().into(), arrived, sender }]
        }
    }
}

/// The event in a message.
fn event<'p>(message: Delivered<'p>) -> Event<'p> {
    let text = |text: Option<Text<'p>>| text.map(|Text(text)| text);
    let Attributes { sent_timestamp, sender_id } = message.attributes.unwrap_or_default();
    Event {
        id: text(message.message_id),
        body: text(message.body).unwrap_or_default(),
        arrived: text(sent_timestamp).unwrap_or_default(),
        sender: text(sender_id).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::sqs::{SqsEvent, SqsMessage};

    use super::*;

    type Cut = (Option<String>, Result<String, EnvelopeError>);

    fn cut(json: &str) -> Vec<Cut> {
        let payload = RawValue::from_string(json.to_owned()).unwrap();
        let owned = |event: Event<'_>| {
            let id = event.id.as_deref().map(str::to_owned);
            (id, event.envelope().map(|envelope| envelope.detail().to_owned()))
        };
        events(&payload).into_iter().map(owned).collect()
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
        assert!(events[1].1.as_ref().unwrap_err().to_string().contains("0 bytes"), "{:?}", events[1].1);
    }

    #[test]
    fn a_batch_is_what_aws_lambda_events_says_it_is() {
        let mut message = SqsMessage::default();
        message.message_id = Some("a \"quoted\" ID".to_owned());
        message.body = Some(EVENT.to_owned());
        let mut batch = SqsEvent::default();
        batch.records = vec![message.clone(), message];
        let events = cut(&serde_json::to_string(&batch).unwrap());
        let one = (Some("a \"quoted\" ID".to_owned()), Ok(r#"{"eventID":"1"}"#.to_owned()));
        assert_eq!(events, [one.clone(), one]);
    }

    #[test]
    fn who_sent_a_message_and_when_is_what_sqs_says() {
        let body = serde_json::to_string(EVENT).unwrap();
        let attributes = r#"{"SenderId":"AROAEXAMPLE:mallory","SentTimestamp":"1773453300000","Other":"x"}"#;
        let payload = format!(
            r#"{{"Records":[{{"messageId":"a","body":{body},"attributes":{attributes}}},{{"messageId":"b","body":{body}}}]}}"#
        );
        let payload = RawValue::from_string(payload).unwrap();
        let events = events(&payload);
        let about: Vec<(String, String)> = events
            .iter()
            .map(|event| {
                let envelope = event.envelope().unwrap();
                let about = envelope.about(event);
                (about.sender.to_owned(), about.arrived.to_owned())
            })
            .collect();
        let sent = ("AROAEXAMPLE:mallory".to_owned(), "1773453300000".to_owned());
        assert_eq!(about, [sent, (String::new(), String::new())]);
    }

    #[test]
    fn what_is_no_event_says_why() {
        for (payload, why) in [
            ("null", "no event of EventBridge"),
            (r#"{"Records":[]}"#, "missing field"),
            (r#"{"detail-type":"x"}"#, "missing field"),
            (r#" [{"eventID":"1"}]"#, "a list"),
            (r#""hunter2""#, "invalid type: string … at line 1 column 9"),
            (r#"{"hunter2":1,"detail-type":"x"}"#, "missing field"),
        ] {
            let events = cut(payload);
            let reason = events[0].1.as_ref().unwrap_err().to_string();
            assert!(reason.contains(why) && !reason.contains("hunter2"), "{reason}");
        }
    }
}
