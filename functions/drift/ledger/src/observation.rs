//! What one record says of a resource.

use std::collections::BTreeSet;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Effect, Time};
use handsoff_core::person::may_be;
use handsoff_core::show::clean;
use handsoff_core::{Call, Disposition, Finding, Key, Kind, Outcome, Policy, Verdict};
use serde::{Deserialize, Serialize};

use crate::acceptance::Acceptance;
use crate::resource::{Resource, changed};
use crate::table::Does;

/// What one record, or one acceptance, says of a resource. It never changes, and two of the same event are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Observation {
    /// The resource.
    pub resource: Resource,
    /// When, by the record.
    pub time: Time,
    /// What makes deliveries of the same event one.
    pub event: String,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened to a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// Somebody changed it by hand.
    Hand(Box<Hand>),
    /// A deploy role changed it.
    Deploy {
        /// The role or user.
        by: String,
        /// Whether `CloudFormation` made the call for it.
        stack: bool,
    },
    /// It was deleted, by whomever.
    Gone {
        /// By whom.
        by: String,
    },
    /// Somebody answers for the changes up to now.
    Accepted(Acceptance),
    /// The change set, which is the resource, would revert a stack's drift.
    Plans {
        /// The stack.
        stack: Box<Resource>,
    },
    /// A deploy role executed the change set, which is the resource.
    Executes {
        /// The role or user.
        by: String,
    },
}

/// A change by hand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hand {
    /// What was called.
    pub action: String,
    /// Who, in short.
    pub by: String,
    /// The human behind it, as far as the record says.
    pub human: Option<String>,
    /// The incident of the session.
    pub incident: String,
    /// Whether the call makes the resource.
    pub makes: bool,
    /// Whether `CloudFormation` made the call for the person.
    pub by_stack: bool,
    /// The stack, where the record names it.
    pub stack: Option<Resource>,
}

impl Hand {
    /// Whether it may be a change of this person's own.
    pub(crate) fn may_be_by(&self, person: &str) -> bool {
        let names = [Some(&self.by), self.human.as_ref()];
        names.into_iter().flatten().any(|name| may_be(name, person))
    }
}

/// What a record is to the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// What it says of resources.
    pub observations: Vec<Observation>,
    /// The action of a change by hand whose resource isn't known, or whose time.
    pub unknown: Option<String>,
}

/// Whose change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Hand,
    Deploy,
    Others,
}

/// What a call says of resources. `finding` is the verdict of its owner, where there is something to report.
///
/// A change is by hand that drift or break-glass reports as such; by the pipeline one that is expected of a deploy role. Of
/// all others, as of workloads and of what an exception tolerates, only deletions count, and of services that act by
/// themselves nothing. Data aren't configuration: no pipeline writes them over.
pub fn of(call: &Call<'_>, policy: &Policy, verdict: &Verdict) -> Observed {
    if call.outcome != Outcome::Succeeded || call.effect != Effect::Changes || is_data(call) {
        return Observed::default();
    }
    let Some(whose) = whose(call, policy, verdict) else { return Observed::default() };
    let finding = verdict.finding();
    let mut changed = changed(call);
    if whose == Whose::Others {
        changed.retain(|(does, _)| *does == Does::Deletes);
    }
    let change_sets = change_sets(call, whose);
    let none = changed.is_empty() && change_sets.is_empty();
    let action = clean(&call.action.to_string(), 128);
    let Some(time) = call.time.filter(|_| !none) else {
        return Observed { observations: Vec::new(), unknown: (whose == Whose::Hand).then_some(action) };
    };
    let by = call.principal.arn.as_deref().map_or_else(|| call.principal.name(), |arn| clean(arn, 256));
    let event = event(call);
    let mut observations = Vec::new();
    let mut add = |resource: &Resource, what| {
        observations.push(Observation { resource: resource.clone(), time, event: event.clone(), what });
    };
    for (does, resource) in &changed {
        match (whose, finding) {
            (Whose::Hand, Some(finding)) => {
                add(resource, What::Hand(Box::new(hand(call, finding, *does, resource))));
            }
            (Whose::Deploy, _) if *does != Does::Deletes => {
                add(resource, What::Deploy { by: by.clone(), stack: by_stack(call) });
            }
            _ => {}
        }
        if *does == Does::Deletes {
            add(resource, What::Gone { by: call.principal.name() });
        }
    }
    for (resource, stack) in change_sets {
        match stack {
            Some(stack) => add(&resource, What::Plans { stack: Box::new(stack) }),
            None => add(&resource, What::Executes { by: by.clone() }),
        }
    }
    Observed { observations, unknown: None }
}

fn whose(call: &Call<'_>, policy: &Policy, verdict: &Verdict) -> Option<Whose> {
    let code = match verdict {
        Verdict::Finding(finding) => finding.code,
        Verdict::Nothing(Disposition::Expected) => return Some(Whose::Deploy),
        Verdict::Nothing(Disposition::WorkloadAllowed) | Verdict::Excepted(_) => return Some(Whose::Others),
        Verdict::Nothing(_) | Verdict::Undecided(_) => return None,
    };
    let row = code.row();
    let by_people = row.is_by_people && matches!(call.principal.kind, Kind::Human | Kind::Unknown);
    let pipeline = || call.principal.kind == Kind::DeployRole && call.shows_misuse(policy).is_none();
    match call.principal.kind {
        _ if (code.is_attack() || row.is_by_people) && pipeline() => Some(Whose::Deploy),
        _ if !row.is_by_hand && !by_people => Some(Whose::Others),
        // A workload's attack is nobody's change by hand; it is reported all the same.
        Kind::Workload if code.is_attack() => Some(Whose::Others),
        _ => Some(Whose::Hand),
    }
}

fn is_data(call: &Call<'_>) -> bool {
    call.record.event_category.text().is_some_and(|category| category == "Data")
        || call.record.management_event.flag() == Some(false)
}

/// The copies of one call for two accounts are one event, too.
fn event(call: &Call<'_>) -> String {
    let shared = call.record.shared_event_id.text().map(|id| clean(&id, 64));
    shared.unwrap_or_else(|| format!("{:016x}", Key::of(&call.record).0))
}

fn by_stack(call: &Call<'_>) -> bool {
    let service = call.principal.identity.invoking_service();
    service.and_then(handsoff_cloudtrail::partition::service_name) == Some("cloudformation")
}

fn hand(call: &Call<'_>, finding: &Finding, does: Does, resource: &Resource) -> Hand {
    let by_stack = by_stack(call);
    let own = (resource.service == "cloudformation" && resource.kind == "stack").then(|| resource.clone());
    Hand {
        action: finding.action.clone(),
        by: finding.principal.name.clone(),
        human: finding.principal.human.clone(),
        incident: finding.incident.clone(),
        makes: does == Does::Makes,
        by_stack,
        stack: own.or_else(|| if by_stack { tagged(call) } else { None }),
    }
}

/// The stack in the tags that `CloudFormation` gives to what it makes. Nobody else may: AWS keeps `aws:` to itself.
fn tagged(call: &Call<'_>) -> Option<Resource> {
    const TAG: &str = "aws:cloudformation:stack-name";
    let mut rest = vec![(call.record.request_parameters, 0)];
    while let Some((value, depth)) = rest.pop() {
        if depth > 6 {
            continue;
        }
        if value.is_array() {
            rest.extend(value.elements().flatten().take(256).map(|value| (value, depth + 1)));
            continue;
        }
        let member = |name: &str| {
            value
                .members()
                .flatten()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .and_then(|(_, it)| it.text())
        };
        let name = match member("key").as_deref() {
            Some(TAG) => member("value"),
            _ => value.get(TAG).and_then(Raw::text),
        };
        if let Some(name) = name {
            return stack(call, &name);
        }
        rest.extend(value.members().flatten().take(256).map(|(_, value)| (value, depth + 1)));
    }
    None
}

fn stack(call: &Call<'_>, name: &str) -> Option<Resource> {
    let name = name.rsplit_once(":stack/").map_or(name, |(_, name)| name);
    in_cloudformation(call, "stack", name.split('/').next()?)
}

fn in_cloudformation(call: &Call<'_>, kind: &str, name: &str) -> Option<Resource> {
    let (account, region) = (call.door()?, call.record.aws_region.text()?);
    format!("cloudformation:{region}:{account}:{kind}/{name}").parse().ok()
}

/// The change sets that a call plans or executes by the names that a later call may use, and the stack of one that is planned
/// to revert drift.
fn change_sets(call: &Call<'_>, whose: Whose) -> BTreeSet<(Resource, Option<Resource>)> {
    if call.action.service != "cloudformation" {
        return BTreeSet::new();
    }
    let request = |key| call.record.request_parameters.get(key).and_then(Raw::text);
    let own = request("stackName").and_then(|name| stack(call, &name));
    let named = |set: &str| {
        if let Some((_, set)) = set.split_once(":changeSet/") {
            return in_cloudformation(call, "changeSet", set);
        }
        in_cloudformation(call, "changeSet", &format!("{}/{set}", own.as_ref()?.name))
    };
    let asked = request("changeSetName").and_then(|set| named(&set));
    match &*call.action.name {
        "CreateChangeSet" if request("deploymentMode").as_deref() == Some("REVERT_DRIFT") => {
            let made = call.record.response_elements.get("id").and_then(Raw::text);
            let both = asked.into_iter().chain(made.and_then(|id| named(&id)));
            both.filter_map(|name| Some((name, Some(own.clone()?)))).collect()
        }
        "ExecuteChangeSet" if whose == Whose::Deploy => asked.into_iter().map(|name| (name, None)).collect(),
        _ => BTreeSet::new(),
    }
}
