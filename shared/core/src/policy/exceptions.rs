//! What the policy's exceptions cover, what came of each, and which end.

use std::collections::BTreeMap;

use handsoff_cloudtrail::{Effect, Time, TimeDelta, resources};

use super::{Exception, Policy};
use crate::alert::Note;
use crate::call::{Call, Outcome};
use crate::principal::Kind;
use crate::show::clean;
use crate::trace::Trace;

/// An exception that ends within so many days is announced.
pub const SOON: i64 = 14;

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// The exception that covers a call: its place in the policy.
///
/// None covers root, an emergency identity or who asks for one, or an attack on logging or detection, for any caller of this function; or what
/// a provider does under a delegation whose account `[accounts]` doesn't name.
/// A denied call is covered by an exception for denials alone, and a call that succeeded by none of these: what a scanner
/// may be refused it may not do for that.
pub fn covering(call: &Call<'_>, policy: &Policy, trace: &mut Trace) -> Option<usize> {
    let never = call.principal.kind == Kind::BreakGlass
        || call.takes_break_glass()
        || call.attack.is_some()
        || call.foreign_delegate(policy).is_some();
    let (own, denied) = (call.account(), matches!(call.outcome, Outcome::Denied(_)));
    let covers = |exception: &Exception| {
        exception.denials == denied
            && call.principal.is(&exception.identity, own.as_deref())
            && covers_action(call, exception)
            && !brings_its_own_code(call)
            && exception.holds(call.time)
            && exception.tolerates_resources(|| resources::all(&call.record))
            && !(denied && tries_protected(call, policy))
    };
    let place = policy.exceptions.iter().position(|exception| !never && covers(exception));
    trace.step("exceptions", || match place.and_then(|place| policy.exceptions.get(place)) {
        Some(exception) => format!("{}, owner {}: {}", exception.line, exception.owner, exception.reason),
        None => format!("none of {} covers it", policy.exceptions.len()),
    });
    place
}

/// Without `actions`, which only an exception for denials may leave out, it covers reads: a scanner's. Who tries to
/// change something, or to get rights or credentials, is no scanner.
fn covers_action(call: &Call<'_>, exception: &Exception) -> bool {
    if exception.actions.is_empty() {
        return exception.denials && call.effect == Effect::Reads && call.class().is_none();
    }
    exception.actions.iter().any(|pattern| pattern.matches(&call.action))
}

/// Whether a call runs a job with other code than the job's own: what an exception tolerates is the job as it is.
fn brings_its_own_code(call: &Call<'_>) -> bool {
    const GLUE: [&str; 4] =
        ["--scriptLocation", "--extra-py-files", "--extra-jars", "--additional-python-modules"];
    let asked = call.record.request_parameters;
    let has = |key: &str| asked.get(key).is_some_and(|value| !value.is_absent());
    match (&*call.action.service, &*call.action.name) {
        ("glue", "StartJobRun") => {
            let arguments = asked.get("arguments").unwrap_or_default();
            GLUE.iter().any(|key| arguments.get(key).is_some())
        }
        ("codebuild", "StartBuild" | "StartBuildBatch") => [
            "buildspecOverride",
            "sourceLocationOverride",
            "sourceTypeOverride",
            "imageOverride",
            "serviceRoleOverride",
        ]
        .into_iter()
        .any(has),
        _ => false,
    }
}

/// Whether a call tried to change what logging and detection depend on.
fn tries_protected(call: &Call<'_>, policy: &Policy) -> bool {
    let record = &call.record;
    let mut named = resources::all(record).into_iter().chain(record.denied_resource());
    call.effect != Effect::Reads && named.any(|resource| policy.protects(&resource))
}

/// How long an exception holds yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// For longer than is worth a word.
    Holds,
    /// It ends within [`SOON`] days: in so many, 0 for today.
    Ends(i64),
    /// Its last day has passed.
    Ended,
}

impl Standing {
    fn of(exception: &Exception, now: Time) -> Self {
        if exception.until <= now {
            return Self::Ended;
        }
        let days = (exception.until - SECOND).day() - now.day();
        if days <= SOON { Self::Ends(days) } else { Self::Holds }
    }
}

/// What came of an exception.
#[derive(Clone, Copy, Debug)]
pub struct Used<'p> {
    /// The exception.
    pub exception: &'p Exception,
    /// How many calls it covered.
    pub calls: u64,
    /// How long it holds yet.
    pub standing: Standing,
}

/// What came of each exception of a policy, in its order. `calls`: how many calls each covered, by its line as it is
/// shown; one that isn't there covered none. `now`: the time that ends are compared with.
pub fn used<'p>(policy: &'p Policy, calls: &BTreeMap<String, u64>, now: Time) -> Vec<Used<'p>> {
    let of = |exception: &'p Exception| {
        let calls = calls.get(&exception.line.to_string()).copied().unwrap_or_default();
        Used { exception, calls, standing: Standing::of(exception, now) }
    };
    policy.exceptions.iter().map(of).collect()
}

/// The same as text, a line an exception.
pub fn lines(policy: &Policy, calls: &BTreeMap<String, u64>, now: Time) -> Vec<String> {
    used(policy, calls, now).iter().map(ToString::to_string).collect()
}

impl Used<'_> {
    /// The same where it is known in how many minutes it covered calls, and not how many there were.
    fn in_minutes(&self, minutes: usize) -> String {
        let Self { exception, standing, .. } = self;
        let what = if exception.denials { "denied calls" } else { "changes" };
        let minutes = if minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") };
        let ends = ends(exception, *standing);
        let reason = clean(&exception.reason, 160);
        format!("{}: {what} in {minutes}; {ends}; owner {}: {reason}", exception.line, exception.owner)
    }
}

impl std::fmt::Display for Used<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { exception, calls, standing } = self;
        let what = if exception.denials { "denied call" } else { "change" };
        write!(f, "{}: ", exception.line)?;
        match calls {
            0 => f.write_str("matched nothing")?,
            1 => write!(f, "1 {what}")?,
            calls => write!(f, "{calls} {what}s")?,
        }
        write!(
            f,
            "; {}; owner {}: {}",
            ends(exception, *standing),
            exception.owner,
            clean(&exception.reason, 160)
        )
    }
}

fn ends(exception: &Exception, standing: Standing) -> String {
    let last = (exception.until - SECOND).date();
    match standing {
        Standing::Holds => format!("until {last}"),
        Standing::Ends(0) => format!("ends today, {last}"),
        Standing::Ends(1) => format!("ends tomorrow, {last}"),
        Standing::Ends(days) => format!("ends in {days} days, {last}"),
        Standing::Ended => format!("expired since {last}"),
    }
}

/// The minute of a time: in how many an exception covered calls is what digests say.
pub fn minute(time: Time) -> Time {
    time.floor(TimeDelta::minutes(1))
}

/// So many minutes a digest counts: those of a day, also where it is one of several days.
pub const MINUTES: usize = 1440;

/// What the digest that ends at a time says of exceptions: those that have ended, or end soon, and in how many minutes each
/// covered calls, in their order.
pub fn notes(policy: &Policy, minutes: &[usize], until: Time) -> Vec<Note> {
    let ending = ending(policy, until).into_iter().map(|line| Note::new("policy", line));
    let used =
        used(policy, &BTreeMap::new(), until).into_iter().zip(minutes).filter(|(_, minutes)| **minutes > 0);
    ending
        .chain(used.map(|(used, minutes)| Note::new("excepted", used.in_minutes(*minutes.min(&MINUTES)))))
        .collect()
}

/// What there is to do about exceptions that have ended, or end within [`SOON`] days.
pub fn ending(policy: &Policy, now: Time) -> Vec<String> {
    let told =
        used(policy, &BTreeMap::new(), now).into_iter().filter_map(|Used { exception, standing, .. }| {
            let todo = match standing {
                Standing::Holds => return None,
                Standing::Ends(_) => "agree on a new end date, or let it end",
                Standing::Ended => "remove it, or agree on a new end date",
            };
            let Exception { line, owner, .. } = exception;
            Some(format!("{line}: {}; owner {owner}: {todo}", ends(exception, standing)))
        });
    told.collect()
}

#[cfg(test)]
mod tests;
