//! What denied calls of a group become, by the windows that they lie in.

use std::collections::{BTreeMap, HashMap};

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::detector::Undecided;
use handsoff_core::policy::Denials;
use handsoff_core::show::clean;
use handsoff_core::{Code, Finding, Key, Severity, group};

use crate::seen::{self, Seen, Shape};
use crate::window::{Limits, Spike, sorted, spikes};
use crate::{codes, guardrail};

/// A guardrail that so many principals run into is a wall: one alone is that one's spike.
pub(crate) const WALL: usize = 3;

/// What a call becomes because of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    /// Why, but for the line of the policy.
    pub(crate) why: String,
    /// When it could be known.
    pub(crate) known: Option<Time>,
}

impl Found {
    /// What others depend on: whether it was said before is asked by it.
    pub(crate) fn verdict(&self) -> (Code, Severity) {
        (self.code, self.severity)
    }

    /// Which of two says more, as stored findings are compared.
    fn rank(&self) -> (Severity, bool) {
        (self.severity, self.code.row().says_more)
    }

    /// The finding that a call becomes.
    pub(crate) fn told(&self, finding: Finding, group: &str, policy: &Denials) -> Finding {
        let mut finding = finding;
        if Shape::of(group).has_own_incident() {
            finding.incident = group::denials_incident(group, finding.time);
        }
        (finding.code, finding.severity) = self.verdict();
        let cause = std::mem::take(&mut finding.reason);
        let is_wall = Shape::of(group) == Shape::Wall;
        let owner = guardrail::arn_of(group).filter(|_| is_wall).and_then(|arn| policy.owner(arn));
        let owner = owner.map(|owner| format!(", whose owner is {owner}")).unwrap_or_default();
        finding.reason = format!("{}{owner} ({}).", self.why, policy.line);
        if !cause.is_empty() {
            finding.reason = format!("{} {cause}", finding.reason);
        }
        finding.next = finding.code.next_step().into();
        finding.known = finding.time.max(self.known);
        finding
    }
}

/// The verdict that says more.
pub(crate) fn more(one: Option<Found>, other: Option<Found>) -> Option<Found> {
    match (one, other) {
        (Some(one), Some(other)) if other.rank() > one.rank() => Some(other),
        (one, other) => one.or(other),
    }
}

/// The calls of a group that become findings by the windows that they lie in.
pub(crate) fn of_group(group: &str, calls: Vec<Seen>, policy: &Denials) -> HashMap<Key, Found> {
    let calls = sorted(calls);
    let shape = Shape::of(group);
    if shape != Shape::Principal {
        return of_shape(shape, group, &calls, policy);
    }
    let mut found = spread(&calls, policy);
    for (key, hunting) in hunting(&calls, policy) {
        let known = found.remove(&key);
        found.extend(more(known, Some(hunting)).map(|found| (key, found)));
    }
    found
}

/// Of one principal, by how many and by how many different actions.
fn spread(calls: &[Seen], policy: &Denials) -> HashMap<Key, Found> {
    let limits = Limits { window: policy.window, count: policy.count, breadth: policy.actions, both: false };
    let denied: Vec<&Seen> = calls.iter().filter(|call| !call.failed).collect();
    let mut found = by_actions(&denied, limits, policy);
    // Beside them what failed for another reason, and told something: by its breadth alone.
    if denied.len() < calls.len() {
        let all: Vec<&Seen> = calls.iter().collect();
        found.extend(by_actions(&all, Limits { count: usize::MAX, ..limits }, policy));
    }
    found
}

fn by_actions(calls: &[&Seen], limits: Limits, policy: &Denials) -> HashMap<Key, Found> {
    let spikes = spikes(calls, |call| call.shows_breadth().then_some(&*call.action), limits);
    let found = |(call, spike): (&&Seen, Option<Spike>)| Some((call.key, spread_of(call, &spike?, policy)));
    calls.iter().zip(spikes).filter_map(found).collect()
}

fn spread_of(call: &Seen, spike: &Spike, policy: &Denials) -> Found {
    let Spike { breadth, calls, different, known, .. } = *spike;
    let (code, mut severity) = match (breadth >= policy.actions, breadth) {
        (true, _) => (codes::DENY_PROBING, Severity::High),
        (false, 0 | 1) => (codes::DENY_SPIKE, Severity::Low),
        (false, _) => (codes::DENY_SPIKE, Severity::Medium),
    };
    // To ask for roles is to look for one that opens, whatever it has in breadth.
    let for_roles = call.action.starts_with("sts:AssumeRole");
    if for_roles {
        severity = severity.max(Severity::Medium);
    }
    let limit = if code == codes::DENY_PROBING {
        format!("from {} different actions it is probing", policy.actions)
    } else if different <= 1 && !for_roles {
        format!("from {} calls it is a spike, and a low one because it has no breadth", policy.count)
    } else {
        format!("from {} calls it is a spike", policy.count)
    };
    let actions = match different {
        0 => "what console pages request".to_owned(),
        1 => "one action".to_owned(),
        _ => format!("{different} different actions"),
    };
    let why = format!(
        "{calls} calls of this principal to {actions} {} within {}; {limit}",
        how(spike.failed),
        within(policy)
    );
    Found { code, severity, why, known }
}

/// Of one principal, by how many targets one action was tried on.
fn hunting(calls: &[Seen], policy: &Denials) -> Vec<(Key, Found)> {
    let mut by_action: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    for call in calls.iter().filter(|call| !call.browsing && call.target.is_some()) {
        by_action.entry(&call.action).or_default().push(call);
    }
    let limits = Limits { window: policy.window, count: usize::MAX, breadth: policy.targets, both: false };
    let mut found = Vec::new();
    for (action, calls) in by_action {
        let spikes = spikes(&calls, |call| call.target.as_deref(), limits);
        for (call, spike) in calls.iter().zip(spikes) {
            let Some(Spike { different, failed, known, .. }) = spike else { continue };
            let how = if failed { "was denied, or failed and told something," } else { "was denied" };
            let why = format!(
                "{action} of this principal {how} on {different} different targets within {}; from {} it is hunting for \
                 one that opens",
                within(policy),
                policy.targets
            );
            let severity = severity_of_hunting(action);
            found.push((call.key, Found { code: codes::DENY_HUNTING, severity, why, known }));
        }
    }
    found
}

/// How grave it is to try one action on many targets: where each that opens gives a secret or credentials.
pub(crate) fn severity_of_hunting(action: &str) -> Severity {
    let opens = action.starts_with("sts:AssumeRole")
        || ["secretsmanager:GetSecretValue", "ssm:GetParameter", "kms:Decrypt", "ssm:StartSession"]
            .contains(&action);
    if opens { Severity::High } else { Severity::Medium }
}

/// Of several principals together, and of sign-ins.
fn of_shape(shape: Shape, group: &str, calls: &[Seen], policy: &Denials) -> HashMap<Key, Found> {
    let window = policy.window;
    let count = policy.count;
    let limits = match shape {
        Shape::Wall => Limits { window, count, breadth: WALL, both: true },
        Shape::User => Limits { window, count: policy.sign_ins, breadth: usize::MAX, both: false },
        Shape::Unauthenticated | Shape::Anonymous => {
            Limits { window, count, breadth: usize::MAX, both: false }
        }
        Shape::SignIns => Limits { window, count, breadth: policy.principals, both: false },
        Shape::Principal | Shape::Source | Shape::Provider => {
            Limits { window, count, breadth: policy.principals, both: true }
        }
    };
    let all: Vec<&Seen> = calls.iter().collect();
    // Who calls without credentials is nobody: there it is what they ask for.
    let what: fn(&Seen) -> Option<&str> = match shape {
        Shape::Anonymous => |call| Some(&call.action),
        _ => |call| call.who.as_deref(),
    };
    let spikes = spikes(&all, what, limits);
    let found =
        |(call, spike): (&Seen, Option<Spike>)| Some((call.key, shared(shape, group, &spike?, policy)));
    calls.iter().zip(spikes).filter_map(found).collect()
}

fn shared(shape: Shape, group: &str, spike: &Spike, policy: &Denials) -> Found {
    let Spike { breadth, calls, different, known, .. } = *spike;
    let (within, count, principals) = (within(policy), policy.count, policy.principals);
    let several = breadth >= principals;
    let (code, severity, why) = match shape {
        Shape::Wall => (
            codes::DENY_WALL,
            Severity::Medium,
            format!(
                "One guardrail denied {calls} calls of {different} principals within {within}; from {count} calls of {WALL} \
                 principals it is a wall"
            ),
        ),
        Shape::User => (
            codes::LOGIN_FAILURES,
            Severity::Medium,
            format!(
                "{calls} sign-ins of this user failed within {within}; from {} it is guessing a password",
                policy.sign_ins
            ),
        ),
        Shape::Unauthenticated => (
            codes::AUTH_FAILURE_SPIKE,
            Severity::Low,
            format!("{calls} calls failed to authenticate within {within}; from {count} it is a spike"),
        ),
        Shape::Anonymous => (
            codes::DENY_SPIKE,
            if different > 1 { Severity::Medium } else { Severity::Low },
            format!(
                "{calls} calls without AWS credentials on {} were denied within {within}; from {count} calls it is a spike, and a \
                 low one where all are to one action",
                clean(seen::asked_without_credentials(group), 128)
            ),
        ),
        Shape::SignIns => (
            codes::LOGIN_FAILURES,
            if several { Severity::High } else { Severity::Medium },
            format!(
                "{calls} sign-ins of {different} users failed from one address within {within}; from {principals} users or \
                 {count} sign-ins it is password spraying"
            ),
        ),
        Shape::Provider => (
            codes::DENY_SPIKE,
            Severity::Medium,
            format!(
                "{calls} calls of {different} subjects of one identity provider were denied within {within}; from {count} calls \
                 of {principals} it is a spike"
            ),
        ),
        Shape::Principal | Shape::Source => (
            codes::DENY_SPIKE,
            Severity::Medium,
            format!(
                "{calls} calls of {different} principals from one address were denied within {within}; from {count} calls of \
                 {principals} principals it is a spike"
            ),
        ),
    };
    Found { code, severity, why, known }
}

/// How the calls of a window ended.
fn how(failed: bool) -> &'static str {
    if failed { "were denied, or failed and told something," } else { "were denied" }
}

fn within(policy: &Denials) -> String {
    format!("{} minutes", (policy.window + TimeDelta::seconds(59)).num_minutes())
}

/// The finding of a call that is one by itself.
pub(crate) fn alone(denial: &Undecided) -> Option<Finding> {
    codes::ALONE.contains(&denial.finding.code).then(|| denial.finding.clone())
}

/// Whether what the others make of a call says more than what it is by itself.
pub(crate) fn outweighs(found: &Found, alone: &Finding) -> bool {
    found.severity > alone.severity || found.severity == alone.severity && found.code.row().says_more
}
