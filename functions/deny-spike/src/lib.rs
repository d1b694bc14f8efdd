//! Deny-spike: denied calls, by what one of them tries, and by how many there are and how different, in a sliding window of
//! event time and over a day.
//!
//! Codes: `deny-spike`, `deny-probing`, `deny-hunting`, `deny-wall`, `denied-attack`, `deploy-denied`, `login-failures`, `auth-failure-spike`,
//! `launch-refused`. One
//! retrying deployment repeats one action; somebody who tries what stolen credentials can do touches many, or one on many
//! targets. That is why the number of different actions and targets counts for itself, and why a spike of one action is low.

mod alone;
pub mod cause;
pub mod codes;
mod day;
mod guardrail;
mod launches;
pub mod live;
mod revealing;
mod seen;
mod verdict;
mod window;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Effect};
use handsoff_core::detector::{About, Claim, Priority, RecordFacts, Related, Undecided, Watch};
use handsoff_core::policy::{Denials, Policy, exceptions};
use handsoff_core::rules::{Rule, Whose};
use handsoff_core::show::clean;
use handsoff_core::{
    Call, Detector, Disposition, Finding, Key, Kind, Outcome, Severity, Trace, Verdict, group,
    is_customers_service,
};

use cause::Cause;
use day::{Day, Span, Try};
use guardrail::Change;
use revealing::RevealingFailure;
use seen::{Seen, Shape};
use verdict::{Found, more};

/// The detector.
#[derive(Debug)]
pub struct DenySpike;

const CLAIMS: [Claim; 2] = [
    // Of these by themselves there would be nothing to report.
    Claim {
        priority: Priority::Attack,
        covers: |call, _, _| {
            is_unauthenticated(call)
                || alone::is_failed_shell(call)
                || RevealingFailure::of(call).is_some()
                || is_anonymous(call)
        },
    },
    Claim { priority: Priority::Call, covers: |call, _, _| matches!(call.outcome, Outcome::Denied(_)) },
];

/// As in part.yaml.
const RULES: [Rule; 1] =
    [Rule { id: "DenySpikeRule", whose: Whose::None, pattern: include_str!("../patterns/deny-spike.json") }];

const ABOUT: About = About { name: "deny-spike", codes: &codes::ALL, claims: &CLAIMS, rules: &RULES };

impl Detector for DenySpike {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// A denied call is a finding by itself, or one of many, or nothing.
    fn judge(&self, call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Verdict {
        let failure = RevealingFailure::of(call);
        if let Some(place) = exceptions::covering(call, policy, trace) {
            // What failed is no change that an exception has covered.
            return failure.map_or(Verdict::Excepted(place), |_| Verdict::Nothing(otherwise(call)));
        }
        if let Some(failure) = failure.filter(|_| !alone::is_failed_shell(call)) {
            trace.step("rules deny-probing, deny-hunting, launch-refused", || {
                format!("failed, counted for its breadth. {}", failure.words())
            });
            return revealing(call, failure).into();
        }
        if is_unauthenticated(call) {
            trace.step("rules login-failures, auth-failure-spike", || {
                "not authenticated: counted for its principal, a sign-in for its address as well".into()
            });
            return unauthenticated(call).into();
        }
        if is_anonymous(call) {
            trace.step("rule deny-spike", || {
                "denied, without credentials: counted for what it asks for".into()
            });
            return anonymous(call).into();
        }
        denial(call, policy, trace).into()
    }

    fn settle(&self, undecided: Vec<Undecided>, related: &[Related], policy: &Policy) -> Vec<Finding> {
        settle(undecided, related, &policy.denials)
    }

    /// Who changed a guardrail.
    fn relates(&self, call: &Call<'_>, _: &Policy) -> Vec<Related> {
        guardrail::of(call).into_iter().collect()
    }

    /// What a deploy role or a service does is left out at a glance, but for this.
    fn watches_action(&self, action: &Action<'_>) -> Watch {
        if guardrail::is_change(action) { Watch::ByRecord } else { Watch::No }
    }

    fn watches(&self, facts: &RecordFacts<'_>) -> bool {
        facts.is_watched_action && guardrail::is_change(&Action::of(facts.record))
    }

    fn why_not_reported(&self, policy: &Policy) -> String {
        let Denials { count, actions, targets, window, line, .. } = &policy.denials;
        format!(
            "fewer than {count} denied calls, fewer than {actions} different actions, and fewer than {targets} targets of one, of this \
             principal within {} s; nor enough over the day, or of others of its address ({line})",
            window.num_seconds()
        )
    }
}

/// Whether it is a sign-in to the console that failed, in the words that the rule lets through. Emergency identities' are
/// break-glass's. Source: "AWS Management Console sign-in events" (CloudTrail user guide).
fn is_failed_sign_in(call: &Call<'_>) -> bool {
    let record = &call.record;
    let answer = || record.response_elements.get("ConsoleLogin").and_then(Raw::text);
    call.effect == Effect::SignsIn
        && matches!(call.outcome, Outcome::Unauthenticated(_))
        && record.event_name.text().as_deref() == Some("ConsoleLogin")
        && answer().as_deref() == Some("Failure")
        && !matches!(call.principal.kind, Kind::Service | Kind::Anonymous)
}

/// Whether a call or a sign-in failed to authenticate, of anybody that AWS names. A wrong password of an app's customer at
/// Cognito is nobody's of the account, and says nothing of the app that passes it on.
fn is_unauthenticated(call: &Call<'_>) -> bool {
    let customers = is_customers_service(&call.action.service);
    let named = !matches!(call.principal.kind, Kind::Service | Kind::Anonymous) && !customers;
    let is_call =
        || matches!(call.outcome, Outcome::Unauthenticated(_)) && !call.record.error_code.is_absent();
    is_failed_sign_in(call) || named && is_call()
}

fn unauthenticated(call: &Call<'_>) -> Undecided {
    let (code, (group, also)) = if is_failed_sign_in(call) {
        (codes::LOGIN_FAILURES, seen::sign_ins(call))
    } else {
        (codes::AUTH_FAILURE_SPIKE, (seen::unauthenticated(call), Vec::new()))
    };
    Undecided {
        group,
        also,
        finding: Finding::new(call, code, Severity::Low, String::new()),
        target: None,
        asked: None,
        browsing: false,
        cause: Some(cause::NOT_AUTHENTICATED),
        otherwise: Disposition::Unauthenticated,
    }
}

/// Whether it is a denied call without AWS credentials on something that it names. Customers of apps are denied all day.
fn is_anonymous(call: &Call<'_>) -> bool {
    call.principal.kind == Kind::Anonymous
        && matches!(call.outcome, Outcome::Denied(_))
        && !is_customers_service(&call.action.service)
        && seen::anonymous(call).is_some()
}

fn anonymous(call: &Call<'_>) -> Undecided {
    let cause = Cause::of(&call.record);
    let group = seen::anonymous(call).unwrap_or_default();
    let reason = cause.as_ref().map(|cause| format!("Denied: {}.", cause.words())).unwrap_or_default();
    Undecided {
        group,
        also: Vec::new(),
        finding: Finding::new(call, codes::DENY_SPIKE, Severity::Low, reason),
        target: None,
        asked: None,
        browsing: false,
        cause: Some(cause.map_or(cause::UNKNOWN, |cause| cause.policy.as_str())),
        otherwise: Disposition::Anonymous,
    }
}

/// Why there is nothing to report of a call that failed, if nothing comes of it.
fn otherwise(call: &Call<'_>) -> Disposition {
    match &call.outcome {
        Outcome::Denied(_) => Disposition::Denied,
        Outcome::DryRun => Disposition::DryRun,
        _ if call.effect == Effect::Reads => Disposition::Read,
        _ => Disposition::Attempt,
    }
}

/// A call that failed, and told its caller something.
fn revealing(call: &Call<'_>, failure: RevealingFailure) -> Undecided {
    let reason = format!("{}.", failure.words());
    Undecided {
        group: group::denial_group(call),
        also: Vec::new(),
        finding: Finding::new(call, codes::DENY_SPIKE, Severity::Low, reason),
        target: failure.target(call).map(|target| clean(&target, 256)),
        asked: launches::of(call),
        browsing: false,
        cause: None,
        otherwise: otherwise(call),
    }
}

fn denial(call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Undecided {
    let cause = Cause::of(&call.record);
    let cause = cause.as_ref();
    trace.step("denied by", || cause.map_or_else(|| "AWS doesn't say which policy".into(), Cause::words));
    let browsing = seen::is_browsing(call);
    let alone = alone::verdict(call, policy, cause);
    trace.step("rule denied-attack", || match &alone {
        Some((code, severity, _)) => format!("{code}, {severity}, by itself"),
        None => "nothing grave by itself".into(),
    });
    trace.step("rule deny-spike", || "denied: counted for its principal".into());
    let denied = matches!(call.outcome, Outcome::Denied(_));
    let (code, severity, reason) = alone.unwrap_or_else(|| {
        let reason = cause.map(|cause| format!("Denied: {}.", cause.words())).unwrap_or_default();
        (codes::DENY_SPIKE, Severity::Low, reason)
    });
    Undecided {
        group: group::denial_group(call),
        also: seen::shared(call, cause, browsing),
        finding: Finding::new(call, code, severity, reason),
        target: seen::target(call).map(|target| clean(&target, 256)),
        asked: launches::of(call),
        browsing,
        cause: denied.then(|| cause.map_or(cause::UNKNOWN, |cause| cause.policy.as_str())),
        otherwise: otherwise(call),
    }
}

/// The groups that a denied call counts in: its principal's first.
pub(crate) fn groups(denial: &Undecided) -> impl Iterator<Item = &String> {
    [&denial.group].into_iter().chain(&denial.also)
}

/// What becomes of denied calls, which may come in any order and more than once.
///
/// The findings are all the denied calls of all windows that hold too many, each once in a group, and each judged by the
/// windows that it lies in, and by its day. What is grave by itself is one in any case. Calls without a time are in no
/// window.
fn settle(mut denials: Vec<Undecided>, related: &[Related], policy: &Denials) -> Vec<Finding> {
    // Of two that hand-made logs give the same key, the same one stays whichever came first.
    denials.sort_by(|a, b| a.key().cmp(&b.key()).then_with(|| a.cmp(b)));
    denials.dedup_by_key(|denial| denial.key());
    let mut members: BTreeMap<&str, Vec<&Undecided>> = BTreeMap::new();
    for denial in &denials {
        for group in groups(denial) {
            members.entry(group).or_default().push(denial);
        }
    }
    let mut changes: BTreeMap<&str, Vec<Change>> = BTreeMap::new();
    for one in related {
        changes.entry(&one.group).or_default().extend(Change::of(one));
    }
    let mut findings = Vec::new();
    for (group, members) in members {
        let calls: Vec<Seen> = members.iter().map(|denial| Seen::of(denial, group)).collect();
        let mut found = verdict::of_group(group, calls.clone(), policy);
        if Shape::of(group) == Shape::Principal {
            by_day(&calls, &mut found, policy);
        }
        let told = |denial: &&Undecided| told(denial, group, found.get(&denial.key()), policy);
        let start = findings.len();
        findings.extend(members.iter().filter_map(told));
        if let Some(changes) = wall_of(group).and_then(|policy| changes.get(&*policy)) {
            findings.iter_mut().skip(start).for_each(|finding| guardrail::tie(finding, changes));
        }
    }
    findings.sort_by_key(Finding::order);
    findings
}

/// The policy that a wall is made of.
pub(crate) fn wall_of(group: &str) -> Option<String> {
    (Shape::of(group) == Shape::Wall).then(|| guardrail::of_group(group)).flatten()
}

/// What the long window makes of a principal's calls, where it says more than the short one.
fn by_day(calls: &[Seen], found: &mut HashMap<Key, Found>, policy: &Denials) {
    let mut days: BTreeMap<Span, BTreeSet<Try>> = BTreeMap::new();
    for one in calls.iter().filter_map(Try::of) {
        for day in Span::both(one.slot) {
            days.entry(day).or_default().insert(one.clone());
        }
    }
    let days: BTreeMap<Span, Day> =
        days.into_iter().map(|(span, tries)| (span, Day::of(&tries, policy))).collect();
    for call in calls {
        let own = call.time.into_iter().flat_map(Span::both).filter_map(|span| days.get(&span));
        for own in own.filter_map(|day| day.found(call, policy)) {
            let both = more(found.remove(&call.key), Some(own));
            found.extend(both.map(|found| (call.key, found)));
        }
    }
}

/// The finding of a call in a group, by what the others make of it, or by itself.
pub(crate) fn told(
    denial: &Undecided,
    group: &str,
    found: Option<&Found>,
    policy: &Denials,
) -> Option<Finding> {
    let of_principal = !Shape::of(group).is_shared();
    let alone = verdict::alone(denial).filter(|_| of_principal);
    match (found, alone) {
        (Some(found), Some(alone)) if !verdict::outweighs(found, &alone) => Some(alone),
        (Some(found), _) => Some(found.told(denial.finding.clone(), group, policy)),
        (None, alone) => alone,
    }
}

#[cfg(test)]
mod tests;
