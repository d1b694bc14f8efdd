//! `[[deploy]]` entries that let in more than their author may think, or that can match nothing.

mod subject;

use handsoff_cloudtrail::{AccessLevel, Action, Class};
use handsoff_core::Policy;
use handsoff_core::policy::{Change, Deploy, IdentityPattern, Line, Origin};
use handsoff_core::show::clean;

/// What the `[[deploy]]` entries of a policy warn about, and entries that an earlier one covers.
pub(super) fn warnings(policy: &Policy) -> Vec<String> {
    let mut warned = Vec::new();
    for entry in &policy.deploy {
        warned.extend(lists_nobody(entry));
        warned.extend(only_tags(entry));
        warned.extend(callers_without_tags(entry));
        warned.extend(people_of_a_set(entry));
        warned.extend(open_origins(entry));
        warned.extend(redundant_changes(entry));
    }
    warned.extend(covered_by_earlier(policy));
    warned
}

fn is_permission_set(identity: &IdentityPattern) -> bool {
    let written = identity.as_str();
    written.starts_with("permission-set/")
        || written.rsplit('/').next().is_some_and(|name| name.starts_with("AWSReservedSSO_"))
}

/// A role that anyone but a person may assume unreported.
fn lists_nobody(entry: &Deploy) -> Option<String> {
    let is_role = entry.identity.as_str().contains(":role/") && !is_permission_set(&entry.identity);
    (is_role && entry.assumed_by.is_empty()).then(|| {
        format!(
            "{}: `assumed_by` is missing: any web identity, any other account and any service that runs pipelines \
             may assume `{}` unreported; list what does, such as \
             `oidc:repo:OWNER@OWNERID/REPO@REPOID:ref:refs/heads/main`, `service:codebuild.amazonaws.com` or \
             `arn:aws:iam::ACCOUNT:role/NAME`",
            entry.line,
            clean(entry.identity.as_str(), 128)
        )
    })
}

/// Session tags that anybody who may assume the role can pass.
fn only_tags(entry: &Deploy) -> Option<String> {
    (!entry.session_tags.is_empty() && entry.assumed_by.is_empty()).then(|| {
        format!(
            "{}: `session_tags` without `assumed_by`: who assumes a role chooses the tags, unless its trust policy requires \
             them (`aws:RequestTag`); they bound who is listed, and prove nobody: list in `assumed_by` who assumes `{}`",
            entry.line,
            clean(entry.identity.as_str(), 128)
        )
    })
}

/// Callers that pass no session tags, so that each session that they begin would be misuse: services, but those that run pods
/// of EKS, and GitHub's jobs, whose tokens have no claim for them.
fn callers_without_tags(entry: &Deploy) -> Option<String> {
    let passes_none = |origin: &Origin| match origin {
        Origin::Service(name) if !name.starts_with("pods.eks.") => Some(format!("service:{name}")),
        Origin::WebIdentity(job) if job.subject().starts_with("repo:") => Some(job.subject().to_owned()),
        _ => None,
    };
    let caller = entry.assumed_by.iter().find_map(passes_none).filter(|_| !entry.session_tags.is_empty())?;
    Some(format!(
        "{}: `{}` of `assumed_by` passes no session tags, so each of its sessions is `deploy-role-misused`; remove \
         `session_tags`, or give what it deploys with a role of its own",
        entry.line,
        clean(&caller, 128)
    ))
}

/// A permission set, each call of which is misuse unless people may use it.
fn people_of_a_set(entry: &Deploy) -> Option<String> {
    (is_permission_set(&entry.identity) && !entry.humans).then(|| {
        format!(
            "{}: `{}` is a permission set, which people use, so each of its calls is `deploy-role-misused`; write \
             `humans = true` if people deploy with it, or remove the entry",
            entry.line,
            clean(entry.identity.as_str(), 128)
        )
    })
}

/// Callers by a wildcard that more of them have than the author may think.
fn open_origins(entry: &Deploy) -> Vec<String> {
    let warned = entry.assumed_by.iter().filter_map(|origin| {
        let (written, what) = match origin {
            Origin::WebIdentity(identity) => (identity.subject(), subject::warning(identity.subject())?),
            Origin::Identity(caller) => (caller.as_str(), other_account(entry, caller)?),
            Origin::Service(_) | Origin::Saml(_) => return None,
        };
        Some(format!("{}: `{}` of `assumed_by` {what}", entry.line, clean(written, 128)))
    });
    warned.collect()
}

/// A name with a `*` in another account: that account's callers are known by nothing but the account.
fn other_account(entry: &Deploy, caller: &IdentityPattern) -> Option<String> {
    let account = caller.account().filter(|account| entry.identity.account() != Some(account))?;
    let name = caller.as_str().rsplit(':').next()?;
    name.contains('*').then(|| {
        format!(
            "names many identities of the account {account}: where that is another account than the role's, \
             CloudTrail records the account alone, and any of its identities is let in; write out the one that \
             deploys, and let the role's trust policy name it"
        )
    })
}

/// Actions of `may_change` that another of its items has already.
fn redundant_changes(entry: &Deploy) -> Vec<String> {
    let list = entry.may_change.as_deref().unwrap_or_default();
    let warned = list.iter().enumerate().filter_map(|(place, change)| {
        let Change::Action(pattern) = change else { return None };
        // What a `*` stands for is no one class.
        let (service, name) = pattern.as_str().split_once(':').filter(|(_, name)| !name.contains('*'))?;
        let action = Action::named(service, name);
        let covers = |(other, it): (usize, &'_ Change)| {
            let by_class = matches!(it, Change::Class(_));
            let certain = !by_class || !CLASS_BY_CALL.contains(&name);
            let another = other < place || (other > place && it != change);
            another && certain && it.covers(&action, class_of(&action))
        };
        let by = list.iter().enumerate().find(|(other, it)| covers((*other, it)))?.1;
        Some(format!(
            "{}: `{}` of `may_change` changes nothing, `{}` has it already: remove one of them",
            entry.line,
            clean(pattern.as_str(), 128),
            shown(by)
        ))
    });
    warned.collect()
}

/// Actions whose class the call decides, and not the action alone: a service makes them on its caller's way.
const CLASS_BY_CALL: [&str; 2] = ["CreateServiceLinkedRole", "CreateGrant"];

/// The class of a call of an action.
fn class_of(action: &Action<'_>) -> Option<Class> {
    let permissions = (action.access() == AccessLevel::PermissionsManagement).then_some(Class::Permissions);
    action.class().or(permissions)
}

fn shown(change: &Change) -> String {
    match change {
        Change::Action(pattern) => clean(pattern.as_str(), 128),
        Change::Class(class) => class.map_or("ordinary".into(), |class| class.as_str().into()),
    }
}

/// Entries whose identity an earlier one has. An identity is looked for among those for emergencies first, then among
/// those that deploy, then among workloads, wherever they stand in the file.
fn covered_by_earlier(policy: &Policy) -> Vec<String> {
    let glass = policy.break_glass.iter().map(|entry| (&entry.line, &entry.identity));
    let deploy = policy.deploy.iter().map(|entry| (&entry.line, &entry.identity));
    let workloads = policy.workloads.iter().map(|entry| (&entry.line, &entry.identity));
    let all: Vec<(&Line, &IdentityPattern)> = glass.chain(deploy).chain(workloads).collect();
    let mut warned = Vec::new();
    for (place, (line, identity)) in all.iter().enumerate() {
        let earlier = all.iter().take(place).find(|(_, earlier)| covers(earlier, identity));
        warned.extend(earlier.map(|(by, _)| nothing_left(line, identity, by)));
    }
    // A deploy role's changes are expected, and only its denied calls are left to an exception.
    let tolerant = policy.break_glass.len() + policy.deploy.len();
    for entry in &policy.exceptions {
        let among = if entry.denials { policy.break_glass.len() } else { tolerant };
        let earlier = all.iter().take(among).find(|(_, earlier)| covers(earlier, &entry.identity));
        warned.extend(earlier.map(|(by, _)| nothing_left(&entry.line, &entry.identity, by)));
    }
    warned
}

fn nothing_left(line: &Line, identity: &IdentityPattern, by: &Line) -> String {
    format!(
        "{line}: matches nothing, because {by} covers `{}` and is looked at first; remove this entry, or make one of \
         the two name other identities",
        clean(identity.as_str(), 128)
    )
}

/// Whether all that `later` means `earlier` means, too: the same text, or a name without path that `earlier` matches. A name
/// with a path may have lost it in a record, and is left alone.
fn covers(earlier: &IdentityPattern, later: &IdentityPattern) -> bool {
    let (text, name) = (later.as_str(), later.as_str().split_once('/').map_or("", |(_, name)| name));
    let plain = text.starts_with("arn:") && !name.contains('/') && !name.contains("**");
    earlier.as_str() == text || (plain && earlier.matches(text, None))
}

#[cfg(test)]
mod tests;
