use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::Trace;

use super::*;
use handsoff_core::Code;
use handsoff_core::alert::{self, Known, Milestone};
use handsoff_core::{Call, Incident, Policy};

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
    let call = Call::classify(record, &policy, &mut Trace::off());
    let reason = "Somebody <!channel> `x` did it.".to_owned();
    let finding = Finding::new(&call, handsoff_drift::codes::DRIFT_WRITE, Severity::High, reason);
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

/// The finding with another code, or the verdict that it is the first finding for.
fn with_code(finding: Finding, code: Code) -> Reported {
    if code.is_about_session() {
        SessionVerdict::on(&finding, "root", code, finding.severity, finding.reason.clone()).into()
    } else {
        Finding { code, ..finding }.into()
    }
}

#[test]
fn a_subject_is_cut_in_what_a_caller_chose_and_never_in_the_account() {
    for (code, name) in [
        (handsoff_drift::codes::DRIFT_WRITE, "x".repeat(128)),
        (handsoff_case::codes::GLASS_SELF_APPROVED, "é".repeat(90)),
    ] {
        for longest in [name.len(), 20, 1] {
            let (_, mut finding) = hostile();
            finding.principal.name = name.chars().take(longest).collect();
            let mut incident = Incident::new(finding.incident.clone());
            incident.add(with_code(finding, code));
            let policy = Policy::built_in();
            let alert = alert::schedule(&incident, &policy.alerts, &Known::default()).remove(0);
            let subject = &alert.subject;
            assert!(subject.starts_with("111122223333 "), "{subject}");
            assert!(subject.len() < 100 && subject.is_ascii(), "{subject}");
            assert!(subject.contains("...") || longest <= 20, "{subject}");
            assert!(subject.ends_with(", ec2:RunInstances") || code.is_about_session(), "{subject}");
        }
    }
}

#[test]
fn a_verdict_on_a_session_has_no_call_in_any_form() {
    for (code, when) in [
        (handsoff_case::codes::GLASS_CLOSED, "when     session ended 2026-03-14T02:00:00Z"),
        (handsoff_case::codes::GLASS_UNAPPROVED, "when     session since 2026-03-14T02:00:00Z"),
        (handsoff_case::codes::GLASS_DRILL_DUE, "when     due since 2026-03-14T02:00:00Z"),
    ] {
        let (_, of) = hostile();
        let finding = with_code(Finding { incident: "glass-1".into(), ..of }, code);
        let mut incident = Incident::new("glass-1".into());
        incident.add(finding.clone());
        let alert = alert::schedule(&incident, &Policy::built_in().alerts, &Known::default()).remove(0);
        assert!(alert.text.contains(when) && !alert.text.contains("\ndid "), "{}", alert.text);
        assert!(!alert.subject.contains(", "), "{}", alert.subject);
        let message = Message::new(&alert, &finding);
        fits(&message);
        let ocsf: Value = serde_json::from_str(&message.json).unwrap();
        assert_eq!(schema::wrong(&ocsf), [""; 0], "{code}");
        assert!(ocsf.get("api").is_none() && ocsf["metadata"].get("uid").is_none(), "{ocsf}");
        assert!(!Message::reduced(&alert, &finding).email.contains("event history"), "{code}");
    }
}

#[test]
fn a_mail_has_no_links() {
    let (alert, finding) = hostile();
    let message = Message::new(&alert, &finding);
    assert!(!message.email.contains("://"), "{}", message.email);
    assert!(message.email.contains("[:]//evil.example"), "{}", message.email);
    assert!(message.subject.len() < 100 && message.subject.is_ascii());
}

/// An alert on an event whose ID is as CloudTrail's are.
fn linked() -> (Alert, Finding) {
    let (_, mut finding) = hostile();
    finding.event_id = "18385b4b-659b-4a85-a734-3de08ddd96b8".into();
    let mut incident = Incident::new(finding.incident.clone());
    incident.add(finding.clone());
    let policy = Policy::built_in();
    (alert::schedule(&incident, &policy.alerts, &Known::default()).remove(0), finding)
}

#[test]
fn mail_and_chat_name_the_event_and_link_to_it_and_to_nothing_else() {
    let (alert, finding) = linked();
    let message = Message::new(&alert, &finding);
    let link = "https://eu-west-1.console.aws.amazon.com/cloudtrailv2/home?region=eu-west-1#/events/\
                18385b4b-659b-4a85-a734-3de08ddd96b8";
    let chat: Value = serde_json::from_str(&message.chat).unwrap();
    let description = chat["content"]["description"].as_str().unwrap();
    assert!(message.email.lines().any(|line| line == format!("link     {link}")), "{}", message.email);
    assert!(description.lines().any(|line| line == format!("*link* {link}")), "{description}");
    for text in [&message.email, description] {
        assert_eq!(text.matches("://").count(), 1, "{text}");
        for said in ["18385b4b-659b-4a85-a734-3de08ddd96b8", "2026-03-14T02:00:00Z", "evil.example|click"] {
            assert!(text.contains(said), "{said}: {text}");
        }
    }
    let own = |name: &str| {
        let json: Value = serde_json::from_str(&message.json).unwrap();
        json["unmapped"]["handsoff"]["alert"][name].clone()
    };
    assert_eq!((own("link"), own("event_time")), (json!(link), json!("2026-03-14T02:00:00Z")));
}

#[test]
fn what_to_do_next_stands_in_a_message_once_and_no_line_begins_with_a_blank() {
    let (mut alert, finding) = hostile();
    for subject in [alert.subject.clone(), alert.subject.split_once(' ').unwrap().1.to_owned()] {
        alert.subject = subject;
        let message = Message::new(&alert, &finding);
        let sentence = finding.next.split('.').next().unwrap();
        for text in [&message.email, &message.chat] {
            assert_eq!(text.matches(sentence).count(), 1, "{text}");
        }
        let chat: Value = serde_json::from_str(&message.chat).unwrap();
        let content = &chat["content"];
        for text in [&content["title"], &content["description"], &chat["metadata"]["summary"]] {
            let text = text.as_str().unwrap();
            assert!(text.lines().all(|line| !line.is_empty() && !line.starts_with(' ')), "{text}");
        }
    }
}

#[test]
fn a_chat_message_keeps_within_its_limits() {
    let (mut alert, mut finding) = hostile();
    alert.subject = "&".repeat(400);
    alert.text = format!("t\n\n{}", "why      <\n".repeat(1200));
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

/// The limits of one publish, in SNS's words.
fn fits(message: &Message) {
    let Message { subject, .. } = message;
    assert!((1..100).contains(&subject.len()), "{}: {subject}", subject.len());
    assert!(subject.chars().all(|char| char == ' ' || char.is_ascii_graphic()), "{subject}");
    assert!(subject.starts_with(|char: char| char.is_ascii_graphic()), "{subject}");
    let attributes: usize =
        message.attributes.iter().map(|(name, value)| name.len() + value.len() + "String".len()).sum();
    let all = message.structure().len() + subject.len() + attributes;
    assert_eq!(all, message.size());
    assert!(all <= 262_144, "{all}");
    let texts: Value = serde_json::from_str(&message.structure()).unwrap();
    for (protocol, text) in texts.as_object().unwrap() {
        assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{protocol}");
    }
    assert!(serde_json::from_str::<Value>(&message.json).is_ok());
    assert!(serde_json::from_str::<Value>(&message.chat).is_ok());
    assert!(message.attributes.values().all(|value| !value.is_empty()));
}

/// What JSON has to escape, twice in the JSON for programs; characters of four bytes; what is made visible.
const WORST: [&str; 6] = ["\"", "\\", "\u{1f480}", "\u{e0041}\"", "\u{1f480}\\\"", "\u{fffe}\u{0}\n\r"];

#[test]
fn what_programs_get_is_as_ocsfs_own_schema_says() {
    let (alert, finding) = hostile();
    let ocsf = |alert: &Alert, finding: &Finding| -> Value {
        serde_json::from_str(&Message::new(alert, finding).json).unwrap()
    };
    let nothing: [&str; 0] = [];
    let mut checked = 0;
    for severity in Severity::ALL.iter().copied() {
        for cause in [Cause::Opened, Cause::Worse, Cause::More, Cause::Closed, Cause::Summary] {
            for (time, ip, error) in [
                (finding.time, "198.51.100.7", None),
                (finding.time, "2001:db8::1", Some("AccessDenied".to_owned())),
                // A record may say neither when nor from where, nor what.
                (None, "cloudformation.amazonaws.com", None),
                (None, "", None),
            ] {
                let mut lead = Finding { time, error, source_ip: ip.into(), ..finding.clone() };
                if time.is_none() {
                    lead.resources.clear();
                    (lead.event_time, lead.event_id, lead.action) = (None, String::new(), "s3:".into());
                }
                let mut alert = Alert { cause, severity, ..alert.clone() };
                if ip.is_empty() {
                    (alert.at, alert.time) = (None, None);
                }
                assert_eq!(schema::wrong(&ocsf(&alert, &lead)), nothing);
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 100);
}

#[test]
fn the_schema_says_what_is_wrong() {
    let (alert, finding) = hostile();
    let right: Value = serde_json::from_str(&Message::new(&alert, &finding).json).unwrap();
    for (place, value, why) in [
        ("/time", Value::Null, "event.time: null"),
        ("/severity_id", json!(7), "event.severity_id: 7"),
        ("/src_endpoint", json!({"ip": "192.0.2.1"}), "event.src_endpoint: the schema has no such"),
        ("/actor", json!({"user": {"name": "x"}}), "event.actor: of a profile that"),
        ("/evidences/0/src_endpoint", json!({"ip": "x"}), "event.evidences.src_endpoint.ip: \"x\""),
        ("/cloud/provider", json!(1), "event.cloud.provider: 1"),
        ("/resources", json!([{}]), "event.resources: at least one of"),
        ("/metadata/product", json!({"name": "x"}), "event.metadata.product.vendor_name: required"),
        ("/metadata/version", json!("1.4.0"), "metadata.version: another"),
    ] {
        let mut event = right.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[name] = value;
        let wrong = schema::wrong(&event);
        assert!(wrong.len() == 1 && wrong[0].starts_with(why), "{place}: {wrong:?}");
    }
}

#[test]
fn the_longest_finding_fits_into_one_message() {
    for text in WORST {
        let (mut alert, mut finding) = hostile();
        // What `clean` makes of the longest values.
        let worst = |longest: usize| handsoff_core::show::clean(&text.repeat(longest), longest);
        finding.resources = vec![worst(256); 8];
        finding.principal.arn = worst(256);
        finding.principal.name = worst(128);
        finding.principal.human = Some(worst(128));
        (finding.user_agent, finding.action, finding.reason) = (worst(160), worst(128), worst(512));
        (finding.event_id, finding.via, finding.source_ip) = (worst(64), worst(64), worst(64));
        (finding.error, finding.account, finding.region) = (Some(worst(64)), worst(32), worst(32));
        // A session's notes stand in the text, however many there are.
        let note = |n: usize| format!("note {n:<4}{}", worst(512));
        for notes in [0, 8, 100, 1000] {
            let notes: Vec<String> = (0..notes).map(note).collect();
            alert.text = format!("t\n\nwho      {}\n{}", finding.principal.arn, notes.join("\n"));
            alert.subject = alert::subject(alert.cause, alert.severity, (&finding).into(), None);
            fits(&Message::new(&alert, &finding));
            fits(&Message::reduced(&alert, &finding));
        }
    }
}

#[test]
fn a_record_of_the_longest_values_fits_into_one_message() {
    for text in WORST {
        // As far as CloudTrail's 256 KB go: in JSON each character takes up to twelve bytes.
        let value = |longest: usize| serde_json::to_string(&text.repeat(longest)).unwrap();
        let (name, long) = (value(200), value(1024));
        let many = (0..40).map(|n| format!(r#""instanceId{n}":{long}"#)).collect::<Vec<_>>().join(",");
        let json = format!(
            r#"{{"eventID":{name},"eventTime":"2026-03-14T02:00:00Z","eventSource":"ec2.amazonaws.com",
            "eventName":"RunInstances","awsRegion":{name},"recipientAccountId":{name},"errorMessage":{long},
            "sourceIPAddress":{name},"userAgent":{long},"requestParameters":{{"instanceId":{long},{many}}},
            "resources":[{{"ARN":{long}}},{{"ARN":{long}}}],
            "userIdentity":{{"type":"AssumedRole","principalId":{name},"arn":{long},"accountId":{name},
            "userName":{long},"sessionContext":{{"sourceIdentity":{name},
            "sessionIssuer":{{"arn":{long},"userName":{name}}}}}}}}}"#
        );
        let (Entry::Record(record), _) = Record::read(&json).unwrap() else { panic!("a record") };
        let policy = Policy::built_in();
        let call = Call::classify(record, &policy, &mut Trace::off());
        let finding = Finding::new(
            &call,
            handsoff_drift::codes::DRIFT_WRITE,
            Severity::High,
            "Somebody did it.".into(),
        );
        let mut incident = Incident::new(finding.incident.clone());
        incident.add(finding.clone());
        let alerts = alert::schedule(&incident, &policy.alerts, &Known::default());
        assert!(!alerts.is_empty());
        for alert in alerts {
            fits(&Message::new(&alert, &finding));
        }
    }
}

#[test]
fn a_reduced_message_has_nothing_of_the_caller_and_says_where_to_look() {
    let (alert, finding) = hostile();
    let message = Message::reduced(&alert, &finding);
    fits(&message);
    let structure = message.structure();
    assert!(structure.is_ascii());
    for chosen in ["evil", "channel", "here"] {
        assert!(Message::new(&alert, &finding).structure().contains(chosen), "{chosen}");
        assert!(!structure.replace("where", "").contains(chosen), "{chosen}: {structure}");
    }
    for text in [&message.email, &message.chat, &message.json] {
        for said in ["high", "drift-write", "111122223333", "eu-west-1", &alert.incident] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(text.contains("event history"), "{text}");
    }
    assert_eq!(message.attributes, Message::new(&alert, &finding).attributes);
    let ocsf: Value = serde_json::from_str(&message.json).unwrap();
    let told: Alert = serde_json::from_value(ocsf["unmapped"]["handsoff"]["alert"].clone()).unwrap();
    assert_eq!(told.tells, alert.tells);
}
