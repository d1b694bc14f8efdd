//! Records of roles that are assumed one by the other, with the access keys that tie them.

/// A session: its role, its name and its access key.
pub type Session = (&'static str, &'static str, &'static str);

/// The `userIdentity` of a call in a session.
pub fn session((role, name, key): Session) -> String {
    format!(
        r#"{{"type":"AssumedRole","principalId":"AROAEXAMPLE:{name}","arn":"arn:aws:sts::111122223333:assumed-role/{role}/{name}",
        "accountId":"111122223333","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"Role",
        "arn":"arn:aws:iam::111122223333:role/{role}","accountId":"111122223333","userName":"{role}"}}}}}}"#
    )
}

/// A record in the second of a minute.
pub fn record(second: u32, who: &str, action: &str, rest: &str) -> String {
    let (service, name) = action.split_once(':').unwrap();
    let reads = service == "sts";
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{who},"eventTime":"2026-03-10T02:00:{second:02}Z","eventSource":"{service}.amazonaws.com",
        "eventName":"{name}","awsRegion":"eu-central-1","sourceIPAddress":"203.0.113.5","userAgent":"aws-cli/2.15",{rest}
        "eventID":"00000000-0000-4000-8000-0000000000{second:02}","readOnly":{reads},"eventType":"AwsApiCall",
        "managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}}"#
    )
    .replace('\n', " ")
}

/// The record of a call that issued a session.
pub fn assumes(second: u32, who: &str, (role, name, key): Session) -> String {
    let rest = format!(
        r#""requestParameters":{{"roleArn":"arn:aws:iam::111122223333:role/{role}","roleSessionName":"{name}"}},
        "responseElements":{{"credentials":{{"accessKeyId":"{key}"}},
        "assumedRoleUser":{{"arn":"arn:aws:sts::111122223333:assumed-role/{role}/{name}"}}}},"#
    );
    record(second, who, "sts:AssumeRole", &rest)
}
