//! Deploy roles: roles that a CI system assumes, by what AWS writes, on several days, and no person ever does.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use handsoff_core::policy::{Change, Origin as Listed, WebIdentity};
use handsoff_core::show::clean;

use super::{EVERYDAY, Evidence, days, entry, some};
use crate::numbers::{count_of, thousands};
use crate::tune::fact::{Form, Id, Origin, Sort, is_ci};
use crate::tune::profile::{Making, Profile, Seen};
use crate::tune::shown;
use crate::tune::write::{self, Entry, Standing, is_plain};

/// What pipelines do every day of what would be grave elsewhere.
const PIPELINES_DO: [&str; 5] = [
    "iam:CreateRole",
    "iam:PutRolePermissionsBoundary",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketVersioning",
    "s3:PutObjectLockConfiguration",
];

/// Of a role that nothing shows to be a CI system's, this share of all changes is worth a look.
const WORTH_A_LOOK: u64 = 5;

impl Evidence<'_> {
    /// Roles that look like a pipeline's, those that change the most first.
    pub(super) fn deploys(&self) -> Vec<(&Id, Entry)> {
        let mut found: Vec<(&Id, &Profile)> =
            self.identities(Form::Role).filter(|(id, profile)| self.may_deploy(id, profile)).collect();
        found.sort_by_key(|(id, profile)| (Reverse(profile.changes.count), *id));
        found.into_iter().map(|(id, profile)| (id, self.deploy(id, profile))).collect()
    }

    fn may_deploy(&self, id: &Id, profile: &Profile) -> bool {
        if self.named_glass(id, profile).is_some() {
            return false;
        }
        let by_ci = profile.origins.keys().any(Origin::is_ci);
        let by_other =
            profile.origins.keys().any(|origin| matches!(origin, Origin::Role(..) | Origin::Account(_)))
                && profile.used.code.is_empty()
                && profile.changes.count * 100 >= self.logs.changes * WORTH_A_LOOK;
        profile.changes.count > 0 && (by_ci || by_other || self.named_deploy(id, profile).is_some())
    }

    fn deploy(&self, id: &Id, profile: &Profile) -> Entry {
        let mut entry = entry("deploy", id, profile);
        entry.note(format!("Changes: {}.", self.share(profile)));
        let taken: u64 = profile.origins.iter().map(|(_, seen)| seen.count).sum();
        let by = profile.origins.iter().map(|(origin, seen)| format!("{} ({})", origin.shown(), times(seen)));
        entry.note(match taken {
            0 => "Who assumes it isn't in these logs.".to_owned(),
            _ => format!("Assumed {} by {}.", count_of(taken, "time"), some(by, 8)),
        });
        evidence(&mut entry, profile);
        if let Some(line) = self.named_deploy(id, profile) {
            entry.refuse(&format!("{line} names it already"));
            self.narrower(&mut entry, id, profile);
            return entry;
        }
        let (origins, left) = origins(profile);
        if !origins.is_empty() {
            entry.lines.extend(write::list("assumed_by", &origins, &left));
        }
        if let Some(names) = session_names(profile) {
            entry.lines.push(format!("session_names = [{}]", write::quoted(&names)));
        }
        let (changes, once) = may_change(profile);
        entry.lines.extend(write::list("may_change", &changes, &once));
        self.against(&mut entry, id, profile, origins.is_empty());
        entry
    }

    /// What speaks against it.
    fn against(&self, entry: &mut Entry, id: &Id, profile: &Profile, nobody: bool) {
        if let Some(why) = profile.person(id.form) {
            entry.refuse(&format!("a person may use it: {why}"));
        }
        if let Some(made) = &profile.made {
            let by = some(made.by.keys().map(|by| shown(by.as_ref())), 4);
            entry.refuse(&format!(
                "it was created, or its trust policy was changed, in these logs, first on {} by {by}: \
                 review that first",
                made.seen.first()
            ));
        }
        for why in profile.origins.keys().filter_map(|origin| self.suspect(origin)) {
            entry.refuse(&why);
        }
        let grave =
            |sort: Sort| matches!(sort, Sort::Logging | Sort::WayIn | Sort::Identity | Sort::Guardrail);
        let grave = profile.of_sort(grave).filter(|(name, sort, _)| {
            *sort == Sort::Logging || *sort == Sort::WayIn || !PIPELINES_DO.contains(name)
        });
        let grave: Vec<String> = grave.map(not_allowed).collect();
        if !grave.is_empty() {
            entry.refuse(&format!(
                "its changes go beyond what pipelines do every day: {}; review it",
                some(grave, 8)
            ));
        }
        for why in self.weak(id, profile, nobody) {
            entry.doubt(&why);
        }
    }

    /// What makes its evidence weak. `nobody`: there is nobody to list who assumes it.
    fn weak(&self, id: &Id, profile: &Profile, nobody: bool) -> Vec<String> {
        let mut weak = Vec::new();
        // What is held begins with what is grave.
        let all_grave = profile.actions.keys().next_back().is_none_or(|(sort, _)| *sort == Sort::Ordinary);
        if profile.origins.is_cut() || profile.actions.is_cut() && !all_grave {
            weak.push("it makes more kinds of changes, or is assumed by more, than are examined".into());
        }
        let ci = profile.origins.keys().filter(|origin| origin.is_ci()).count();
        if ci < profile.origins.len() || ci == 0 {
            weak.push("according to AWS's records, not all that assume it are a CI system's".into());
        } else if nobody {
            weak.push("who assumes it can't be written as `assumed_by`".into());
        }
        if let Some(provider) = profile.used.providers.keys().find(|provider| !is_ci(provider)) {
            let provider = clean(provider, 128);
            weak.push(format!("{provider} authenticated some of its sessions, and is no known CI system"));
        }
        if owners(profile) > 1 {
            weak.push("the repositories of more than one owner assume it".into());
        }
        weak.extend(self.why_not_trusted(id));
        if profile.used.days.len() < EVERYDAY {
            let days = days(&profile.used.days);
            weak.push(format!("it was used on {days}, and a pipeline is on {EVERYDAY} at least"));
        }
        weak
    }

    /// What speaks against one that assumes it: a provider or role that was made in these logs, or a role of people.
    fn suspect(&self, origin: &Origin) -> Option<String> {
        let made = |what: String, making: &Making| {
            let first = making.seen.first();
            format!(
                "{what}, which assumes it, was created or changed in these logs, first on {first}: review \
                 that first"
            )
        };
        match origin {
            Origin::Web(provider, _) => {
                let making = self.logs.providers.get(&provider.to_ascii_lowercase())?;
                Some(made(format!("the OIDC provider {}", clean(provider, 128)), making))
            }
            Origin::Role(arn, _) => {
                let id = Id::of(arn)?;
                let other = self.logs.profiles.get(&id)?;
                let shown = shown(Some(&id));
                match other.person(id.form) {
                    Some(why) => Some(format!("{shown}, which assumes it, may be a person's: {why}")),
                    None => Some(made(shown, other.made.as_ref()?)),
                }
            }
            _ => None,
        }
    }

    /// Says how an entry that is there could be narrower.
    fn narrower(&self, entry: &mut Entry, id: &Id, profile: &Profile) {
        let account = Some(&*id.account);
        let own = self
            .base
            .deploy
            .iter()
            .find(|own| profile.used.arns.keys().any(|arn| own.identity.matches_pathless(arn, account)));
        let Some(own) = own.filter(|_| profile.person(id.form).is_none()) else { return };
        let (origins, _) = origins(profile);
        let wide = own.assumed_by.is_empty()
            || own.assumed_by.iter().any(|listed| matches!(listed, Listed::WebIdentity(web) if is_wide(web)));
        if wide && !origins.is_empty() && profile.origins.keys().all(Origin::is_ci) {
            entry.note("Its `assumed_by` allows more than assumed it in these logs, which are:");
            lines(entry, write::list("assumed_by", &origins, &[]));
        }
        if own.may_change.is_none() {
            let (changes, once) = may_change(profile);
            entry.note("It has no `may_change`, and this is all that it changed on two days or more:");
            lines(entry, write::list("may_change", &changes, &once));
        }
        if own.session_names.is_empty()
            && let Some(names) = session_names(profile)
        {
            entry.note("It has no `session_names`, and all names of its sessions have one form:");
            lines(entry, vec![format!("session_names = [{}]", write::quoted(&names))]);
        }
    }
}

/// Lines that an entry of the policy could have, in a comment.
fn lines(entry: &mut Entry, more: Vec<String>) {
    if entry.standing != Standing::Doubtful {
        (entry.standing, entry.lines) = (Standing::Doubtful, Vec::new());
    }
    entry.lines.extend(more);
}

/// What it changes, as `may_change` writes it: all that is ordinary, and by name what was made on two days or more of the rest;
/// and what was made on one day only.
fn may_change(profile: &Profile) -> (Vec<String>, Vec<String>) {
    let beyond = |sort: Sort| {
        matches!(
            sort,
            Sort::Permissions
                | Sort::Identity
                | Sort::Commands
                | Sort::Guardrail
                | Sort::Sharing
                | Sort::Destruction
                | Sort::Secrets
                | Sort::Network
        )
    };
    let (mut listed, mut once) = (vec!["ordinary".to_owned()], Vec::new());
    for (name, sort, seen) in profile.of_sort(beyond) {
        if seen.days.len() > 1 && Change::parse(name).is_ok() {
            listed.push(name.to_owned());
        } else {
            once.push(format!("{}: on one day only", not_allowed((name, sort, seen))));
        }
    }
    (listed, once)
}

fn is_wide(web: &WebIdentity) -> bool {
    web.subject().contains('*')
}

/// How often and when.
fn times(seen: &Seen) -> String {
    format!("{}x on {}", thousands(seen.count), super::days(&seen.days))
}

/// An action that isn't allowed, with what was seen of it.
pub(super) fn not_allowed((name, sort, seen): (&str, Sort, &Seen)) -> String {
    format!("{} x{} since {} ({})", clean(name, 160), thousands(seen.count), seen.first(), sort.as_str())
}

/// What it changes, and by which tools.
fn evidence(entry: &mut Entry, profile: &Profile) {
    let mut via: Vec<_> = profile.via.iter().collect();
    via.sort_by_key(|(name, count)| (Reverse(**count), *name));
    let via = via.into_iter().map(|(name, count)| format!("{} ({})", clean(name, 40), thousands(*count)));
    entry.note(format!("By its own user agent, which proves nothing: {}.", some(via, 4)));
    let sessions = profile.used.sessions.keys().map(|name| clean(name, 64));
    entry.note(format!("Names of sessions: {}.", some(sessions, 3)));
    let named = profile.of_sort(|sort| sort != Sort::Ordinary).map(not_allowed);
    let named: Vec<String> = named.collect();
    if !named.is_empty() {
        entry.note(format!("Among its changes, look at these: {}.", some(named, 12)));
    }
}

/// Who assumes it, as `assumed_by` writes it, and what is left out of it: what nobody has reviewed, what can't be written,
/// and what came on one day only, unless its repository comes on others, too.
fn origins(profile: &Profile) -> (Vec<String>, Vec<String>) {
    let (mut listed, mut left) = (Vec::new(), Vec::new());
    let everyday = |seen: &Seen| seen.days.len() > 1;
    let often = profile.origins.iter().filter(|(_, seen)| everyday(seen));
    let repositories: Vec<&str> = often.filter_map(|(origin, _)| repository(origin)).collect();
    for (origin, seen) in profile.origins.iter() {
        let known = everyday(seen) || repository(origin).is_some_and(|own| repositories.contains(&own));
        let why = match written(origin).filter(|written| Listed::parse(written).is_ok()) {
            Some(written) if is_unreviewed(&written) => "a pull request's, which is not reviewed yet",
            Some(_) if !known => "on one day only",
            Some(written) => {
                listed.push(written);
                continue;
            }
            None => "can't be written, or is not trustworthy",
        };
        left.push(format!("{}: {why} ({})", origin.shown(), times(seen)));
    }
    listed.sort();
    listed.dedup();
    (listed, left)
}

/// The repository of a subject of GitHub's: `repo:OWNER/NAME`, with IDs if it has them.
fn repository(origin: &Origin) -> Option<&str> {
    let Origin::Web(_, subject) = origin else { return None };
    let end = subject.match_indices(':').nth(1).map_or(subject.len(), |(at, _)| at);
    subject.get(..end).filter(|subject| subject.starts_with("repo:"))
}

/// How many owners the repositories have.
fn owners(profile: &Profile) -> usize {
    let owner = |repository: &str| repository.split(['/', '@']).next().map(str::to_ascii_lowercase);
    let owners: BTreeSet<Option<String>> = profile.origins.keys().filter_map(repository).map(owner).collect();
    owners.len()
}

fn is_unreviewed(written: &str) -> bool {
    written.ends_with(":pull_request") || written.contains(":ref:refs/pull/")
}

/// An origin as `assumed_by` writes it; `None` if it can't be written, or is nobody to trust.
fn written(origin: &Origin) -> Option<String> {
    match origin {
        Origin::Web(provider, subject) if is_plain(provider) && is_plain(subject) => {
            // The three whose subjects say whose they are.
            let bare = ["token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"];
            let short = format!("oidc:{subject}");
            let says =
                WebIdentity::parse(&short)?.ok()?.warning().is_none_or(|why| why.contains("repository"));
            Some(if says && bare.contains(&&**provider) {
                short
            } else {
                format!("oidc-provider/{provider}:{subject}")
            })
        }
        Origin::Service(host) if is_plain(host) => Some(format!("service:{host}")),
        Origin::Role(arn, _) => write::pattern(&Id::of(arn)?, &[arn]),
        Origin::Account(_)
        | Origin::Web(..)
        | Origin::Service(_)
        | Origin::Person(_)
        | Origin::Unknown(_) => None,
    }
}

/// What all names of its sessions begin with, if that is clear: up to a sign that parts words, of several names; or the
/// one name of several days.
fn session_names(profile: &Profile) -> Option<String> {
    let (names, prefix) = (&profile.used.sessions, profile.used.prefix.as_deref()?);
    if names.len() == 1 {
        let once = profile.used.days.len() >= EVERYDAY && is_plain(prefix);
        return once.then(|| prefix.to_owned());
    }
    let end = prefix.rfind(['-', '_', '.', '@', '='])?;
    let (stem, _) = prefix.split_at_checked(end + 1)?;
    (names.len() >= 5 && stem.len() >= 4 && is_plain(stem)).then(|| format!("{stem}*"))
}
