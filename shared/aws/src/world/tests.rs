//! The adapters against a service that answers what AWS's pages say it answers.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
use handsoff_core::Policy;
use handsoff_runtime::{Archive, Lease, Memory};

use super::*;

/// Answers one request after the other, and counts them. Nobody waits for those that never come.
fn answering(answers: Vec<(u16, String)>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    std::thread::spawn(move || {
        listener.set_nonblocking(false).unwrap();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut bytes) = (Vec::new(), [0; 4096]);
            loop {
                let read = stream.read(&mut bytes).unwrap();
                request.extend_from_slice(&bytes[..read]);
                let text = String::from_utf8_lossy(&request).to_lowercase();
                let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if read == 0 || rest.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                    break;
                }
            }
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close", body.len());
            count.fetch_add(1, Ordering::SeqCst);
            stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
        }
    });
    (url, served)
}

fn aws() -> Aws {
    let settings = Settings {
        policy: Policy::built_in(),
        table: "handsoff".into(),
        topic: "arn:aws:sns:eu-central-1:111122223333:handsoff".into(),
        cases: Some("cases".into()),
        dead_letters: None,
        keep: TimeDelta::seconds(1),
        lease: Lease(TimeDelta::seconds(90)),
        lookup_pace: Duration::from_millis(1),
    };
    Aws::new(&settings, "handsoff-test", None)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "secret", None, None, "test")
}

fn published(status: u16, code: &str, why: &str) -> Result<Published, RuntimeError> {
    let error = format!("<Type>Sender</Type><Code>{code}</Code><Message>{why}</Message>");
    let refused = format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>");
    let taken = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    let (url, served) = answering(vec![(status, if status == 200 { taken.to_owned() } else { refused })]);
    let aws = aws();
    let config = aws_sdk_sns::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .endpoint_url(url);
    aws.sns.set(aws_sdk_sns::Client::from_conf(config.build())).unwrap();
    let text = || "text".to_owned();
    let message = Message {
        subject: text(),
        email: text(),
        chat: text(),
        json: text(),
        attributes: BTreeMap::from([("severity", "high".to_owned())]),
    };
    let answer = run(aws.publish(&message));
    assert_eq!(served.load(Ordering::SeqCst), 1);
    answer
}

#[test]
fn sns_refuses_for_form_or_fails() {
    assert_eq!(published(200, "", ""), Ok(Published::Taken));
    for (status, code, why) in [
        (400, "InvalidParameter", "Invalid parameter: Subject"),
        (400, "InvalidParameter", "Invalid parameter: Message too long"),
        (400, "InvalidParameter", "Invalid parameter: Message Reason: TopicArn"),
        (400, "InvalidParameterException", "m"),
        (400, "ParameterValueInvalid", "m"),
        (400, "ValidationError", "m"),
        (400, "ValidationException", "m"),
        (413, "RequestEntityTooLarge", "m"),
    ] {
        let answer = published(status, code, why);
        let refused = matches!(&answer, Ok(Published::Refused(why)) if why.what() == "SNS Publish");
        assert!(refused, "{code}: {why}: {answer:?}");
    }
    for (status, code, why) in [
        (400, "InvalidParameter", "Invalid parameter: TopicArn"),
        (400, "InvalidParameter", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements"),
        (400, "InvalidParameter", "Invalid parameter: Topic Name"),
        (400, "Throttled", "m"),
        (400, "Throttling", "m"),
        (404, "NotFound", "m"),
        (403, "AuthorizationError", "m"),
        (403, "AccessDenied", "m"),
        (400, "KMSAccessDenied", "m"),
        (400, "KMSDisabled", "m"),
        (400, "KMSInvalidState", "m"),
        (400, "KMSThrottling", "m"),
        (403, "InvalidSecurity", "m"),
        (400, "ExpiredToken", "m"),
        (500, "InternalError", "m"),
    ] {
        assert!(published(status, code, why).is_err(), "{code} may be over the next time: {why}");
    }
}

fn stored(answers: &[(u16, &str)]) -> (Result<(), RuntimeError>, usize) {
    let body = |code: &str| match code {
        "" => String::new(),
        _ => format!("<Error><Code>{code}</Code><Message>m</Message></Error>"),
    };
    let (url, served) = answering(answers.iter().map(|(status, code)| (*status, body(code))).collect());
    let aws = aws();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .force_path_style(true)
        .endpoint_url(url);
    aws.s3.set(aws_sdk_s3::Client::from_conf(config.build())).unwrap();
    let answer = run(aws.store("cases/a.json", "{}"));
    (answer, served.load(Ordering::SeqCst))
}

#[test]
fn a_file_that_two_store_at_once_is_stored_again_and_not_for_ever() {
    let conflict = (409, "ConditionalRequestConflict");
    assert_eq!(stored(&[conflict, conflict, (200, "")]), (Ok(()), 3));
    // What came in between is there: that is what was wanted.
    assert_eq!(stored(&[conflict, (412, "PreconditionFailed")]), (Ok(()), 2));
    let (answer, tries) = stored(&[conflict; 6]);
    let why = answer.unwrap_err().to_string();
    assert!(why.contains("ConditionalRequestConflict") && tries == 6, "{tries}: {why}");
    assert_eq!(stored(&[(409, "OperationAborted")]).1, 1, "another conflict is another matter");
}

fn put(status: u16, answer: &str) -> Result<bool, RuntimeError> {
    let (url, served) = answering(vec![(status, answer.to_owned())]);
    let aws = aws();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .endpoint_url(url);
    aws.dynamodb.set(aws_sdk_dynamodb::Client::from_conf(config.build())).unwrap();
    let answer = run(aws.put("drift-0", "mark#1", "{}"));
    assert_eq!(served.load(Ordering::SeqCst), 1);
    answer
}

/// A newer version's observation stays: it isn't new, and nothing has failed.
#[test]
fn an_observation_of_a_newer_version_is_not_written_over() {
    assert_eq!(put(200, "{}"), Ok(true));
    assert_eq!(put(200, r#"{"Attributes":{"pk":{"S":"drift-0"}}}"#), Ok(false));
    let refused =
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"m"}"#;
    assert_eq!(put(400, refused), Ok(false));
    let failed = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"m"}"#;
    assert!(put(400, failed).is_err());
}

#[test]
fn an_invocation_has_as_much_time_as_lambda_says() {
    let aws = aws();
    assert_eq!(aws.left(), Duration::MAX, "nothing has begun");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    aws.begin(u64::try_from((now + Duration::from_mins(1)).as_millis()).unwrap());
    assert!(aws.left() <= Duration::from_mins(1) && aws.left() > Duration::from_secs(50), "{:?}", aws.left());
    aws.begin(u64::try_from(now.as_millis()).unwrap() - 1);
    assert_eq!(aws.left(), Duration::ZERO);
}
