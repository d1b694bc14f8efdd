//! Deploys by the sample policies' pipelines, as CloudTrail records them: how the session begins, and then its calls. The same
//! seed gives the same.

mod calls;
mod roles;

use fastrand::Rng;
use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_testing::records::{ACCOUNT, RecordBuilder, record};

pub use roles::{ROLES, Role};

/// How a role's sessions begin.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// By a web identity: its provider, and its subject there.
    Web(&'static str, &'static str),
    /// A service assumes it, and makes all calls.
    Service(&'static str),
    /// A service assumes it, and gives it to what it runs.
    Runner(&'static str),
    /// A session of another role of the account assumes it.
    Chain(&'static str),
    /// A role of another account assumes it, and CloudFormation makes the calls.
    Account(&'static str),
    /// An instance has it.
    Instance,
}

/// What is wrong with a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Another subject, service or role begins the session.
    Caller,
    /// Another account does.
    Account,
    /// The session is named as a person.
    Name,
    /// The calls are a browser's.
    Agent,
    /// The session used MFA.
    Mfa,
    /// It makes an access key.
    Key,
    /// It lets another account assume a role.
    Trust,
    /// It opens a shell.
    Shell,
}

impl Wrong {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Caller,
        Self::Account,
        Self::Name,
        Self::Agent,
        Self::Mfa,
        Self::Key,
        Self::Trust,
        Self::Shell,
    ];
}

/// One deploy: the records of the session's beginning and of its calls.
#[derive(Debug)]
pub struct Deploy {
    /// The call that began the session.
    pub begin: String,
    /// The session's calls.
    pub calls: Vec<String>,
}

const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0";
const STRANGER: &str = "999988887777";
/// The first of a role's deploys.
const FIRST: &str = "2026-01-05T06:00:00Z";
/// So long after a deploy is the next.
const MINUTES: i64 = 17;

/// The deploy of a role with this number, or the same with one thing wrong.
///
/// # Panics
/// Never: the first time is one.
pub fn deploy(role: &Role, number: u64, wrong: Option<Wrong>) -> Deploy {
    let place = ROLES.iter().position(|it| std::ptr::eq(it, role)).unwrap_or_default() as u64;
    let mut rng = Rng::with_seed(number.wrapping_mul(1000).wrapping_add(place));
    let name = match wrong {
        Some(Wrong::Name) => "mira.okafor@example.com".to_owned(),
        _ => fill(role.session, &mut rng),
    };
    let began = began(number);
    let scene = Scene { role, wrong, name, began, key: fill("ASIA{H}{H}", &mut rng), place, number };
    Deploy { begin: scene.begin(&mut rng), calls: scene.calls(&mut rng) }
}

/// How the session of the runner began that assumes the role for the deploy of this number, if one does.
pub fn runner(role: &Role, number: u64) -> Option<String> {
    let Way::Chain(by) = role.way else { return None };
    let place = ROLES.iter().position(|it| it.name == by)?;
    let role = ROLES.get(place)?;
    let (name, key, place) = (RUNNER.to_owned(), RUNNER_KEY.to_owned(), place as u64);
    let scene = Scene { role, wrong: None, name, began: began(number), key, place, number };
    Some(scene.begin(&mut Rng::with_seed(number)))
}

fn began(number: u64) -> Time {
    Time::parse(FIRST).unwrap() + TimeDelta::minutes(MINUTES) * i32::try_from(number).unwrap()
}

/// The session of a runner that assumes other roles, and its access key.
const RUNNER: &str = "GitHubActions";
const RUNNER_KEY: &str = "ASIAEXAMPLERUNNER001";

struct Scene<'r> {
    role: &'r Role,
    wrong: Option<Wrong>,
    name: String,
    began: Time,
    key: String,
    place: u64,
    number: u64,
}

/// What AWS writes into the records of a session that began so.
fn marks(way: Way) -> String {
    match way {
        Way::Web(provider, _) => format!(
            r#","webIdFederationData":{{"federatedProvider":"arn:aws:iam::{ACCOUNT}:oidc-provider/{provider}","attributes":{{}}}}"#
        ),
        Way::Instance => r#","ec2RoleDelivery":"2.0""#.into(),
        _ => String::new(),
    }
}

impl Scene<'_> {
    fn record(&self, action: &str, identity: &str, at: i64) -> RecordBuilder {
        let id = format!("{:08x}-0000-4000-8000-{:06x}{at:06x}", self.number, self.place);
        record(action, identity).id(id).at(self.began + TimeDelta::seconds(at))
    }

    /// Who begins the session: the action, the identity, the address, and the program.
    fn caller(&self, rng: &mut Rng) -> (&'static str, String, String, String) {
        let runner = (self.address(rng), self.agent(rng));
        let service = |name: &str| {
            let identity = format!(r#"{{"type":"AWSService","invokedBy":"{name}.amazonaws.com"}}"#);
            let host = format!("{name}.amazonaws.com");
            ("sts:AssumeRole", identity, host.clone(), host)
        };
        let account = |id: &str, rng: &mut Rng| {
            // Some have the service that the account acted through.
            let by = if rng.bool() { r#","invokedBy":"cloudformation.amazonaws.com""# } else { "" };
            let id = format!(
                r#"{{"type":"AWSAccount","principalId":"AROA{}:x","accountId":"{id}"{by}}}"#,
                fill("{H}{H}", rng)
            );
            (
                "sts:AssumeRole",
                id,
                "cloudformation.amazonaws.com".into(),
                "cloudformation.amazonaws.com".into(),
            )
        };
        let web = |provider: &str, subject: &str| {
            let arn = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{provider}");
            let identity = format!(
                r#"{{"type":"WebIdentityUser","principalId":"{arn}:sts.amazonaws.com:{subject}","userName":"{subject}","identityProvider":"{arn}"}}"#
            );
            ("sts:AssumeRoleWithWebIdentity", identity, runner.0.clone(), runner.1.clone())
        };
        let chain = |role: &str| {
            let way = ROLES.iter().find(|it| it.name == role).map(|it| it.way);
            let marks = way.map(marks).unwrap_or_default();
            let identity = session(role, RUNNER, RUNNER_KEY, self.began, &marks);
            ("sts:AssumeRole", identity, runner.0.clone(), runner.1.clone())
        };
        match (self.role.way, self.wrong) {
            (_, Some(Wrong::Account)) => account(STRANGER, rng),
            (Way::Web(provider, subject), Some(Wrong::Caller)) => web(provider, &format!("{subject}-other")),
            (Way::Web(provider, subject), _) => web(provider, subject),
            (Way::Service(_) | Way::Runner(_) | Way::Instance, Some(Wrong::Caller)) => service("lambda"),
            (Way::Service(name) | Way::Runner(name), _) => service(name),
            (Way::Instance, _) => service("ec2"),
            (Way::Chain(_) | Way::Account(_), Some(Wrong::Caller)) => chain("developer"),
            (Way::Chain(role), _) => chain(role),
            (Way::Account(id), _) => account(id, rng),
        }
    }

    fn begin(&self, rng: &mut Rng) -> String {
        let (action, identity, address, agent) = self.caller(rng);
        let (role, name) = (self.role.name, &self.name);
        let rest = format!(
            r#","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"eventCategory":"Management","requestParameters":{{"roleArn":"arn:aws:iam::{ACCOUNT}:role/{role}","roleSessionName":"{name}","durationSeconds":3600}},"responseElements":{{"credentials":{{"accessKeyId":"{}","expiration":"Jan 5, 2027, 1:30:04 AM"}},"assumedRoleUser":{{"assumedRoleId":"AROAEXAMPLE:{name}","arn":"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"}}}},"resources":[{{"accountId":"{ACCOUNT}","type":"AWS::IAM::Role","ARN":"arn:aws:iam::{ACCOUNT}:role/{role}"}}]"#,
            self.key
        );
        self.record(action, &identity, 0).from(&address, &agent).with(&rest).to_string()
    }

    /// The service that makes the calls.
    fn service(&self) -> Option<&'static str> {
        match self.role.way {
            Way::Service(name) => Some(name),
            Way::Account(_) => Some("cloudformation"),
            _ => None,
        }
    }

    fn identity(&self) -> String {
        let mfa = self.wrong == Some(Wrong::Mfa);
        let identity = session(self.role.name, &self.name, &self.key, self.began, &marks(self.role.way));
        let identity =
            identity.replace(r#""mfaAuthenticated":"false""#, &format!(r#""mfaAuthenticated":"{mfa}""#));
        match self.service() {
            Some(name) => {
                let by = format!(r#""invokedBy":"{name}.amazonaws.com","sessionContext""#);
                identity.replacen(r#""sessionContext""#, &by, 1)
            }
            None => identity,
        }
    }

    fn address(&self, rng: &mut Rng) -> String {
        let one = self.role.addresses[rng.usize(..self.role.addresses.len())];
        one.replace('%', &rng.u8(1..255).to_string())
    }

    fn agent(&self, rng: &mut Rng) -> String {
        self.role.agents[rng.usize(..self.role.agents.len())].to_owned()
    }

    fn calls(&self, rng: &mut Rng) -> Vec<String> {
        let identity = self.identity();
        let host = self.service().map(|name| format!("{name}.amazonaws.com"));
        let (address, agent) =
            host.map_or_else(|| (self.address(rng), self.agent(rng)), |host| (host.clone(), host));
        let agent = if self.wrong == Some(Wrong::Agent) { BROWSER.to_owned() } else { agent };
        let count = rng.i64(5..=40);
        let (slip, odd) = (rng.u8(..40) == 0, rng.i64(1..=count));
        let mut at = 0;
        let mut calls = Vec::new();
        for number in 1..=count {
            at += rng.i64(1..9);
            let reads = self.role.writes.is_empty() || rng.u8(..3) == 0;
            let list = if reads { self.role.reads } else { self.role.writes };
            let (action, asked) = list[rng.usize(..list.len())];
            let error = match (reads, rng.u8(..12)) {
                // A read that the pipeline lacks a permission for is no spike.
                (true, _) if slip && number == odd => {
                    r#","errorCode":"AccessDenied","errorMessage":"Access denied""#
                }
                (true, 0) => r#","errorCode":"ResourceNotFoundException","errorMessage":"not found""#,
                _ => "",
            };
            let (action, asked, reads) = match self.wrong.filter(|_| number == odd).and_then(calls::wrong) {
                Some((action, asked)) => (action, asked, false),
                None => (action, asked, reads),
            };
            let rest = format!(
                r#","readOnly":{reads},"eventType":"AwsApiCall","managementEvent":true,"eventCategory":"Management","requestParameters":{}{}"#,
                fill(asked, rng),
                if reads { error } else { "" }
            );
            calls.push(self.record(action, &identity, at).from(&address, &agent).with(&rest).to_string());
        }
        calls
    }
}

/// The identity of a role's session, with more of its context.
fn session(role: &str, name: &str, key: &str, began: Time, context: &str) -> String {
    format!(
        r#"{{"type":"AssumedRole","principalId":"AROAEXAMPLE:{name}","arn":"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}","accountId":"{ACCOUNT}","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::{ACCOUNT}:role/{role}","accountId":"{ACCOUNT}","userName":"{role}"}},"attributes":{{"creationDate":"{began}","mfaAuthenticated":"false"}}{context}}}}}"#
    )
}

/// The names of what a team deploys.
const NAMES: [&str; 8] = [
    "orders-api",
    "checkout",
    "billing-worker",
    "catalog",
    "search-index",
    "mail-sender",
    "web-front",
    "reports",
];

/// A template with its places filled: `%%` two digits, `{n}` a name, `{h}` and `{H}` eight hexadecimal digits, `{a}` the account.
fn fill(template: &str, rng: &mut Rng) -> String {
    let mut text = template.replace("{a}", ACCOUNT).replace("{n}", NAMES[rng.usize(..NAMES.len())]);
    while let Some(at) = text.find("{h}") {
        text.replace_range(at..at + 3, &format!("{:08x}", rng.u32(..)));
    }
    while let Some(at) = text.find("{H}") {
        text.replace_range(at..at + 3, &format!("{:08X}", rng.u32(..)));
    }
    while let Some(at) = text.find("%%") {
        text.replace_range(at..at + 2, &format!("{:02}", rng.u8(..100)));
    }
    text
}
