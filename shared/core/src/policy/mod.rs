//! The team's policy, `handsoff.toml`: which roles deploy, which break glass, what is expected, what is
//! tolerated until when.

mod agents;
mod change;
mod digest;
mod duration;
mod error;
pub mod exceptions;
mod images;
pub mod misuse;
mod pattern;
mod pattern_error;
mod pipeline;
mod protected;
mod read;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod schema_parts;
mod session_tags;
mod web_identity;

use std::collections::BTreeMap;
use std::sync::Arc;

use handsoff_cloudtrail::{Time, TimeDelta};
use ipnet::IpNet;

pub use agents::Agents;
pub use change::Change;
pub use digest::DigestHours;
pub use duration::{DurationError, duration};
pub use error::{PolicyError, nearest};
pub use images::{ImagePattern, Images};
pub use pattern::{ActionPattern, Glob, IdentityPattern};
pub use pattern_error::PatternError;
pub use pipeline::PipelineRules;
pub use protected::Protected;
pub use session_tags::SessionTags;
pub use web_identity::WebIdentity;

use crate::severity::Severity;

/// The policy that holds when a team has none: complete as it is, and commented to be started from.
pub const DEFAULT: &str = include_str!("default.toml");

/// What a team expects and tolerates.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The identities whose changes are expected.
    pub deploy: Vec<Deploy>,
    /// The identities for emergencies. Root is one without being named.
    pub break_glass: Vec<BreakGlass>,
    /// Roles that code runs as, and what they may change.
    pub workloads: Vec<Workload>,
    /// What is tolerated until a day.
    pub exceptions: Vec<Exception>,
    /// When denied calls are too many.
    pub denials: Denials,
    /// What is sent, and when an incident is over.
    pub alerts: Alerts,
    /// What is asked of break-glass sessions.
    pub cases: Cases,
    /// Which branches and sources the pipelines may use.
    pub pipeline: PipelineRules,
    /// Which machine images may be launched; `None`: any.
    pub images: Option<Images>,
    /// When a deploy session is unproven.
    pub proof: ProofRules,
    /// How urgent changes by agents are; `None`: as anybody's.
    pub agents: Option<Agents>,
    /// Names of resources that logging and detection depend on.
    pub protected: Protected,
}

/// Where an entry of the policy stands, for the reasons of findings: `handsoff.toml:12 [[deploy]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(Arc<str>);

impl Line {
    /// A line by what is printed for it.
    pub fn new(shown: &str) -> Self {
        Self(shown.into())
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A `[[deploy]]` entry: an identity tied to the pipeline. What it changes is expected, as long as nothing
/// shows that somebody else uses it.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = schema_parts::identity))]
pub struct Deploy {
    /// Where it stands.
    #[cfg_attr(test, schemars(skip))]
    pub line: Line,
    /// The role or user.
    pub identity: IdentityPattern,
    /// Who may assume the role. Empty: services that run pipelines, web identities and other accounts.
    pub assumed_by: Vec<Origin>,
    /// Names that its sessions have. Empty: any.
    pub session_names: Vec<Glob>,
    /// Networks that it is used from. Empty: any. A service acting for the role is not asked.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub networks: Vec<IpNet>,
    /// The `sourceIdentity` that its sessions may carry. Empty: none but a certificate's.
    pub source_identities: Vec<Glob>,
    /// Session tags that its sessions have: of each key a value, or a list of them. Left out: any, or none.
    #[cfg_attr(test, schemars(with = "SessionTags"))]
    pub session_tags: SessionTags,
    /// VPC endpoints that it is used through, by their ID or their account's. Empty: any of the role's own account
    /// or of an account that `assumed_by` writes out.
    pub vpc_endpoints: Vec<String>,
    /// What it may change. `None`: all but what no pipeline should change unasked.
    #[cfg_attr(test, schemars(with = "Vec<Change>"))]
    pub may_change: Option<Vec<Change>>,
    /// So many resources of one kind it may delete within an hour.
    pub deletions: usize,
    /// Whether people use it: then a console, MFA or a permission set shows no misuse.
    pub humans: bool,
    /// Whether its sessions may begin where no record shows it.
    pub unproven: bool,
}

impl Deploy {
    /// Whether its sessions have to begin where a record shows it.
    pub fn asks_for_proof(&self) -> bool {
        !self.humans && !self.unproven
    }
}

/// `[proof]`: of the beginning of deploy sessions.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct ProofRules {
    /// For so long after a session's first change the record of its beginning may still come.
    #[cfg_attr(test, schemars(with = "schema_parts::Duration"))]
    pub patience: TimeDelta,
}

impl Deploy {
    /// So many deletions an entry allows that says nothing of them.
    pub const DELETIONS: usize = 25;
}

/// Who may assume a deploy role.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A role or user.
    Identity(IdentityPattern),
    /// An AWS service, by its principal: `codebuild.amazonaws.com`, in every partition.
    Service(String),
    /// Anybody whom a SAML provider of the role's account authenticates, by the provider's name.
    Saml(String),
    /// A web identity, by the provider that authenticates it and its subject there.
    WebIdentity(WebIdentity),
}

impl Origin {
    /// Reads how the policy writes it.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn parse(written: &str) -> Result<Self, PatternError> {
        if let Some(identity) = WebIdentity::parse(written) {
            return identity.map(Self::WebIdentity);
        }
        if let Some(name) = written.strip_prefix("saml:") {
            let plain = !name.is_empty() && !name.contains(['*', '/', ':']);
            return plain.then(|| Self::Saml(name.to_owned())).ok_or(PatternError::NoSamlProvider);
        }
        match written.strip_prefix("service:") {
            Some(name) if name.contains('*') => Err(PatternError::NoService),
            Some(name) => Ok(Self::Service(name.to_owned())),
            None => IdentityPattern::parse(written).map(Self::Identity),
        }
    }
}

/// A `[[break_glass]]` entry: an identity for emergencies.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = schema_parts::identity))]
pub struct BreakGlass {
    /// Where it stands.
    #[cfg_attr(test, schemars(skip))]
    pub line: Line,
    /// The role, user or permission set.
    pub identity: IdentityPattern,
    /// How long a session may last.
    #[cfg_attr(test, schemars(with = "schema_parts::Duration"))]
    pub max_session: TimeDelta,
    /// The people who may use it, as the records name them. Empty: whoever can.
    pub roster: Vec<String>,
    /// Whether a session's name, which its caller chooses, says who it is where nothing else does.
    pub trust_session_name: bool,
    /// What the ticket's ID looks like that a session has to name.
    #[cfg_attr(test, schemars(with = "Form"))]
    pub ticket: Option<Form>,
    /// Where the ticket is looked for, in this order.
    pub ticket_in: Vec<TicketPlace>,
    /// Whether a session needs a grant.
    pub approval: bool,
    /// What the ticket's ID of a drill looks like.
    #[cfg_attr(test, schemars(with = "Form"))]
    pub drill: Option<Form>,
    /// After how long without a session a drill is due.
    #[cfg_attr(test, schemars(with = "schema_parts::Duration"))]
    pub drill_every: Option<TimeDelta>,
}

impl BreakGlass {
    /// An entry that asks for nothing more than to be reported.
    pub fn new(line: Line, identity: IdentityPattern) -> Self {
        let (roster, ticket_in) = (Vec::new(), Vec::new());
        let (ticket, drill, drill_every) = (None, None, None);
        let (max_session, trust_session_name, approval) = (TimeDelta::hours(1), false, false);
        Self {
            line,
            identity,
            max_session,
            roster,
            trust_session_name,
            ticket,
            ticket_in,
            approval,
            drill,
            drill_every,
        }
    }
}

/// The form of a ticket's ID: a regular expression that is looked for between characters that are neither letters
/// nor digits.
#[derive(Clone, Debug)]
pub struct Form(regex_lite::Regex);

impl Form {
    /// Reads a regular expression.
    ///
    /// # Errors
    /// When it is none, or matches the empty text.
    pub fn parse(written: &str) -> Result<Self, PatternError> {
        // By itself first: what closes a bracket that was opened around it is a mistake, too.
        if let Err(error) = regex_lite::Regex::new(written) {
            let error = error.to_string();
            let why = in_plain_words(&error);
            return Err(PatternError::NoExpression { why: why.to_owned() });
        }
        if regex_lite::Regex::new(&format!("^(?:{written})$")).is_ok_and(|whole| whole.is_match("")) {
            return Err(PatternError::EmptyForm);
        }
        let form = regex_lite::Regex::new(&format!("(?:^|[^A-Za-z0-9])({written})(?:$|[^A-Za-z0-9])"));
        form.map(Self).map_err(|error| PatternError::NoForm { why: error.to_string() })
    }

    /// The first text of this form in another.
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        Some(self.0.captures(text)?.get(1)?.as_str())
    }
}

/// What is wrong with a regular expression, for who writes one a year.
fn in_plain_words(error: &str) -> &str {
    // By the words of `regex-lite`; the first that is in it.
    const WORDS: [(&str, &str); 12] = [
        ("without matching '('", "a `)` has no `(` before it"),
        ("closing ')'", "a `(` has no `)` behind it"),
        ("no closing bracket", "a `[` has no `]` behind it"),
        ("unclosed character class", "a `[` has no `]` behind it"),
        ("invalid range", "a range within `[…]` goes backwards, as `[9-0]` does"),
        ("character class ranges", "a range within `[…]` goes from one character to one, such as `[0-9]`"),
        ("must be applied to a sub-expression", "a `*`, `+`, `?` or `{…}` has nothing before it to repeat"),
        ("min bigger than its max", "the first number of a `{…}` is above the second"),
        (
            "counted repetition",
            "a `{…}` is no count: write `{2}`, `{2,}` or `{2,5}`, and `\\{` for the character",
        ),
        (
            "decimal number",
            "a `{…}` is no count: write `{2}`, `{2,}` or `{2,5}`, and `\\{` for the character",
        ),
        ("look-around", "it looks ahead or behind (`(?=`, `(?!`, `(?<=`), which is not supported"),
        ("escape", "a `\\` stands before something that it doesn't go with, or at the end"),
    ];
    WORDS.iter().find(|(word, _)| error.contains(word)).map_or(error, |(_, plain)| plain)
}

/// Where a session's ticket is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketPlace {
    /// `sourceIdentity`.
    SourceIdentity,
    /// The session's name.
    SessionName,
    /// The session tag of this name.
    SessionTag(String),
    /// The grant.
    Grant,
}

impl TicketPlace {
    /// Reads how the policy writes it.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(written: &str) -> Result<Self, PatternError> {
        match written.split_once(':') {
            None if written == "source-identity" => Ok(Self::SourceIdentity),
            None if written == "session-name" => Ok(Self::SessionName),
            None if written == "grant" => Ok(Self::Grant),
            Some(("session-tag", name)) if !name.is_empty() => Ok(Self::SessionTag(name.to_owned())),
            _ => Err(PatternError::NoTicketPlace),
        }
    }
}

impl std::fmt::Display for TicketPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SourceIdentity => f.write_str("source-identity"),
            Self::SessionName => f.write_str("session-name"),
            Self::SessionTag(name) => write!(f, "session-tag:{name}"),
            Self::Grant => f.write_str("grant"),
        }
    }
}

/// `[cases]`: what is asked of break-glass sessions as a whole.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = schema_parts::nothing))]
pub struct Cases {
    /// For so long after its beginning an approval may still come, and what is missing isn't reported.
    #[cfg_attr(test, schemars(with = "schema_parts::Duration"))]
    pub patience: TimeDelta,
    /// A case that nobody has reviewed so long after its end is overdue.
    #[cfg_attr(test, schemars(with = "schema_parts::Duration"))]
    pub review_within: TimeDelta,
    /// The accounts whose grants and reviews count. Empty: any that reach the bus.
    pub approvals_from: Vec<String>,
    /// The people whose approval counts, by name. Empty: anyone's but the session's own.
    pub approvers: Vec<String>,
}

/// A `[[workload]]` entry: a role that code runs as.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = schema_parts::identity))]
pub struct Workload {
    /// Where it stands.
    #[cfg_attr(test, schemars(skip))]
    pub line: Line,
    /// The role.
    pub identity: IdentityPattern,
    /// What it may change.
    pub may_write: Vec<ActionPattern>,
}

/// An `[[exception]]` entry: what is tolerated until a day. [`exceptions::covering`] says what none of them covers.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = schema_parts::identity_and_end))]
#[cfg_attr(test, schemars(description = "An `[[exception]]` entry: what is tolerated until a day."))]
pub struct Exception {
    /// Where it stands.
    #[cfg_attr(test, schemars(skip))]
    pub line: Line,
    /// Whose calls.
    pub identity: IdentityPattern,
    /// Which calls. Empty, for denials only: any reads.
    pub actions: Vec<ActionPattern>,
    /// To what. Empty: to anything.
    pub resources: Vec<Glob>,
    /// It covers denied calls, and no changes.
    pub denials: bool,
    /// Who answers for it.
    pub owner: String,
    /// What for.
    pub reason: String,
    /// The first second that it doesn't hold any more: midnight UTC after the day that is written.
    #[cfg_attr(
        test,
        schemars(
            with = "schema_parts::Day",
            description = "The last day on which it holds, UTC: 2027-01-31."
        )
    )]
    pub until: Time,
}

impl Exception {
    /// Whether it holds at that time. A record without a time can't be shown to lie before the end.
    pub fn holds(&self, at: Option<Time>) -> bool {
        at.is_some_and(|at| at < self.until)
    }

    /// Whether it means all of these resources.
    pub fn tolerates_resources(&self, resources: impl FnOnce() -> Vec<String>) -> bool {
        self.resources.is_empty() || {
            let found = resources();
            let tolerated =
                |resource: &String| self.resources.iter().any(|glob| glob.matches_resource(resource));
            !found.is_empty() && found.iter().all(tolerated)
        }
    }
}

/// `[denials]`: when denied calls are too many.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = schema_parts::nothing))]
pub struct Denials {
    /// Where it stands.
    #[cfg_attr(test, schemars(skip))]
    pub line: Line,
    /// The length of the sliding window.
    #[cfg_attr(test, schemars(with = "schema_parts::Duration"))]
    pub window: TimeDelta,
    /// So many denied calls of one principal in a window are a spike.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub count: usize,
    /// Denied calls to so many different actions in a window are probing.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub actions: usize,
    /// Denied calls of one action on so many different targets in a window are hunting.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub targets: usize,
    /// So many principals of one address or identity provider, with `count` denied calls in a window, are a spike; and failed
    /// sign-ins of so many users from one address are password spraying.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub principals: usize,
    /// So many failed sign-ins of one user in a window are reported.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub sign_ins: usize,
    /// Denied calls to so many different actions on a day (24 hours from midnight or noon, UTC) are probing.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub daily_actions: usize,
    /// Denied calls of one action on so many different targets on a day (24 hours from midnight or noon, UTC) are hunting.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub daily_targets: usize,
    /// Denied calls to three actions or more, so many times on a day (24 hours from midnight or noon, UTC), are a spike; an action counts once in five minutes.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub daily_count: usize,
    /// The error codes that say that somebody lacks a permission.
    pub codes: Vec<String>,
    /// Who owns a guardrail, by the ARN or the ID of its policy: named where the guardrail denies many.
    pub guardrails: BTreeMap<String, String>,
}

impl Denials {
    /// Who owns the policy of this ARN or ID. An ID is the last part of an ARN.
    pub fn owner(&self, policy: &str) -> Option<&str> {
        let last = policy.rsplit('/').next().unwrap_or(policy);
        self.guardrails.get(policy).or_else(|| self.guardrails.get(last)).map(String::as_str)
    }
}

/// `[alerts]`, `[digest]` and `[accounts]`: what is sent, when an incident is over, and what accounts are called.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = schema_parts::nothing))]
#[cfg_attr(test, schemars(description = "`[alerts]`: what is sent, and when an incident is over."))]
pub struct Alerts {
    /// Incidents below it are kept but not sent.
    pub min_severity: Severity,
    /// An incident that goes on is reported anew in each period of this length.
    #[cfg_attr(test, schemars(with = "schema_parts::Duration"))]
    pub period: TimeDelta,
    /// It is closed when it was quiet for so long after the end of a period.
    #[cfg_attr(test, schemars(with = "schema_parts::Duration"))]
    pub quiet: TimeDelta,
    /// So many new incidents of a code and severity are alerted by themselves in a minute, and of what is grave five
    /// times as many; a summary names the others.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub burst: usize,
    /// `[accounts]`: what the team calls its accounts, by their IDs.
    #[cfg_attr(test, schemars(skip))]
    pub accounts: BTreeMap<String, String>,
    /// `[digest]`: when the message of a day is sent.
    #[cfg_attr(test, schemars(skip))]
    pub digest: DigestHours,
}

impl Alerts {
    /// What the team calls an account.
    pub fn account_name(&self, account: &str) -> Option<&str> {
        self.accounts.get(account).map(String::as_str)
    }
}

impl Policy {
    /// Whether the policy protects a resource, by its name or ARN.
    pub fn protects(&self, resource: &str) -> bool {
        self.protected.has(resource)
    }
}

#[cfg(test)]
mod tests;
