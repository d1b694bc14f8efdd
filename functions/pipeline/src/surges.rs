//! Many builds, failures and timeouts of one project, pipeline, application or stack within an hour, against its earlier days.
//!
//! Hours are those of the clock, UTC: which calls an hour has doesn't depend on the order in which they come.

use std::collections::BTreeMap;

use handsoff_cloudtrail::{Action, Time, TimeDelta};
use handsoff_core::detector::Related;
use handsoff_core::{Call, Code, Finding, Key, Outcome, Severity, group};

use crate::asks::asked;
use crate::codes;

/// A build that was started, by CloudTrail's record.
const STARTED: &str = "started";

/// A build that runs, by the service's event.
pub(crate) const RUNS: &str = "runs";

/// What ended well.
pub(crate) const SUCCEEDED: &str = "succeeded";

/// What failed.
pub(crate) const FAILED: &str = "failed";

/// What ran out of its time.
pub(crate) const TIMED_OUT: &str = "timed-out";

/// A deployment that failed.
pub(crate) const UNDEPLOYED: &str = "undeployed";

const HOUR: TimeDelta = TimeDelta::hours(1);

/// So many earlier days an hour is compared with.
const DAYS: i64 = 14;

/// So many builds in an hour are a surge where earlier days are known, and where none is.
const BUILDS: [usize; 2] = [50, 200];

/// And so many times as many as in any hour of the earlier days.
const TIMES: usize = 5;

/// Failed builds, builds that ran out of time, failed deployments: so many in an hour, at least half of all that ended, and twice
/// as many as in any hour of the earlier days.
const FLOORS: [(&str, Code, Severity, usize); 3] = [
    (FAILED, codes::BUILD_FAILURE_SURGE, Severity::Low, 10),
    (TIMED_OUT, codes::BUILD_TIMEOUT_SURGE, Severity::Medium, 5),
    (UNDEPLOYED, codes::DEPLOY_FAILURE_SURGE, Severity::Medium, 5),
];

/// Whether an action starts a build (`CodeBuild` API reference, `StartBuild`, `StartBuildBatch`, `RetryBuild`).
pub(crate) fn is_build(action: &Action<'_>) -> bool {
    let names = ["StartBuild", "StartBuildBatch", "RetryBuild", "RetryBuildBatch"];
    action.service == "codebuild" && names.contains(&&*action.name)
}

/// What is kept of a build that is started.
pub(crate) fn of(call: &Call<'_>) -> Option<Related> {
    if call.outcome != Outcome::Succeeded || !is_build(&call.action) {
        return None;
    }
    // To build again names the build alone, `PROJECT:ID`. Either may be an ARN.
    let named = asked(call, "projectName").or_else(|| asked(call, "id"))?;
    let name = named.rsplit('/').next().unwrap_or(&named);
    let project = name.split(':').next().filter(|project| !project.is_empty())?;
    Some(kept(call, STARTED, "codebuild", project))
}

/// What is kept of a call, or of an event that is written as one.
pub(crate) fn kept(call: &Call<'_>, role: &str, service: &str, name: &str) -> Related {
    let account = call.account().unwrap_or_default();
    let group = format!("surge-{}", group::digest(&[&account, service, name]));
    let noun = match service {
        "codebuild" => "the build project",
        "codepipeline" => "the pipeline",
        "codedeploy" => "the application",
        _ => "the stack",
    };
    let what = format!("{noun} `{}`", handsoff_core::show::clean(name, 64));
    let finding = Finding::new(call, codes::BUILD_SURGE, Severity::Medium, what);
    Related { group, role: role.to_owned(), who: String::new(), finding, only_first: false }
}

/// Whether a group is one of those here.
pub(crate) fn is_group(group: &str) -> bool {
    group.starts_with("surge-")
}

/// An hour of one group: the calls of each role, by time.
type Hour<'r> = BTreeMap<&'r str, BTreeMap<(Option<Time>, Key), &'r Related>>;

/// The surges of all groups.
pub(crate) fn join(related: &[Related]) -> Vec<Finding> {
    let mut groups: BTreeMap<&str, BTreeMap<Time, Hour<'_>>> = BTreeMap::new();
    for one in related {
        let Some(time) = one.finding.time else { continue };
        let hour = groups.entry(&one.group).or_default().entry(time.floor(HOUR)).or_default();
        let place = (Some(time), one.finding.key);
        // Of two that hand-made logs give the same key, the same one stays whichever came first.
        let kept = hour.entry(&one.role).or_default().entry(place).or_insert(one);
        *kept = (*kept).min(one);
    }
    groups.values().flat_map(|hours| of_group(hours)).collect()
}

fn of_group(hours: &BTreeMap<Time, Hour<'_>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (start, hour) in hours {
        let day = start.floor(TimeDelta::days(1));
        let earlier = || hours.range(day - TimeDelta::days(DAYS)..day).map(|(_, hour)| hour);
        let highest = |roles: &[&str]| {
            let in_hour =
                |hour: &Hour<'_>| roles.iter().map(|role| count(hour, role)).max().unwrap_or_default();
            earlier().map(in_hour).max().unwrap_or_default()
        };
        let many = highest(&[STARTED, RUNS]);
        let floor = if earlier().next().is_some() { BUILDS[0] } else { BUILDS[1] };
        let most = floor.max(TIMES * many);
        // The records and the events of the same builds.
        for role in [STARTED, RUNS] {
            let before = format!("{most} builds within an hour; {}", as_before(many, TIMES, floor));
            findings.extend(surge(*start, hour, role, (codes::BUILD_SURGE, Severity::Medium, most), &before));
        }
        for (role, code, severity, floor) in FLOORS {
            let many = highest(&[role]);
            let (own, well) = (count(hour, role), count(hour, SUCCEEDED));
            let ended = well + FLOORS.iter().map(|(role, ..)| count(hour, role)).sum::<usize>();
            let most = floor.max(2 * many).max(ended.div_ceil(2));
            if own >= most {
                let most = floor.max(2 * many);
                let said = match role {
                    FAILED => "builds failed",
                    TIMED_OUT => "builds ran out of time",
                    _ => "deployments failed",
                };
                let said = format!(
                    "{most} {said} within an hour, at least half of all; {}",
                    as_before(many, 2, floor)
                );
                findings.extend(surge(*start, hour, role, (code, severity, most), &said));
            }
        }
    }
    findings.dedup_by_key(|finding| finding.key);
    findings
}

fn as_before(many: usize, times: usize, floor: usize) -> String {
    format!(
        "from {floor} on, and {times} times the {many} of the busiest hour of earlier days, it is a surge"
    )
}

fn count(hour: &Hour<'_>, role: &str) -> usize {
    hour.get(role).map_or(0, BTreeMap::len)
}

/// The one finding on an hour with so many calls of a role; known with the last of these. Its incident is the group's and
/// the day's, not their callers': each build may have a session of its own.
fn surge(
    start: Time,
    hour: &Hour<'_>,
    role: &str,
    (code, severity, most): (Code, Severity, usize),
    said: &str,
) -> Option<Finding> {
    let calls = hour.get(role)?;
    let last = calls.values().nth(most.checked_sub(1)?)?;
    let first = calls.values().next()?;
    let what = &first.finding.reason;
    let hour = start.to_string();
    Some(Finding {
        code,
        severity,
        incident: format!("drift-{}", group::digest(&["surge", &first.group, &start.date()])),
        reason: format!("Of {what} at least {said}."),
        next: code.next_step().into(),
        key: Key::named(&group::digest(&["surge", &first.group, code.as_str(), &hour])),
        time: Some(start),
        event_time: Some(hour),
        known: last.finding.time,
        ..first.finding.clone()
    })
}
