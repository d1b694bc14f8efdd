//! Workloads: roles that only code uses, by what AWS writes, and what they change that is ordinary.

use handsoff_core::policy::ActionPattern;
use handsoff_core::show::clean;

use super::deploy::not_allowed;
use super::{Evidence, entry, some};
use crate::numbers::thousands;
use crate::tune::fact::{Form, Id, Origin, Sort};
use crate::tune::profile::{Profile, Seen};
use crate::tune::shown;
use crate::tune::write::{self, Entry};

/// So many roles of which the evidence is weak are written out.
const MOST_DOUBTFUL: usize = 100;

impl Evidence<'_> {
    /// Roles that only code uses; and what there is to say of all others. `trusted`: the deploy roles that are proposed;
    /// `taken`: all that stand in other sections.
    pub(super) fn workloads(&self, trusted: &[&Id], taken: &[&Id]) -> (Vec<Entry>, Vec<String>) {
        let (mut clear, mut doubtful, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let mut people = 0;
        for (id, profile) in self.logs.profiles.iter() {
            let elsewhere = taken.contains(&id) || self.named_deploy(id, profile).is_some();
            if elsewhere || profile.changes.count == 0 {
                continue;
            }
            if let Some(why) = profile.person(id.form) {
                people += 1;
                if !profile.used.code.is_empty() {
                    others.push(format!(
                        "{}: used by code and apparently by a person: {why}.",
                        shown(Some(id))
                    ));
                }
                continue;
            }
            let entry = self.workload(id, profile, trusted);
            if is_code(profile) { clear.push(entry) } else { doubtful.push(entry) }
        }
        others.insert(
            0,
            format!(
                "People, and roles that people use: {people}, with {} changes by people. None is proposed, \
                 whatever they do: their changes are still reported.",
                thousands(self.logs.by_people)
            ),
        );
        let more = doubtful.len().saturating_sub(MOST_DOUBTFUL);
        if more > 0 {
            others.push(format!("{more} more roles of which nothing shows that only code uses them."));
        }
        doubtful.truncate(MOST_DOUBTFUL);
        clear.append(&mut doubtful);
        (clear, others)
    }

    fn workload(&self, id: &Id, profile: &Profile, trusted: &[&Id]) -> Entry {
        let mut entry = entry("workload", id, profile);
        entry.note(format!("Changes: {}.", self.share(profile)));
        entry.note(proof(profile));
        let named = self.named_workload(id, profile);
        let refused: Vec<String> = profile.of_sort(|sort| sort != Sort::Ordinary).map(not_allowed).collect();
        if !refused.is_empty() {
            entry.note(format!("Not allowed: {}; review it.", some(refused, 24)));
        }
        let (allowed, once) = self.ordinary(id, profile, named.is_some());
        entry.lines.extend(write::list("may_write", &allowed, &once));
        let grave = profile.sorts.keys().any(|sort| sort.is_grave());
        if grave {
            entry.refuse("the caller of such changes may not be the workload: review these first");
        }
        let strangers =
            profile.makers().filter(|maker| !maker.is_some_and(|maker| self.may_make(maker, trusted)));
        let strangers: Vec<String> = strangers.map(|maker| shown(maker)).collect();
        if let Some(made) = profile.made.as_ref().filter(|_| !strangers.is_empty()) {
            entry.refuse(&format!(
                "it was created, or its trust policy was changed, in these logs, first on {} by {}: review \
                 that first",
                made.seen.first(),
                some(strangers, 4)
            ));
        }
        if let Some(line) = named {
            if allowed.is_empty() || grave {
                entry.refuse(&format!("{line} names it already"));
            } else {
                entry.lines.drain(..2.min(entry.lines.len()));
                entry.doubt(&format!("{line} names it already: these would be new in its `may_write`"));
            }
        } else if !is_code(profile) {
            entry.doubt("nothing in AWS's records shows that only code uses it");
        } else if let Some(why) = self.why_not_trusted(id) {
            entry.doubt(&why);
        } else if allowed.is_empty() {
            entry.doubt("nothing that it changes is both ordinary and everyday");
        }
        entry
    }

    /// Whether who made a role is a deploy role.
    fn may_make(&self, maker: &Id, trusted: &[&Id]) -> bool {
        let named = || self.logs.profiles.get(maker).is_some_and(|it| self.named_deploy(maker, it).is_some());
        maker.form == Form::Role && (trusted.contains(&maker) || named())
    }

    /// Its ordinary changes: those of several days, and, as comments, those of one.
    fn ordinary(&self, id: &Id, profile: &Profile, named: bool) -> (Vec<String>, Vec<String>) {
        let own = self.base.workloads.iter().find(|own| {
            named && profile.used.arns.keys().any(|arn| own.identity.matches_pathless(arn, Some(&id.account)))
        });
        let known = |name: &str| {
            let action =
                name.split_once(':').map(|(service, name)| handsoff_cloudtrail::Action::named(service, name));
            let patterns = own.iter().flat_map(|own| &own.may_write);
            action.is_some_and(|action| patterns.into_iter().any(|pattern| pattern.matches(&action)))
        };
        let (mut allowed, mut once) = (Vec::new(), Vec::new());
        for (name, _, seen) in profile.of_sort(|sort| sort == Sort::Ordinary) {
            let writable = write::is_plain(name) && ActionPattern::parse(name).is_ok();
            if writable && seen.days.len() > 1 && !known(name) {
                allowed.push(name.to_owned());
            } else if !known(name) {
                once.push(one_day(name, seen));
            }
        }
        if profile.actions.is_cut() {
            once.push("more kinds of changes than are examined".into());
        }
        (allowed, once)
    }
}

fn one_day(name: &str, seen: &Seen) -> String {
    format!("{}: on one day only, {}", clean(name, 160), seen.first())
}

/// Whether only code uses a role, by what AWS writes: in each of its sessions, or by who assumes it.
fn is_code(profile: &Profile) -> bool {
    let used = &profile.used;
    let by_services = !profile.origins.is_empty()
        && !profile.origins.is_cut()
        && profile.origins.keys().all(|origin| origin.is_compute() || is_pod(origin));
    let marked = !used.code.is_empty() && !used.untold;
    let foreign = profile.origins.keys().any(|origin| !origin.is_compute() && !is_pod(origin));
    by_services || (marked && !foreign && !profile.origins.is_cut())
}

/// A service account of EKS, or an app's user: AWS's own hosts vouch for them.
fn is_pod(origin: &Origin) -> bool {
    let Origin::Web(provider, _) = origin else { return false };
    let host = provider.split('/').next().unwrap_or(provider);
    handsoff_cloudtrail::partition::service_name(host)
        .is_some_and(|name| name.starts_with("oidc.eks.") || name == "cognito-identity")
}

/// What shows who uses it.
fn proof(profile: &Profile) -> String {
    let mut proof: Vec<String> = profile.used.code.iter().map(|because| (*because).to_owned()).collect();
    let by = profile
        .origins
        .iter()
        .map(|(origin, seen)| format!("{} assumed it ({}x)", origin.shown(), thousands(seen.count)));
    proof.extend(by);
    if profile.used.untold {
        proof.push("for some of its sessions the record alone doesn't show who uses them".into());
    }
    format!("Who uses it: {}.", some(proof, 8))
}
