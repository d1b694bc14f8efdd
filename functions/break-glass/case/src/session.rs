//! What follows from a session's facts, its grants and the policy: who, why, until when, and what is wrong with it.

mod approved;

use std::sync::{Arc, OnceLock};

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::policy::{BreakGlass, Policy, TicketPlace};
use handsoff_core::show::clean;
use handsoff_core::{Code, Severity};
use serde::{Deserialize, Serialize};

pub use crate::approval::Approval;
use crate::facts::{Facts, KnownBy};
use crate::grant::Grant;
use crate::grants::Grants;
use handsoff_core::person::{ROOT, is_root, is_same};

/// No session of a role or of the console lasts longer.
const LONGEST: TimeDelta = TimeDelta::hours(12);

/// What ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndBy {
    /// Somebody signed out.
    SignOut,
    /// Its credentials ended.
    CredentialsExpired,
    /// The time that the policy, or the grant, allows was over.
    Window,
    /// Nothing tells an end: no session of AWS lasts longer than twelve hours.
    LongestSession,
    /// The identity has no sessions: its calls are one case a day.
    DayOver,
}

impl EndBy {
    /// In plain words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::SignOut => "signed out",
            Self::CredentialsExpired => "the credentials expired",
            Self::Window => "the allowed window was over",
            Self::LongestSession => "no session lasts longer",
            Self::DayOver => "long-lived credentials: one case a day",
        }
    }
}

/// How far a session has come.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum State {
    /// It goes on, within its allowed time.
    Open,
    /// Calls go on after its allowed time.
    Overdue,
    /// It is over, and its case is sealed.
    Closed,
    /// Somebody has reviewed the case.
    Reviewed,
}

impl State {
    /// The name in every output.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A ticket and where it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its ID.
    pub id: String,
    /// Where it was found.
    pub from: String,
}

/// A person, and how they are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name.
    pub name: String,
    /// How it is known.
    pub known_by: KnownBy,
}

/// A second factor, as far as the records prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mfa {
    /// One was shown.
    Proven,
    /// None was shown.
    Absent,
    /// The records can't prove either: so it is of all federated sessions.
    CannotBeProven,
}

impl Mfa {
    /// In plain words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Proven => "MFA was used",
            Self::Absent => "no MFA",
            Self::CannotBeProven => "cannot be proven from the records",
        }
    }
}

/// A break-glass session.
#[derive(Clone, Debug)]
pub struct Session<'p> {
    /// The incident, and the name of its case.
    pub id: String,
    /// What the records say.
    pub facts: Facts,
    pub(crate) grants: Arc<Grants>,
    pub(crate) policy: &'p Policy,
    /// The time whose knowledge counts: no grant that was given later. `None`: all of them.
    pub(crate) known: Option<Time>,
    /// What is known of its approval, once it was asked for.
    pub(crate) approval: OnceLock<Approval>,
}

impl<'p> Session<'p> {
    /// A session of these facts. `grants` are all that are known.
    pub fn new(id: &str, facts: Facts, grants: Vec<Grant>, policy: &'p Policy) -> Self {
        Self::among(id, facts, &Arc::new(Grants::new(grants, &policy.cases)), policy)
    }

    /// One of many sessions, of which any of `grants` may be.
    pub fn among(id: &str, facts: Facts, grants: &Arc<Grants>, policy: &'p Policy) -> Self {
        let (id, grants) = (id.to_owned(), Arc::clone(grants));
        Self { id, facts, grants, policy, known: None, approval: OnceLock::new() }
    }

    /// The same as it was known at a time, when later grants weren't given yet.
    #[must_use]
    pub fn known_at(self, at: Option<Time>) -> Self {
        Self { known: at, approval: OnceLock::new(), ..self }
    }

    /// The entry of the policy that it falls under; `None` for root. By its identity: the line may have moved since.
    pub fn entry(&self) -> Option<&'p BreakGlass> {
        let Facts { identities, accounts, .. } = &self.facts;
        self.policy.break_glass.iter().find(|entry| {
            let is = |arn: &String, account: &String| {
                let pattern = &entry.identity;
                pattern.matches(arn, Some(account)) || pattern.matches_pathless(arn, Some(account))
            };
            identities.iter().any(|arn| accounts.iter().any(|account| is(arn, account)))
        })
    }

    /// The role or user, or `root`.
    pub fn identity(&self) -> &str {
        // The longest is the one with its path.
        self.facts.identities.iter().max_by_key(|arn| arn.len()).map_or("unknown", String::as_str)
    }

    /// The identity's account.
    pub fn account(&self) -> &str {
        self.facts.accounts.first().map_or("", String::as_str)
    }

    /// Who it was.
    pub fn person(&self) -> Option<(KnownBy, &str)> {
        self.facts.person()
    }

    /// All that the records say who it may have been.
    pub fn people(&self) -> Vec<Person> {
        let person = |(by, name): &(KnownBy, String)| Person { name: name.clone(), known_by: *by };
        self.facts.people.iter().map(person).collect()
    }

    /// Who must not review it: whoever it may have been, and who asked for its grant.
    pub fn suspects(&self) -> Vec<String> {
        let mut suspects: Vec<String> = self.names().map(str::to_owned).collect();
        if let Approval::Approved { grant } | Approval::SelfApproved { grant } = self.approval() {
            suspects.push(grant.requester);
        }
        suspects
    }

    /// By what names it may be known: of root's the root user's, too, for who holds its credentials may call themselves so.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let root = self.facts.identities.iter().any(|identity| is_root(identity)).then_some(ROOT);
        self.facts.people.iter().map(|(_, name)| name.as_str()).chain(root)
    }

    /// Who it was, as far as that is more than what they called themselves.
    pub(crate) fn proven_person(&self) -> Option<&str> {
        let trusted = self.entry().is_some_and(|entry| entry.trust_session_name);
        self.person().filter(|(by, _)| *by != KnownBy::SessionName || trusted).map(|(_, person)| person)
    }

    /// When it began.
    pub fn started(&self) -> Option<Time> {
        self.facts.started.first().copied().or(self.facts.first)
    }

    /// When its allowed time ends.
    pub fn window_end(&self) -> Option<Time> {
        let allowed = self.started()? + self.entry()?.max_session;
        // The credentials must have a beginning, or the identity has no sessions.
        self.facts.started.first()?;
        match self.approval() {
            Approval::Approved { grant } => Some(allowed.min(self.extended(&grant))),
            _ => Some(allowed),
        }
    }

    /// When it ended, or will at the latest, and by what: whichever the records show first.
    pub fn end(&self) -> Option<(Time, EndBy)> {
        let shown = [
            // Who goes on after it has not signed out of everything.
            self.facts
                .signed_out
                .last()
                .filter(|at| self.facts.last.is_none_or(|last| last <= **at))
                .map(|at| (*at, EndBy::SignOut)),
            self.facts.expires.last().map(|at| (*at, EndBy::CredentialsExpired)),
            self.window_end().map(|at| (at, EndBy::Window)),
        ];
        if let Some(first) = shown.into_iter().flatten().min() {
            return Some(first);
        }
        let Some(started) = self.facts.started.first() else {
            return Some((Time::of_day(self.facts.first?.day() + 1), EndBy::DayOver));
        };
        Some((*started + LONGEST, EndBy::LongestSession))
    }

    /// When its case file is sealed: its end or its last call, and a while for what comes late.
    pub fn closes(&self) -> Option<Time> {
        let end = self.end().map(|(at, _)| at);
        [end, self.facts.last].into_iter().flatten().max().map(|at| at + self.policy.alerts.quiet)
    }

    /// How far it has come at a time. Whether its case was reviewed stands with the case.
    pub fn state(&self, now: Time) -> State {
        if self.closes().is_some_and(|closes| now >= closes) {
            State::Closed
        } else if self.overdue().is_some() {
            State::Overdue
        } else {
            State::Open
        }
    }

    /// By how long its last call came after its allowed time.
    pub fn overdue(&self) -> Option<TimeDelta> {
        let over = self.facts.last? - self.window_end()?;
        (over > TimeDelta::zero()).then_some(over)
    }

    /// The ticket that it names.
    pub fn ticket(&self) -> Option<Ticket> {
        let entry = self.entry()?;
        let forms = [&entry.ticket, &entry.drill];
        let found = |text: &str| {
            forms.into_iter().flatten().find_map(|form| form.find(text)).map(|id| clean(id, 128))
        };
        entry.ticket_in.iter().find_map(|place| {
            let id = match place {
                TicketPlace::SourceIdentity => self.facts.source_identities.iter().find_map(|it| found(it)),
                TicketPlace::SessionName => self.facts.session_names.iter().find_map(|it| found(it)),
                TicketPlace::SessionTag(name) => self.facts.tag(name).and_then(found),
                TicketPlace::Grant => match self.approval() {
                    Approval::Approved { grant } | Approval::SelfApproved { grant } => found(&grant.ticket),
                    Approval::Missing { .. } => None,
                },
            }?;
            Some(Ticket { id, from: place.to_string() })
        })
    }

    /// Whether it calls itself a drill. Nothing is reported less urgently for that: the name is the caller's to choose.
    pub fn is_drill(&self) -> bool {
        let form = self.entry().and_then(|entry| entry.drill.as_ref());
        self.ticket().is_some_and(|ticket| form.is_some_and(|form| form.find(&ticket.id).is_some()))
    }

    /// What is known of a second factor.
    pub fn mfa(&self) -> Mfa {
        match (self.facts.mfa.contains(&true), self.facts.mfa.contains(&false)) {
            (true, _) => Mfa::Proven,
            (_, true) => Mfa::Absent,
            _ => Mfa::CannotBeProven,
        }
    }

    /// What is wrong with the session as a whole: code, severity and reason.
    pub fn violations(&self) -> Vec<(Code, Severity, String)> {
        let mut found = Vec::new();
        let mut add = |code, reason| found.push((code, Severity::High, reason));
        if self.mfa() == Mfa::Absent {
            add(crate::codes::GLASS_NO_MFA, "The records show that the session began without MFA.".into());
        }
        let Some(entry) = self.entry() else { return found };
        let line = &entry.line;
        if let Some(over) = self.overdue() {
            let minutes = (over + TimeDelta::seconds(59)).num_minutes();
            let end = match self.granted_until() {
                Some((ticket, until)) => format!("{ticket} was granted until {until}"),
                None => format!("{line} limits a session to `max_session`"),
            };
            add(
                crate::codes::GLASS_OVERDUE,
                format!("{end}; calls continued for {minutes} minutes after that."),
            );
        }
        match self.approval() {
            Approval::Approved { .. } => {}
            Approval::SelfApproved { grant } => {
                let Grant { ticket, approver, .. } = &grant;
                let reason = format!("{approver} approved {ticket}, and requested it or used it: {line}.");
                add(crate::codes::GLASS_SELF_APPROVED, reason);
            }
            Approval::Missing { .. } if !entry.approval => {}
            Approval::Missing { nearest: None } => {
                add(crate::codes::GLASS_UNAPPROVED, format!("{line} requires a grant, and there is none."));
            }
            Approval::Missing { nearest: Some((grant, why)) } => {
                let ticket = &grant.ticket;
                let reason = format!("{line} requires a grant. There is one, {ticket}, but {why}.");
                add(crate::codes::GLASS_UNAPPROVED, reason);
            }
        }
        if !entry.roster.is_empty() {
            let listed = |name: &str| entry.roster.iter().any(|person| is_same(person, name));
            match self.person() {
                Some((_, person)) if self.proven_person().is_some() && listed(person) => {}
                Some((KnownBy::SessionName, person)) if !entry.trust_session_name => {
                    let reason = format!(
                        "Only the session's name, which the caller chose, says that it is {person}; {line} \
                         has a roster."
                    );
                    add(crate::codes::GLASS_NOT_ON_ROSTER, reason);
                }
                Some((by, person)) => {
                    let reason = format!("{person} ({}) is not on the roster of {line}.", by.meaning());
                    add(crate::codes::GLASS_NOT_ON_ROSTER, reason);
                }
                None => {
                    let reason = format!("No record identifies the person; {line} has a roster.");
                    add(crate::codes::GLASS_NOT_ON_ROSTER, reason);
                }
            }
        }
        if entry.ticket.is_some() && self.ticket().is_none() {
            let places: Vec<String> = entry.ticket_in.iter().map(ToString::to_string).collect();
            let reason = format!("{line} requires a ticket; there is none in {}.", places.join(", "));
            add(crate::codes::GLASS_NO_TICKET, reason);
        }
        found
    }

    /// The ticket and the end of the grant that ends before the policy's own window does.
    fn granted_until(&self) -> Option<(String, Time)> {
        let Approval::Approved { grant } = self.approval() else { return None };
        let until = self.extended(&grant);
        (self.window_end() == Some(until)).then_some((grant.ticket, until))
    }
}

#[cfg(test)]
mod tests;
