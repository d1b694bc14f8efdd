//! The manifest of a case: what it says of the session, and what proves its lines.

use handsoff_cloudtrail::{Time, TimeDelta, seconds};
use handsoff_core::{Code, Severity};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::facts::short_key;
use crate::session::{Approval, EndBy, Mfa, Person, Session, Ticket};
use crate::summary::Summary;

/// The form of case files.
pub const FORMAT: &str = "handsoff-case/1";

/// The manifest's name in a case's folder.
pub const MANIFEST: &str = "manifest.json";

/// The end of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: Time,
    /// By what.
    pub by: EndBy,
}

/// Something that is wrong with the session as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// What.
    pub code: Code,
    /// How urgent it is.
    pub severity: Severity,
    /// Why.
    pub reason: String,
}

/// A session that this one took on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleTaken {
    /// When.
    pub at: Option<Time>,
    /// The role.
    pub role: String,
    /// Its access key's last four characters.
    pub access_key: String,
}

/// A file of lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Its name.
    pub file: String,
    /// How many lines it has.
    pub lines: u64,
    /// Its SHA-256.
    pub sha256: String,
}

/// What CloudTrail's `LookupEvents` was asked at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// Whether all that was asked was answered.
    pub complete: bool,
    /// What was asked for: access keys (the last four characters), or the name of the user or session.
    pub asked: Vec<String>,
    /// The Regions that were asked.
    pub regions: Vec<String>,
    /// What went wrong.
    pub problem: Option<String>,
}

/// The manifest. It follows from the observations, the grants and the policy alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of the case file: [`FORMAT`].
    pub format: String,
    /// The case: its session's incident.
    pub case: String,
    /// The identity's account.
    pub account: String,
    /// The role or user, or `root`.
    pub identity: String,
    /// The line of the policy that makes it a break-glass identity; none for root.
    pub line: Option<String>,
    /// The session's name.
    pub session_name: Option<String>,
    /// `sourceIdentity`.
    pub source_identity: Option<String>,
    /// Who it was.
    pub person: Option<Person>,
    /// All that the records say who it may have been, the most certain first.
    pub people: Vec<Person>,
    /// Who took the identity on.
    pub taken_by: Vec<String>,
    /// When it began.
    pub started: Option<Time>,
    /// When its allowed time ended.
    pub window_end: Option<Time>,
    /// When it ended.
    pub end: Option<End>,
    /// By how long calls went on after its allowed time.
    #[serde(default, rename = "overdue_seconds", with = "seconds")]
    pub overdue: Option<TimeDelta>,
    /// The ticket that it names.
    pub ticket: Option<Ticket>,
    /// Whether it calls itself a drill.
    pub drill: bool,
    /// A second factor.
    pub mfa: Mfa,
    /// The approval.
    pub approval: Approval,
    /// Whether the policy asks for one.
    pub approval_required: bool,
    /// What is wrong with the session as a whole.
    pub violations: Vec<Violation>,
    /// Sessions that it took on.
    pub roles_taken: Vec<RoleTaken>,
    /// What it holds.
    pub summary: Summary,
    /// What `LookupEvents` was asked; none for saved logs.
    pub lookup: Option<Lookup>,
    /// The files of lines, in their order.
    pub segments: Vec<Segment>,
    /// The last line's chain value.
    pub head: String,
}

impl Manifest {
    /// The manifest of a session.
    pub fn new(
        session: &Session<'_>,
        summary: Summary,
        lookup: Option<Lookup>,
        segments: Vec<Segment>,
        head: String,
    ) -> Self {
        let facts = &session.facts;
        let violation = |(code, severity, reason)| Violation { code, severity, reason };
        Self {
            format: FORMAT.into(),
            case: session.id.clone(),
            account: session.account().to_owned(),
            identity: session.identity().to_owned(),
            line: facts.lines.first().cloned(),
            session_name: facts.session_names.first().cloned(),
            source_identity: facts.source_identities.first().cloned(),
            person: session.person().map(|(known_by, name)| Person { name: name.to_owned(), known_by }),
            people: session.people(),
            taken_by: facts.taken_by.iter().cloned().collect(),
            started: session.started(),
            window_end: session.window_end(),
            end: session.end().map(|(at, by)| End { at, by }),
            overdue: session.overdue(),
            ticket: session.ticket(),
            drill: session.is_drill(),
            mfa: session.mfa(),
            approval: session.approval(),
            approval_required: session.entry().is_some_and(|entry| entry.approval),
            violations: session.violations().into_iter().map(violation).collect(),
            roles_taken: facts
                .taken
                .iter()
                .map(|it| RoleTaken { at: it.at, role: it.role.clone(), access_key: short_key(&it.key) })
                .collect(),
            summary,
            lookup,
            segments,
            head,
        }
    }

    /// As it is written: the bytes that its digest is of.
    ///
    /// # Errors
    /// Never, for what this crate makes.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
