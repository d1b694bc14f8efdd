//! Jobs of GitHub and GitLab that assume a deploy role: of which branch, by what the OIDC subject says.
//!
//! "`OpenID` Connect reference" (GitHub): `repo:OWNER/REPO:ref:refs/heads/BRANCH`, `…:environment:NAME`,
//! `…:pull_request`. "`OpenID` Connect (OIDC) authentication using ID tokens" (GitLab):
//! `project_path:GROUP/PROJECT:ref_type:TYPE:ref:NAME`.

use handsoff_cloudtrail::IdentityType;
use handsoff_core::policy::{Deploy, Origin, Policy};
use handsoff_core::{Call, Finding, Severity, Target, show};

use crate::codes;

/// What a subject says of the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job<'s> {
    /// It runs on this branch.
    Branch(&'s str),
    /// It runs for a pull request, whose author chooses what it does.
    PullRequest,
}

/// The finding on a job that assumed a deploy role and that no entry lists. Whom an entry with `assumed_by` leaves out
/// altogether misuses the role, which is drift's.
pub(crate) fn finding(call: &Call<'_>, policy: &Policy) -> Option<Finding> {
    let Some(Target::Deploy(place)) = call.target else { return None };
    let identity = &call.principal.identity;
    if call.action.name != "AssumeRoleWithWebIdentity" || identity.kind != IdentityType::WebIdentityUser {
        return None;
    }
    let (entry, subject) = (policy.deploy.get(place)?, identity.user_name.as_deref()?);
    let provider = identity.web_provider();
    if writes_out(entry, provider, subject) {
        return None;
    }
    let (severity, from) = match job(provider?, subject)? {
        Job::PullRequest => {
            (Severity::High, "a pull request, whose author chooses what its jobs do".to_owned())
        }
        Job::Branch(branch) if !policy.pipeline.trusts_branch(branch) => {
            let branch = show::clean(branch, 64);
            (
                Severity::Medium,
                format!("the branch `{branch}`, which isn't listed ({})", policy.pipeline.line),
            )
        }
        Job::Branch(_) => return None,
    };
    let subject = show::clean(subject, 128);
    let reason =
        format!("A job of {from} assumed the deploy role of {}: its subject is `{subject}`.", entry.line);
    Some(Finding::new(call, codes::DEPLOY_FROM_BRANCH, severity, reason))
}

/// Whether the entry lists the subject itself, and not by a `*` alone.
fn writes_out(entry: &Deploy, provider: Option<&str>, subject: &str) -> bool {
    entry.assumed_by.iter().any(|origin| match origin {
        Origin::WebIdentity(listed) => !listed.subject().contains('*') && listed.matches(provider, subject),
        _ => false,
    })
}

/// What a subject says, if its form is the provider's. A repository's and a branch's name have no colon.
fn job<'s>(provider: &str, subject: &'s str) -> Option<Job<'s>> {
    let host = provider.split('/').next().unwrap_or(provider);
    let parts = || subject.split(':');
    let behind = |name: &str| parts().skip_while(move |part| *part != name).nth(1);
    if host.eq_ignore_ascii_case("token.actions.githubusercontent.com") {
        subject.strip_prefix("repo:")?;
        // An environment may be called anything.
        let mut pairs = parts().zip(parts().skip(1));
        if pairs.any(|(before, part)| part == "pull_request" && before != "environment") {
            return Some(Job::PullRequest);
        }
        return behind("ref")?.strip_prefix("refs/heads/").map(Job::Branch);
    }
    subject.strip_prefix("project_path:")?;
    match behind("ref_type")? {
        "branch" => behind("ref").map(Job::Branch),
        _ => None,
    }
}
