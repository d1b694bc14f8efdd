//! Launches of machines that were refused. Somebody who wants to compute at the account's expense asks for sizes with
//! accelerators, and Region after Region, until one is given.
//!
//! What counts is how many different sizes and Regions were refused on a day, not how often: a retry adds nothing. That a
//! size is sold out (`InsufficientInstanceCapacity`) is nobody's doing, and doesn't count; nor does what EC2 Auto Scaling
//! retries on its own behalf.

use std::borrow::Cow;
use std::collections::BTreeSet;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Record};
use handsoff_core::{Call, Kind, Outcome, Severity};

/// How many sizes of one launch are looked at: a fleet names several.
const SIZES: usize = 8;

/// How deep a request is searched for them.
const DEEPEST: usize = 8;

/// From so many different sizes and Regions on, refused on a day, it is a search for where machines can be had.
pub(crate) const ENOUGH: usize = 3;

/// "Error codes for the Amazon EC2 API": quotas, a Region that is off, and an account that may launch nothing.
const REFUSALS: [&str; 6] = [
    "VcpuLimitExceeded",
    "InstanceLimitExceeded",
    "MaxSpotInstanceCountExceeded",
    "OptInRequired",
    "PendingVerification",
    "Blocked",
];

/// What a launch asked for, if it was refused and counts: the sizes, and the Region.
///
/// A deploy role's and a service's never count. Of a workload ordinary sizes don't, for what scales runs into quotas; nor does
/// that one lacks a permission for them.
pub(crate) fn of(call: &Call<'_>) -> Option<String> {
    let code = match &call.outcome {
        Outcome::Denied(_) => None,
        Outcome::Failed(code) => Some(refusal(&call.action, code)?),
        _ => return None,
    };
    if !is_launch(&call.action) {
        return None;
    }
    let asked = asked(&call.record);
    let counts = match call.principal.kind {
        Kind::Human | Kind::Unknown => true,
        Kind::Workload => has_accelerators(&asked) || code == Some("OptInRequired"),
        _ => false,
    };
    counts.then_some(asked)
}

/// The code of EC2's with which a launch failed, if it is one of a refusal.
pub(crate) fn refusal(action: &Action<'_>, code: &str) -> Option<&'static str> {
    // EC2 puts it before its codes.
    let code = code.strip_prefix("Client.").unwrap_or(code);
    let found = REFUSALS.into_iter().find(|refusal| *refusal == code)?;
    // The rule lets through no other's quotas.
    let by_instance = matches!(&*action.name, "RunInstances" | "RequestSpotInstances");
    (is_launch(action) && (by_instance || !found.ends_with("LimitExceeded"))).then_some(found)
}

fn is_launch(action: &Action<'_>) -> bool {
    action.service == "ec2"
        && matches!(
            &*action.name,
            "RunInstances" | "RequestSpotInstances" | "CreateFleet" | "RequestSpotFleet"
        )
}

/// What was asked for, made harmless: the caller chooses it.
pub(crate) fn asked(record: &Record<'_>) -> String {
    let sizes = sizes(record.request_parameters);
    let sizes: Vec<&str> = sizes.iter().map(|size| &**size).take(SIZES).collect();
    let sizes = if sizes.is_empty() { "a size that the record lacks".to_owned() } else { sizes.join(", ") };
    let region = record.aws_region.text().filter(|region| is_plain(region)).unwrap_or("no Region".into());
    format!("{sizes} in {region}")
}

/// Whether one of the sizes that were asked for has GPUs or other accelerators ("Accelerated computing", Amazon EC2 instance
/// types).
pub(crate) fn has_accelerators(asked: &str) -> bool {
    let sizes = asked.rsplit_once(" in ").map_or("", |(sizes, _)| sizes);
    sizes.split(", ").any(|size| {
        let family = size.trim_start_matches(|one: char| one.is_ascii_lowercase());
        let letters = size.strip_suffix(family).unwrap_or_default();
        ["p", "g", "trn", "inf", "dl"].contains(&letters)
    })
}

/// Launches of a day, in the order of time.
#[derive(Default)]
pub(crate) struct Launches<'l> {
    different: BTreeSet<&'l str>,
    regions: BTreeSet<&'l str>,
    accelerated: bool,
}

impl<'l> Launches<'l> {
    /// With one more, and how grave they are: `None` if they aren't enough.
    pub(crate) fn add(&mut self, asked: &'l str) -> Option<Severity> {
        self.different.insert(asked);
        self.regions.extend(asked.rsplit_once(" in ").map(|(_, region)| region));
        self.accelerated |= has_accelerators(asked);
        // What somebody asks for who computes at others' expense.
        let grave = self.accelerated || self.regions.len() > 1;
        let severity = if grave { Severity::High } else { Severity::Medium };
        (self.different.len() >= ENOUGH).then_some(severity)
    }
}

/// The sizes that a request names, at any place: `instanceType`, `InstanceType`. EC2 writes some values as
/// `{"tag":1,"content":"m5.large"}`.
fn sizes(request: Raw<'_>) -> BTreeSet<Cow<'_, str>> {
    let mut sizes = BTreeSet::new();
    let mut left = vec![(false, request, 0)];
    while let Some((named, value, depth)) = left.pop() {
        if depth > DEEPEST {
            continue;
        }
        if value.is_object() {
            left.extend(value.members().flatten().map(|(key, member)| {
                let is_size = "instanceType".eq_ignore_ascii_case(&key) || named && key == "content";
                (is_size, member, depth + 1)
            }));
        } else if value.is_array() {
            left.extend(value.elements().flatten().map(|element| (named, element, depth + 1)));
        } else if named {
            sizes.extend(value.text().filter(|size| is_plain(size)));
        }
    }
    sizes
}

/// Whether a text can be a size or a Region.
fn is_plain(text: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    !text.is_empty() && text.len() <= 32 && text.bytes().all(is_one)
}
