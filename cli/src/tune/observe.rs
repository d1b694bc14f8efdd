//! What is gathered from the logs, in bounded memory, whatever the order of the records and however often they come:
//! sets of how each identity is used, and facts to be counted later, each event once.

use std::collections::{BTreeSet, HashSet};

use handsoff_cloudtrail::{IdentityType, Record};
use handsoff_core::policy::Policy;
use handsoff_core::{Call, Kind, Outcome, Trace, copies, show::clean};

use super::fact::{Fact, Id, What};
use super::few::Few;
use crate::input::{Place, Position, Sink};
use crate::replay::Options;
use crate::replay::spool::Spool;

/// So many identities are looked at.
pub(super) const IDENTITIES: usize = 5_000;

/// Days since 1970: of the longest logs the first years.
pub(super) type Days = Few<i64, (), 1_000>;

/// How an identity is used.
#[derive(Clone, Debug, Default)]
pub(super) struct Use {
    /// Its ARNs, with the path where a record has it.
    pub(super) arns: Few<String, (), 4>,
    /// When it acted or was assumed.
    pub(super) days: Days,
    /// What AWS sets that shows code.
    pub(super) code: BTreeSet<&'static str>,
    /// What shows a person.
    pub(super) human: BTreeSet<&'static str>,
    /// The people's names.
    pub(super) people: Few<String, (), 16>,
    /// Sessions of which the record tells nothing.
    pub(super) untold: bool,
    /// Those who vouched for its sessions.
    pub(super) providers: Few<String, (), 8>,
    /// Names of its sessions.
    pub(super) sessions: Few<String, (), 64>,
    /// What all names of its sessions begin with.
    pub(super) prefix: Option<String>,
}

impl Use {
    fn add(&mut self, call: &Call<'_>) {
        let principal = &call.principal;
        if let Some(arn) = principal.arn.as_deref().filter(|_| !principal.pathless) {
            self.arns.at(&arn.to_owned());
        }
        self.day(call);
        let console = call.is_from_console();
        match principal.kind {
            Kind::Workload if !console => drop(self.code.insert(principal.because)),
            Kind::Human | Kind::BreakGlass => drop(self.human.insert(principal.because)),
            _ if console => drop(self.human.insert("it is used in the console")),
            _ => self.untold = true,
        }
        if call.action.opens_a_shell() && call.outcome == Outcome::Succeeded {
            self.human.insert("it opened a shell on a machine");
        }
        if principal.kind == Kind::Human {
            self.people.at(&principal.human().unwrap_or_else(|| principal.name()));
        }
        if let Some(provider) = principal.identity.web_provider() {
            self.providers.at(&clean(provider, 256));
        }
        if let Some((_, session)) = principal.identity.assumed_role() {
            let session: String = session.chars().take(128).collect();
            self.prefix = Some(match &self.prefix {
                None => session.clone(),
                Some(prefix) => common(prefix, &session),
            });
            self.sessions.at(&session);
        }
    }

    fn day(&mut self, call: &Call<'_>) {
        if let Some(time) = call.time {
            self.days.at(&time.day());
        }
    }
}

/// What both texts begin with.
fn common(one: &str, other: &str) -> String {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}

/// All that is gathered.
#[derive(Default)]
pub(super) struct Gathered {
    /// The days of the records.
    pub(super) days: Days,
    /// The accounts that they were written for.
    pub(super) accounts: Few<String, (), 1_000>,
    pub(super) uses: Few<Id, Use, IDENTITIES>,
    pub(super) facts: Spool<Fact>,
}

/// A policy without its entries.
pub(super) fn bare(policy: &Policy) -> Policy {
    let (deploy, break_glass, workloads, exceptions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    Policy { deploy, break_glass, workloads, exceptions, ..policy.clone() }
}

/// Gathers from records that are classified as if no policy named anybody: what is proposed must not rest on what the
/// policy says already.
pub(super) struct Observer<'a> {
    bare: &'a Policy,
    options: Options,
    left_out: &'a HashSet<u64>,
    pub(super) gathered: Gathered,
}

impl<'a> Observer<'a> {
    /// `bare`: see [`bare`]. `left_out`: the records of which another one of the same call is reported.
    pub(super) fn new(bare: &'a Policy, options: Options, left_out: &'a HashSet<u64>) -> Self {
        Self { bare, options, left_out, gathered: Gathered::default() }
    }

    /// Gathers what a call says. Pure but for the facts' temporary file.
    pub(super) fn add(&mut self, call: &Call<'_>) {
        if let Some(time) = call.time {
            self.gathered.days.at(&time.day());
        }
        if let Some(account) = call.record.recipient_account_id.text() {
            self.gathered.accounts.at(&account.chars().take(12).collect());
        }
        let used = !matches!(call.principal.kind, Kind::Service | Kind::Anonymous)
            && call.principal.identity.kind != IdentityType::WebIdentityUser;
        let id = call.principal.arn.as_deref().and_then(Id::of).filter(|_| used);
        if let Some(used) = id.and_then(|id| self.gathered.uses.at(&id)) {
            used.add(call);
        }
        let Some(fact) = Fact::of(call, self.bare) else { return };
        if let What::Taken { role, .. } = &fact.what
            && let Some(taken) = self.gathered.uses.at(role)
        {
            taken.day(call);
            if let Some(arn) = call.record.assumed_role_arn() {
                taken.arns.at(&arn.into_owned());
            }
        }
        self.gathered.facts.add(fact);
    }
}

impl Sink for Observer<'_> {
    fn record(&mut self, record: &Record<'_>, _: &Place<'_>) {
        let told = self.left_out.is_empty() || !self.left_out.contains(&copies::name(record));
        if told && !record.is_told_elsewhere() && !self.options.leave_out(record) {
            self.add(&Call::classify(*record, self.bare, &mut Trace::off()));
        }
    }

    // The first reading told what is wrong with the text.
    fn problem(&mut self, _: Option<Position>, _: String) {}
}
