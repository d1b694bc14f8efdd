//! The stable codes of findings.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use handsoff_cloudtrail::Class;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(test)]
pub(crate) mod samples;

/// What kind of finding it is: a row of its detector. The names are part of the interface: metrics, filters and
/// dashboards depend on them.
///
/// Nobody but its detector asks which code it is: all that others depend on are the properties of its [`Row`].
#[derive(Clone, Copy)]
pub struct Code(&'static Row);

/// The codes of all detectors, once they are registered.
static CODES: OnceLock<Box<[Code]>> = OnceLock::new();

/// Makes the codes of all detectors known, so that their names can be read again. Once in a process: what comes later
/// changes nothing.
pub fn register(codes: impl IntoIterator<Item = Code>) {
    CODES.get_or_init(|| {
        let mut codes: Vec<Code> = codes.into_iter().collect();
        codes.sort();
        codes.into()
    });
}

impl Code {
    /// The code of a row.
    pub const fn new(row: &'static Row) -> Self {
        Self(row)
    }

    /// All codes that are registered, in their order.
    pub fn all() -> &'static [Self] {
        #[cfg(test)]
        register(samples::ALL);
        CODES.get().map_or(&[], |codes| codes)
    }

    /// All that there is to know of it.
    pub fn row(self) -> &'static Row {
        self.0
    }

    /// The name in every output.
    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    /// The detector that the code belongs to: the name of its folder in `functions/`.
    pub fn detector(self) -> &'static str {
        self.0.detector
    }

    /// Whether it is a verdict on a break-glass session as a whole, and on no call of it.
    pub fn is_about_session(self) -> bool {
        self.0.scope != Scope::Call
    }

    /// Whether each of the first findings is worth an alert, however severe others are that were alerted before.
    pub fn is_grave(self) -> bool {
        matches!(self.0.alerts, AlertRule::Grave | AlertRule::Gravest)
    }

    /// Whether it is an attack on logging or detection.
    pub fn is_attack(self) -> bool {
        self.0.class == Some(Class::Detection)
    }

    /// A few words for a headline.
    pub fn title(self) -> &'static str {
        self.0.title
    }

    /// What the person on call does next.
    pub fn next_step(self) -> &'static str {
        self.0.next
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.place == other.0.place
    }
}

impl Eq for Code {}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.place.cmp(&other.0.place)
    }
}

impl Hash for Code {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.place.hash(state);
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a code is, for all that depend on it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property by itself")]
pub struct Row {
    /// Where it stands among all codes: each detector has a hundred places. Two codes of one place are one code.
    pub place: u16,
    /// The name in every output.
    pub name: &'static str,
    /// The detector that the code belongs to: the name of its folder in `functions/`.
    pub detector: &'static str,
    /// A few words for a headline.
    pub title: &'static str,
    /// What the person on call does next.
    pub next: &'static str,
    /// What its findings are about.
    pub scope: Scope,
    /// How many of its findings are alerted.
    pub alerts: AlertRule,
    /// What its findings are counted as.
    pub counted: Counted,
    /// Whether its findings count as violations.
    pub is_violation: bool,
    /// Which findings count as repeated if earlier days had the same.
    pub repeats: Repeats,
    /// The class of its findings, where it isn't the change's.
    pub class: Option<Class>,
    /// Whether an entry of the policy can hide its findings; else why not.
    pub may_be_hidden: Result<(), &'static str>,
    /// Whether a session begins with it: the message on its opening shows it.
    pub opens_session: bool,
    /// Whether the caller isn't the session's: who tries to get in and who is in need not be the same.
    pub is_outside_session: bool,
    /// Whether it says no more than that this is a call of a session.
    pub is_routine: bool,
    /// Whether it stands for a code that isn't known, of a later version, in incidents of its kind.
    pub is_fallback: bool,
    /// The kind of its incidents, where no emergency identity is in it.
    pub incidents: IncidentKind,
    /// Whether a change that has it was made by hand, so that the drift ledger follows what becomes of it.
    pub is_by_hand: bool,
    /// The same for a change that anybody may make, where a person or an identity that the policy doesn't know made it.
    pub is_by_people: bool,
    /// Whether a storm of it has a larger budget of messages, as what is critical has.
    pub is_urgent: bool,
    /// Of two findings on one call it is the one that says more.
    pub says_more: bool,
}

impl Row {
    /// A row with nothing said yet but whose it is.
    pub const fn of(detector: &'static str, incidents: IncidentKind) -> Self {
        Self {
            place: 0,
            name: "",
            detector,
            title: "",
            next: "",
            scope: Scope::Call,
            alerts: AlertRule::ByClass,
            counted: Counted::Changes,
            is_violation: false,
            repeats: Repeats::Never,
            class: None,
            may_be_hidden: Err("an entry hides changes only"),
            opens_session: false,
            is_outside_session: false,
            is_routine: false,
            is_fallback: false,
            incidents,
            is_by_hand: false,
            is_by_people: false,
            is_urgent: false,
            says_more: false,
        }
    }
}

/// What findings are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A call.
    Call,
    /// A break-glass session as a whole.
    Session,
    /// The end of one.
    SessionEnd,
    /// An emergency identity that should be tried.
    Drill,
}

/// How many of a code's findings are alerted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertRule {
    /// As the class of the change says.
    ByClass,
    /// The first, and none hides behind a worse one: of a session, whatever it says of itself.
    Once,
    /// The first ones, as of a grave class.
    Grave,
    /// The same, and the second too.
    Gravest,
}

/// What findings are counted as, in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Changes, where they aren't a session's.
    Changes,
    /// Sessions opened.
    SessionsOpened,
    /// Sessions overdue.
    SessionsOverdue,
    /// Spikes of denied calls.
    Denials,
}

/// Which findings count as repeated if earlier days had the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// None.
    Never,
    /// Those of people and unknown identities whose class isn't grave.
    Ordinary,
    /// All.
    Always,
    /// All, of each resource by itself.
    ByResource,
}

/// What findings are grouped by: the beginning of an incident's ID says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentKind {
    /// A person's session, or the day of a principal.
    Drift,
    /// A break-glass session, or who tried to begin one on a day.
    Glass,
    /// The denied calls of a principal and day.
    Denials,
}

impl IncidentKind {
    /// With what the IDs of such incidents begin, before the hyphen.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Glass => "glass",
            Self::Denials => "deny",
        }
    }

    /// That of an incident's ID; `None` for what is none.
    pub fn of(incident: &str) -> Option<Self> {
        let (prefix, _) = incident.split_once('-')?;
        [Self::Drift, Self::Glass, Self::Denials].into_iter().find(|kind| kind.prefix() == prefix)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a name is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// No registered code has it.
    #[error("`{0}` is no code of a finding")]
    Unknown(String),
}

impl std::str::FromStr for Code {
    type Err = CodeError;

    fn from_str(name: &str) -> Result<Self, CodeError> {
        let code = Self::all().iter().copied().find(|code| code.as_str() == name);
        code.ok_or_else(|| CodeError::Unknown(name.to_owned()))
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_by_its_name_once_it_is_registered() {
        for code in Code::all() {
            let name = serde_json::to_string(code).unwrap();
            assert_eq!(name, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<Code>(&name).unwrap(), *code);
        }
        assert_eq!(Code::all(), samples::ALL);
        let unknown = "no-such-code".parse::<Code>();
        assert_eq!(unknown.unwrap_err().to_string(), "`no-such-code` is no code of a finding");
    }
}
