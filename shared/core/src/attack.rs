//! Calls that whoever comes in makes first: they stop, blind or starve logging and detection.

mod kept;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::partition::Partition;
use handsoff_cloudtrail::table::Table;
use handsoff_cloudtrail::{AccessLevel, Action, Record, resources};

use crate::policy::Policy;
use crate::principal::{Kind, Principal, compute_service};

/// What a call attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attack {
    /// What it does, in plain words: `stops a trail`.
    pub what: &'static str,
    /// How much it takes for the call to be an attack.
    pub scope: Scope,
    /// Whether it hits logging or detection for certain: by what it does, or because the policy protects
    /// what it is done to.
    pub grave: bool,
}

/// How much it takes for a call to be an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Whoever makes it, on whatever.
    Always,
    /// When it isn't made by the pipeline; then only on what the policy protects.
    ByHand,
    /// When neither the pipeline nor a workload makes it; by these only on what the policy protects: forwarders of logs and
    /// controllers make such calls every day.
    ByPerson,
    /// On what the policy protects: pipelines make such calls every day.
    OnProtected,
}

/// A line is `service:Action SCOPE[/WHAT KEEPS IT] what it does | source`.
const TABLE: Table = Table::of(include_bytes!("../data/attacks.txt"));

impl Attack {
    /// Whether the call attacks logging or detection. `pipeline`: a deploy role makes it. Code is no pipeline: what a
    /// workload's credentials are used for here is reported like a person's, but for calls that are workloads' daily work.
    pub fn of(action: &Action<'_>, record: &Record<'_>, policy: &Policy, pipeline: bool) -> Option<Self> {
        let (attack, keeps) = Self::listed(&action.service, &action.name)?;
        if keeps.is_some_and(|keeps| kept::takes_nothing(keeps, record.request_parameters)) {
            return None;
        }
        if attack.scope == Scope::Always {
            return Some(attack);
        }
        if targets(action, record).iter().any(|resource| policy.protects(resource)) {
            return Some(Self { grave: true, ..attack });
        }
        let by_hand = match attack.scope {
            // Only such calls ask for the caller once more: they are few.
            Scope::ByPerson => !pipeline && Principal::of(record, policy).kind != Kind::Workload,
            Scope::ByHand => !pipeline,
            Scope::Always | Scope::OnProtected => !pipeline && is_unnamed(action, record),
        };
        by_hand.then_some(Self { grave: false, ..attack })
    }

    /// Whether the request says among other settings that a log is off: no attack, for who writes a whole configuration says so
    /// of logs that there never were. But who stops a log may add another setting.
    pub fn leaves_log_off(action: &Action<'_>, record: &Record<'_>) -> bool {
        Self::listed(&action.service, &action.name).is_some_and(|(_, keeps)| keeps == Some("logs"))
            && kept::logs(record.request_parameters) == kept::Logs::AreOff
    }

    /// Whether the call changes something that the policy protects, by an action that the table lacks. Not by the role of a
    /// protected function in that function, whose work it is: AWS says in the record whom it gave the credentials.
    ///
    /// Tags change nothing of what they are on; and what workloads write as data is not the set-up of anything.
    pub fn on_protected(
        action: &Action<'_>,
        record: &Record<'_>,
        policy: &Policy,
        principal: &Principal<'_>,
    ) -> Option<Self> {
        // The record's text first: most changes name nothing of it.
        let changes = Self::may_be_on_protected(record, policy) && action.access() != AccessLevel::Tagging;
        if !changes || Self::is_listed(action) {
            return None;
        }
        let is_data = record.management_event.flag() == Some(false);
        let own = principal.arn.as_deref().is_some_and(|arn| policy.protects(arn));
        // Lambda takes a queue's messages with the role of the function that it gives them to.
        let by_itself =
            own && (compute_service(&principal.identity) == Some("lambda") || Self::drains(action));
        if by_itself || (is_data && principal.kind == Kind::Workload) {
            return None;
        }
        let what = "changes what logging or detection is made of";
        let on_protected = targets(action, record).iter().any(|resource| policy.protects(resource));
        on_protected.then_some(Self { what, scope: Scope::OnProtected, grave: false })
    }

    /// Whether [`Self::on_protected`] has to look at a change: by its record's text alone.
    pub fn may_be_on_protected(record: &Record<'_>, policy: &Policy) -> bool {
        let parts = [record.request_parameters, record.response_elements, record.resources];
        parts.iter().any(|part| policy.protected.may_be_in(part.as_str()))
    }

    /// Whether the action takes away what is read: AWS files it with the reads or the changes, as the record says.
    pub fn drains(action: &Action<'_>) -> bool {
        action.service == "sqs" && action.name == "ReceiveMessage"
    }

    /// Whether the table has the action, and the action by itself may be an attack.
    pub fn is_listed(action: &Action<'_>) -> bool {
        Self::listed(&action.service, &action.name).is_some_and(|(_, keeps)| keeps != Some("logs"))
    }

    fn listed(service: &str, name: &str) -> Option<(Self, Option<&'static str>)> {
        let line = std::str::from_utf8(TABLE.find(service, name)?).ok()?;
        let (scope, what) = line.split_once(' ')?;
        let (what, _) = what.split_once(" | ")?;
        let (scope, keeps) = match scope.split_once('/') {
            Some((scope, keeps)) => (scope, Some(keeps)),
            None => (scope, None),
        };
        let scope = match scope {
            "always" => Scope::Always,
            "by-hand" => Scope::ByHand,
            "by-person" => Scope::ByPerson,
            "on-protected" => Scope::OnProtected,
            _ => return None,
        };
        let grave = matches!(scope, Scope::Always | Scope::OnProtected);
        Some((Self { what, scope, grave }, keeps))
    }
}

/// What the call is done to. All of it: a protected resource must not hide behind many others.
fn targets(action: &Action<'_>, record: &Record<'_>) -> Vec<String> {
    if action.service != "iam" {
        let mut targets = resources::all(record);
        targets.extend(resources::requested(record));
        // A request that has only an ID may be answered with the name of what it was done to.
        targets.extend(resources::answered(record, usize::MAX));
        if action.service == "kms" {
            targets.extend(key_arn(record));
        }
        return targets;
    }
    // Of a role and its policies the role counts: AWS's own policies have names such as AWSCloudTrail_ReadOnlyAccess.
    let named = ["roleName", "instanceProfileName"]
        .iter()
        .filter_map(|key| record.request_parameters.get(key)?.text());
    let named = named.map(std::borrow::Cow::into_owned).chain(record.denied_resource());
    // IAM finds names whatever their case ("IAM and AWS STS quotas").
    named.flat_map(|name| [name.to_lowercase(), name]).collect()
}

/// The ARN of a key that the request has only the ID of: a policy protects keys by ARN.
fn key_arn(record: &Record<'_>) -> Option<String> {
    let id = record.request_parameters.get("keyId")?.text().filter(|id| !id.contains([':', '/']))?;
    let (region, account) = (record.aws_region.text()?, record.recipient_account_id.text()?);
    Some(format!("arn:{}:kms:{region}:{account}:key/{id}", Partition::of_region(&region).id))
}

/// Whether nothing in the record says which stack a change set is of: its ARN has only the set's own name.
fn is_unnamed(action: &Action<'_>, record: &Record<'_>) -> bool {
    let asked = |key: &str| record.request_parameters.get(key).and_then(Raw::text);
    action.service == "cloudformation"
        && action.name.eq_ignore_ascii_case("ExecuteChangeSet")
        && asked("changeSetName").is_some()
        && asked("stackName").is_none()
}

#[cfg(test)]
mod tests;
