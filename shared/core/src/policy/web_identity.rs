//! Web identities that may assume a deploy role: who authenticates them, and their subject there.
//!
//! A subject alone says little: any principal that may add an OIDC provider to the account can have any subject authenticated.

use std::borrow::Cow;

use super::{Glob, PatternError};

/// Hosts whose subjects have a form of their own. In an entry without a provider, and in a record, the form says
/// who has to authenticate the subject.
const FORMS: [(&str, &str); 3] = [
    ("repo:", "token.actions.githubusercontent.com"),
    ("project_path:", "gitlab.com"),
    ("organization:", "app.terraform.io"),
];

/// How the subject of GitHub's jobs for a pull request ends ("`OpenID` Connect reference").
const PULL_REQUEST: &str = ":pull_request";

/// A web identity: `oidc-provider/PROVIDER:SUBJECT`, or `oidc:SUBJECT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebIdentity {
    /// The provider's host and path, as in its ARN. `None`: the one that the subject's form belongs to, else any.
    provider: Option<String>,
    /// The subject that it authenticates.
    subject: Glob,
}

impl WebIdentity {
    /// Reads how the policy writes it; `None` if it is something else.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn parse(written: &str) -> Option<Result<Self, PatternError>> {
        let (provider, subject) = match written.strip_prefix("oidc-provider/") {
            Some(rest) => {
                rest.split_once(':').map_or((Some(rest), ""), |(host, subject)| (Some(host), subject))
            }
            None => (None, written.strip_prefix("oidc:")?),
        };
        if subject.chars().all(|char| char == '*') {
            return Some(Err(PatternError::NoSubject));
        }
        if provider.is_some_and(|host| host.is_empty() || host.contains('*') || !host.contains('.')) {
            return Some(Err(PatternError::NoProvider));
        }
        let provider = provider.map(|host| host.trim_end_matches('/').to_ascii_lowercase());
        Some(Ok(Self { provider, subject: Glob::new(subject) }))
    }

    /// Whether the entry means this subject, authenticated by this provider.
    pub fn matches(&self, provider: Option<&str>, subject: &str) -> bool {
        let vouched = match (&self.provider, form(subject)) {
            (Some(named), _) => provider.is_some_and(|found| is_host(found, named)),
            (None, Some(host)) => provider.is_some_and(|found| is_under(found, host)),
            (None, None) => true,
        };
        // The person who opens a pull request chooses what its jobs do: a `*` never means those.
        let written = self.subject.as_str();
        let unreviewed = subject.ends_with(PULL_REQUEST) && !written.ends_with(PULL_REQUEST);
        vouched && !unreviewed && self.subject.matches(&as_far_as_asked(written, subject))
    }

    /// Whether a session that this provider authenticated may come from the entry.
    pub fn may_come_from(&self, provider: &str) -> bool {
        match (&self.provider, form(self.subject.as_str())) {
            (Some(named), _) => is_host(provider, named),
            (None, Some(host)) => is_under(provider, host),
            (None, None) => true,
        }
    }

    /// The subject as written.
    pub fn subject(&self) -> &str {
        self.subject.as_str()
    }

    /// Why the entry means more than its author may think, and what to write instead.
    pub fn warning(&self) -> Option<&'static str> {
        let subject = self.subject.as_str();
        if let Some((owner, repository, _)) = repository(subject) {
            let named = owner.contains('@') && repository.contains('@');
            return (!named).then_some(
                "names a repository without IDs: GitHub gives a released name to the next person who \
                 claims it; write `repo:OWNER@OWNERID/REPO@REPOID:…` once its subjects have them",
            );
        }
        (self.provider.is_none() && form(subject).is_none()).then_some(
            "names no provider, so that it is accepted from any OIDC provider of the account; write \
             `oidc-provider/PROVIDER:SUBJECT`",
        )
    }
}

/// The host that a subject's form belongs to.
fn form(subject: &str) -> Option<&'static str> {
    FORMS.iter().find(|(start, _)| subject.starts_with(start)).map(|(_, host)| *host)
}

fn is_host(found: &str, named: &str) -> bool {
    found.trim_end_matches('/').eq_ignore_ascii_case(named)
}

/// The host itself, or a path of it: GitHub gives enterprises issuers such as `HOST/ENTERPRISE`.
fn is_under(found: &str, host: &str) -> bool {
    is_host(found.split('/').next().unwrap_or(found), host)
}

/// The subject with GitHub's IDs only where the pattern asks for them: of `repo:OWNER@OWNERID/REPO@REPOID:…` the
/// names alone, if the pattern has no IDs.
fn as_far_as_asked<'s>(pattern: &str, subject: &'s str) -> Cow<'s, str> {
    match (repository(pattern), repository(subject)) {
        (Some((owner_asked, asked, _)), Some((owner, name, rest))) if subject.contains('@') => {
            let owner = if owner_asked.contains('@') { owner } else { without_id(owner) };
            let name = if asked.contains('@') { name } else { without_id(name) };
            Cow::Owned(format!("repo:{owner}/{name}{rest}"))
        }
        _ => Cow::Borrowed(subject),
    }
}

/// Owner, name, and what follows, with its colon, of `repo:OWNER/NAME:…`.
fn repository(subject: &str) -> Option<(&str, &str, &str)> {
    let named = subject.strip_prefix("repo:")?;
    let (named, rest) = named.split_at_checked(named.find(':').unwrap_or(named.len()))?;
    let (owner, name) = named.split_once('/')?;
    Some((owner, name, rest))
}

/// A name without its ID. No name on GitHub has an `@`, and an ID is a number.
fn without_id(name: &str) -> &str {
    match name.split_once('@') {
        Some((bare, id)) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        _ => name,
    }
}

#[cfg(test)]
mod tests;
