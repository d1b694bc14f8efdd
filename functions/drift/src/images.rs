//! Machine images that are launched and that `[images]` doesn't approve, by any caller: also by services, such as
//! EC2 Auto Scaling for its groups.

use std::borrow::Cow;
use std::collections::BTreeSet;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Record};
use handsoff_core::policy::{Images, Policy};
use handsoff_core::{Call, Finding, Kind, Outcome, Severity, deputy, group, show};

use crate::codes;

/// So many images are named; the others are counted.
const NAMED: usize = 3;

/// So deep a request is looked at.
const DEEPEST: usize = 12;

/// The calls of EC2, Auto Scaling and Batch whose request may name an image that machines are made from ("Amazon EC2 API
/// Reference", "Amazon EC2 Auto Scaling API Reference", "AWS Batch API Reference"). What else launches machines, such as EMR,
/// does so by `RunInstances`.
const LAUNCHES: [(&str, &str); 15] = [
    ("ec2", "RunInstances"),
    ("ec2", "CreateReplaceRootVolumeTask"),
    ("ec2", "RequestSpotInstances"),
    ("ec2", "RequestSpotFleet"),
    ("ec2", "CreateFleet"),
    ("ec2", "ModifyFleet"),
    ("ec2", "CreateLaunchTemplate"),
    ("ec2", "CreateLaunchTemplateVersion"),
    ("autoscaling", "CreateLaunchConfiguration"),
    ("autoscaling", "CreateAutoScalingGroup"),
    ("autoscaling", "UpdateAutoScalingGroup"),
    ("autoscaling", "StartInstanceRefresh"),
    ("autoscaling", "LaunchInstances"),
    ("batch", "CreateComputeEnvironment"),
    ("batch", "UpdateComputeEnvironment"),
];

/// The finding on a call that launches an image which isn't approved, or prepares to.
pub(crate) fn finding(call: &Call<'_>, policy: &Policy) -> Option<Finding> {
    let images = policy.images.as_ref()?;
    if call.outcome != Outcome::Succeeded {
        return None;
    }
    let found = unapproved(call.principal.kind, &call.action, &call.record, images);
    let (shown, more) = shown(&found)?;
    let (severity, who) = match call.principal.kind {
        Kind::DeployRole => (Severity::Medium, "The pipeline"),
        Kind::Service => (Severity::Medium, "A service"),
        Kind::Workload => (Severity::Medium, "A workload"),
        Kind::Human => (Severity::High, "A person"),
        _ => (Severity::High, "An identity that the policy doesn't know"),
    };
    let passes = deputy::of(call, policy);
    let severity =
        if passes.as_ref().is_some_and(|it| it.is_grave) { severity.max(Severity::High) } else { severity };
    let did = if is_run(&call.action) { "launched" } else { "is about to launch" };
    let reason = format!(
        "{who} {did} an image that {} doesn't approve: `{shown}`{more}{}.",
        images.line,
        passes.as_ref().map(deputy::Deputy::words).unwrap_or_default()
    );
    let mut finding = Finding::new(call, codes::IMAGE_NOT_APPROVED, severity, reason);
    // What is repeated is so by the first resource. All images are in it, or one that was reported would hide another.
    let all = found.iter().map(|image| show::clean(image, 128)).collect::<Vec<_>>().join(", ");
    let all = show::clean(&all, 256);
    finding.incident = group::of_resource(&finding.incident, &all);
    finding.resources.insert(0, all);
    finding.resources.truncate(8);
    Some(finding)
}

/// Whether an action may launch an image.
pub(crate) fn is_watched(action: &Action<'_>) -> bool {
    LAUNCHES.iter().any(|(service, name)| *service == action.service && *name == action.name)
}

/// Whether [`finding`] has to look at a change, by what is known before it is classified.
pub(crate) fn may_be(kind: Kind, record: &Record<'_>, policy: &Policy) -> bool {
    let action = Action::of(record);
    policy.images.as_ref().is_some_and(|images| !unapproved(kind, &action, record, images).is_empty())
}

/// Whether machines are there after the call; else there is what they will be made from.
fn is_run(action: &Action<'_>) -> bool {
    matches!(&*action.name, "RunInstances" | "CreateReplaceRootVolumeTask" | "LaunchInstances")
}

/// The images of a call that aren't approved, in their order; none where the record names none.
fn unapproved<'r>(
    kind: Kind,
    action: &Action<'_>,
    record: &Record<'r>,
    images: &Images,
) -> BTreeSet<Cow<'r, str>> {
    // A service launches by RunInstances, whatever it prepares before.
    if !is_watched(action) || (kind == Kind::Service && action.name != "RunInstances") {
        return BTreeSet::new();
    }
    let asked = if action.name == "RunInstances" {
        let asked = of_instances(record.request_parameters);
        let is_approved = |image: &Cow<'_, str>| image.starts_with("resolve:") && images.approves(image);
        // The one image of the request is what is launched, whatever the template says; the answer has but its ID.
        if !asked.is_empty() && asked.iter().all(is_approved) {
            return BTreeSet::new();
        }
        let launched = of_instances(record.response_elements);
        if launched.is_empty() { asked } else { launched }
    } else {
        named_anywhere(record.request_parameters)
    };
    asked.into_iter().filter(|image| !images.approves(image)).collect()
}

/// The images of `RunInstances`: in request and answer they stand at the same place.
fn of_instances(part: Raw<'_>) -> Vec<Cow<'_, str>> {
    named_anywhere(part.get("instancesSet").unwrap_or_default())
}

/// Each image that a part of a record names, at any place: `imageId`, `ImageId`, `imageIdOverride`. EC2 writes some values as
/// `{"tag":1,"content":"ami-1"}`.
fn named_anywhere(part: Raw<'_>) -> Vec<Cow<'_, str>> {
    let mut images = Vec::new();
    let mut left = vec![(false, part, 0)];
    while let Some((named, value, depth)) = left.pop() {
        if depth > DEEPEST {
            continue;
        }
        if value.is_object() {
            let members = value.members().flatten();
            left.extend(members.map(|(key, member)| {
                let is_image =
                    ["imageId", "imageIdOverride"].iter().any(|name| name.eq_ignore_ascii_case(&key));
                (is_image || (named && key == "content"), member, depth + 1)
            }));
        } else if value.is_array() {
            left.extend(value.elements().flatten().map(|element| (named, element, depth + 1)));
        } else if named {
            images.extend(value.text().filter(|image| !image.is_empty()));
        }
    }
    images
}

/// The first images, to show, and how many more there are; `None` if there is none.
fn shown(images: &BTreeSet<Cow<'_, str>>) -> Option<(String, String)> {
    if images.is_empty() {
        return None;
    }
    let first: Vec<String> = images.iter().take(NAMED).map(|image| show::clean(image, 128)).collect();
    let more = images.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some((first.join("`, `"), more))
}
