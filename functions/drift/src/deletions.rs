//! How much is deleted: by the pipeline, for that each deletion is its job doesn't make a thousand of them one; and of data by a
//! person, whose deletions are low one by one.
//!
//! What counts is a set: the different resources of one kind that a deploy role deletes within an hour of the clock (UTC), and
//! the calls of one kind by which a person deletes data. So neither order nor repeats matter.

use std::collections::BTreeMap;

use handsoff_cloudtrail::{Action, Class, Effect, TimeDelta, resources};
use handsoff_core::detector::Related;
use handsoff_core::policy::{Policy, exceptions};
use handsoff_core::show::clean;
use handsoff_core::{Call, Finding, Key, Kind, Outcome, Severity, Trace, group};

use crate::codes;

/// The length of what is counted.
pub(crate) const HOUR: TimeDelta = TimeDelta::hours(1);

/// So much of an hour is looked at, its first calls: a kilobyte and a half each.
pub(crate) const LOOK_AT: usize = 500;

/// At most so many resources of one call: `TerminateInstances` takes no more.
const OF_A_CALL: usize = 1000;

/// More calls of one kind than these, that delete data by hand within an hour, are a mass deletion.
const BY_HAND: usize = 50;

/// What to do about the pipeline's.
const NEXT: &str = "Look for the reviewed change that did this, and stop the pipeline until you have found it. If there is one, \
                    and its like will come again, raise `deletions` of the pipeline's entry. If there is none, treat it as an \
                    intrusion: revoke the role's sessions, and restore what was deleted.";

/// What holds no data and whose loss is an outage all the same, or the loss of what runs there. Each is an operation of the
/// service's API reference. What deploys replace all the time isn't here: change sets, versions, task definitions.
const SERVING: [(&str, &str); 22] = [
    ("autoscaling", "DeleteAutoScalingGroup"),
    ("cloudformation", "DeleteStack"),
    ("cloudfront", "DeleteDistribution"),
    ("ec2", "DeleteVolume"),
    ("ec2", "DeleteVpc"),
    ("ec2", "TerminateInstances"),
    ("ecs", "DeleteCluster"),
    ("ecs", "DeleteService"),
    ("eks", "DeleteCluster"),
    ("eks", "DeleteNodegroup"),
    ("elasticloadbalancing", "DeleteLoadBalancer"),
    ("elasticloadbalancing", "DeleteTargetGroup"),
    ("iam", "DeleteRole"),
    ("iam", "DeleteUser"),
    ("kinesis", "DeleteStream"),
    ("lambda", "DeleteFunction"),
    ("logs", "DeleteLogGroup"),
    ("s3", "DeleteBucket"),
    ("sns", "DeleteTopic"),
    ("sqs", "DeleteQueue"),
    ("ssm", "DeleteParameter"),
    ("states", "DeleteStateMachine"),
];

/// Whether an action deletes what is counted.
pub(crate) fn is_counted(action: &Action<'_>) -> bool {
    action.class() == Some(Class::Destruction)
        || SERVING.iter().any(|(service, name)| *service == action.service && *name == action.name)
}

/// What is kept of a deletion: by the pipeline, or of data by a person.
pub(crate) fn of(call: &Call<'_>, policy: &Policy) -> Option<Related> {
    if call.outcome != Outcome::Succeeded || call.effect != Effect::Changes {
        return None;
    }
    match call.principal.kind {
        Kind::DeployRole if is_counted(&call.action) => by_pipeline(call, policy),
        Kind::Human if is_of_data(call) => by_hand(call, policy),
        _ => None,
    }
}

fn by_pipeline(call: &Call<'_>, policy: &Policy) -> Option<Related> {
    let entry = policy.deploy.get(call.principal.entry?)?;
    let (account, hour) = (call.account().unwrap_or_default(), call.time?.floor(HOUR));
    let arn = call.principal.arn.as_deref().unwrap_or_default();
    // The limit, too: what was counted against another is another set.
    let most = entry.deletions;
    let group = format!("deletions|{most}|{hour}|{}|{account}|{arn}", call.action);
    let reason = entry.line.to_string();
    let finding = Finding::new(call, codes::DEPLOY_OUT_OF_BOUNDS, Severity::Medium, reason);
    let deleted = deleted(call, most.saturating_add(1).min(OF_A_CALL));
    Some(Related { group, role: deleted.join(" "), who: arn.to_owned(), finding, only_first: false })
}

/// Whether a call deletes data, and no resource: each by itself is low, and nobody is alerted.
fn is_of_data(call: &Call<'_>) -> bool {
    let name = &*call.action.name;
    // "Amazon DynamoDB API Reference", `BatchWriteItem` and `TransactWriteItems`: they put and delete.
    let batch = || {
        call.action.service == "dynamodb"
            && matches!(name, "BatchWriteItem" | "TransactWriteItems")
            && ["\"deleteRequest\"", "\"delete\""]
                .iter()
                .any(|it| call.record.request_parameters.as_str().contains(it))
    };
    call.record.management_event.flag() == Some(false) && (name.starts_with("Delete") || batch())
}

fn by_hand(call: &Call<'_>, policy: &Policy) -> Option<Related> {
    if exceptions::covering(call, policy, &mut Trace::off()).is_some() {
        return None;
    }
    let (who, hour) = (group::denial_group(call), call.time?.floor(HOUR));
    let group = format!("deletions|{BY_HAND}|{hour}|{}|{who}", call.action);
    let finding = Finding::new(call, codes::MASS_DELETION, Severity::Medium, String::new());
    // Records don't name all that tells what they delete: each call is one.
    Some(Related { group, role: format!("{:016x}", finding.key.0), who, finding, only_first: false })
}

/// What a call deletes, as digests: of one call one thing, but of those that take a list each of it.
fn deleted(call: &Call<'_>, most: usize) -> Vec<String> {
    let named = resources::requested(&call.record);
    if call.action.name.starts_with("Terminate") && !named.is_empty() {
        return named.iter().take(most).map(|one| group::digest(&[one])).collect();
    }
    let named = if named.is_empty() { resources::all(&call.record) } else { named };
    if named.is_empty() {
        return vec![format!("{:016x}", Key::of(&call.record).0)];
    }
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    vec![group::digest(&named)]
}

/// The findings on hours that have too many. They may come in any order, and more than once.
pub(crate) fn join(mut related: Vec<Related>) -> Vec<Finding> {
    related
        .sort_by(|a, b| (a.finding.time, a.finding.key).cmp(&(b.finding.time, b.finding.key)).then(a.cmp(b)));
    let mut groups: BTreeMap<&str, Vec<&Related>> = BTreeMap::new();
    for one in &related {
        groups.entry(&one.group).or_default().push(one);
    }
    groups.into_iter().filter_map(|(group, calls)| of_hour(group, &calls)).collect()
}

/// The one finding on an hour, known with the deletion that is one too many.
fn of_hour(group: &str, calls: &[&Related]) -> Option<Finding> {
    let most: usize = group.split('|').nth(1)?.parse().ok()?;
    let first = &calls.first()?.finding;
    let start = first.time?.floor(HOUR);
    let mut deleted = std::collections::BTreeSet::new();
    let last = calls.iter().find(|one| {
        deleted.extend(one.role.split(' '));
        deleted.len() > most
    })?;
    let action = clean(&first.action, 128);
    let reason = if first.code == codes::MASS_DELETION {
        format!("A person deleted data by more than {most} calls of `{action}` within an hour.")
    } else {
        format!(
            "The pipeline ({}) deleted more than {most} resources by `{action}` within an hour; `deletions` of its entry allows \
             {most}.",
            first.reason
        )
    };
    let next = if first.code == codes::MASS_DELETION { first.code.next_step() } else { NEXT };
    let hour = start.to_string();
    Some(Finding {
        severity: Severity::Medium,
        incident: format!(
            "drift-{}",
            group::digest(&["deletions", &first.account, &calls.first()?.who, &start.date()])
        ),
        reason,
        next: next.into(),
        key: Key::named(&group::digest(&["deletions", group])),
        time: Some(start),
        event_time: Some(hour),
        known: last.finding.time,
        ..first.clone()
    })
}
