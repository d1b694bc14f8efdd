use handsoff_trail::{Entry, Record};

use super::*;
use crate::alert::{self, Known, Milestone};
use crate::{Call, Code, Incident, Policy};

fn hostile() -> (Alert, Finding) {
    let json = r#"{"eventID":"1","eventTime":"2026-03-14T02:00:00Z","eventSource":"ec2.amazonaws.com",
        "eventName":"RunInstances","awsRegion":"eu-west-1","recipientAccountId":"111122223333",
        "sourceIPAddress":"<!channel> http://evil.example/",
        "userAgent":"`*<https://evil.example|click>*`",
        "requestParameters":{"instanceId":"<!here> *x* `y` & https://evil.example/a"},
        "userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/r/<!channel>`*_~",
        "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/r","userName":"r"}}}}"#;
    let (Entry::Record(record), _) = Record::read(json).unwrap() else { panic!("a record") };
    let policy = Policy::built_in();
    let call = Call::classify(record, &policy, &mut ());
    let reason = "Somebody <!channel> `x` did it.".to_owned();
    let finding = Finding::new(&call, Code::DriftWrite, Severity::High, reason);
    let mut incident = Incident::new(finding.incident.clone());
    incident.add(finding.clone());
    (alert::schedule(&incident, &policy.alerts, &Known::default()).remove(0), finding)
}

#[test]
fn nothing_that_a_caller_chose_works_in_a_chat() {
    let (alert, finding) = hostile();
    let chat: Value = serde_json::from_str(&Message::new(&alert, &finding).chat).unwrap();
    let content = &chat["content"];
    let title = content["title"].as_str().unwrap();
    let description = content["description"].as_str().unwrap();
    for text in [title, description, chat["metadata"]["summary"].as_str().unwrap()] {
        assert!(!text.contains(['<', '>']) && !text.contains("://"), "{text}");
        assert!(text.contains("&lt;!channel&gt;"), "{text}");
    }
    for line in description.lines() {
        assert_eq!(line.matches('`').count(), 2, "a value ends where its line ends: {line}");
        assert!(line.ends_with('`'), "{line}");
    }
    assert!(!title.contains(['*', '`', '_', '~', '|']), "{title}");
}

#[test]
fn a_mail_has_no_links() {
    let (alert, finding) = hostile();
    let message = Message::new(&alert, &finding);
    assert!(!message.email.contains("://"), "{}", message.email);
    assert!(message.email.contains("[:]//evil.example"), "{}", message.email);
    assert!(message.subject.len() <= 100 && message.subject.is_ascii());
}

#[test]
fn a_chat_message_keeps_within_its_limits() {
    let (mut alert, mut finding) = hostile();
    alert.subject = "&".repeat(400);
    alert.text = format!("t\n\n{}", "why      <\n".repeat(4000));
    finding.next = "&".repeat(400).into();
    let chat: Value = serde_json::from_str(&Message::new(&alert, &finding).chat).unwrap();
    let length = |value: &Value| value.as_str().unwrap().chars().count();
    assert_eq!(length(&chat["content"]["title"]), 250);
    assert_eq!(length(&chat["content"]["description"]), 8000);
    assert_eq!(length(&chat["content"]["nextSteps"][0]), 350);
}

#[test]
fn programs_get_the_whole_finding_and_what_the_alert_tells() {
    let (alert, finding) = hostile();
    let message = Message::new(&alert, &finding);
    let ocsf: Value = serde_json::from_str(&message.json).unwrap();
    assert_eq!((&ocsf["type_uid"], &ocsf["severity_id"]), (&json!(200_401), &json!(4)));
    assert_eq!(ocsf["time"], json!(1_773_453_600_000_i64));
    let own = &ocsf["unmapped"]["handsoff"];
    let told: Alert = serde_json::from_value(own["alert"].clone()).unwrap();
    assert_eq!(
        told.tells,
        [Milestone::Severity(Severity::Medium), Milestone::Severity(Severity::High)].into()
    );
    assert_eq!(own["finding"], serde_json::to_value(&finding).unwrap());
    let names: Vec<&str> = message.attributes.keys().copied().collect();
    assert_eq!(names, ["account", "cause", "code", "incident", "region", "severity"]);
}

#[test]
fn the_longest_finding_fits_into_one_message() {
    let (mut alert, mut finding) = hostile();
    // What `clean` makes of the longest values that are all escapes.
    let worst = |longest: usize| crate::show::clean(&"\u{e0041}\"".repeat(longest), longest);
    finding.resources = vec![worst(256); 8];
    finding.principal.arn = worst(256);
    finding.principal.name = worst(128);
    finding.principal.human = Some(worst(128));
    finding.user_agent = worst(160);
    finding.action = worst(128);
    finding.reason = worst(512);
    (finding.event_id, finding.via, finding.source_ip) = (worst(64), worst(64), worst(64));
    alert.text =
        format!("t\n\nwho      {}\nto       {}", finding.principal.arn, finding.resources.join(", "));
    let Message { subject, email, chat, json, .. } = Message::new(&alert, &finding);
    let structure = serde_json::json!({
        "default": email, "email": email, "email-json": json, "sms": subject, "https": chat, "http": json,
        "sqs": json, "lambda": json, "firehose": json,
    });
    assert!(structure.to_string().len() < 250_000, "{}", structure.to_string().len());
    assert!(serde_json::from_str::<Value>(&json).is_ok());
}
