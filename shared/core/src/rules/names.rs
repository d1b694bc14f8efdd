//! A policy's identities as lists that event patterns can be made of, and what such lists leave out.
//!
//! A pattern can't read the policy, and what it leaves out no detector ever sees. So it may let through more than the
//! policy means, and never less. What costs nothing in EventBridge's measure (see [`super::complexity`]) is a name, or
//! how it begins; a `*` in front or in a path needs a wildcard, of which a rule can have few.

use super::lists::{Lists, Names};
use super::patterns::{Rule, Whose, are_accepted};
use crate::policy::{Glob, IdentityPattern, Line, Policy};

/// The lists with which these rules let through all that a policy could make a finding of: the finest that EventBridge
/// accepts. Sessions of permission sets that break glass come by a rule for all of them.
pub fn names(rules: &[Rule], policy: &Policy) -> Names {
    let break_glass = policy.break_glass.iter().map(|entry| &entry.identity);
    let deploy = policy.deploy.iter().map(|entry| &entry.identity);
    Names {
        break_glass: lists(rules, break_glass, Whose::BreakGlass),
        deploy: lists(rules, deploy, Whose::Deploy),
    }
}

fn lists<'p>(rules: &[Rule], identities: impl Iterator<Item = &'p IdentityPattern>, whose: Whose) -> Lists {
    let ends: Vec<End> = identities.map(End::of).collect();
    let fine = Lists::with(&ends, |end| end.is_user || (end.is_permission_set && whose == Whose::BreakGlass));
    if are_accepted(rules, &fine) {
        return fine;
    }
    let mut named = Lists::with(&ends, |_| true);
    named.any_role = ends.iter().any(|end| end.is_assumed(whose) && end.text.contains('*'));
    if are_accepted(rules, &named) {
        return named;
    }
    Lists { wildcards: vec!["*".to_owned()], ..Lists::default() }
}

impl Lists {
    /// Names as they are, the rest by how their names begin where that may be, else as wildcards.
    fn with(ends: &[End], may_be_prefix: impl Fn(&End) -> bool) -> Self {
        let mut lists = Self::default();
        for end in ends {
            match &end.begins {
                _ if !end.text.contains('*') => lists.names.push(end.text.clone()),
                Some(begins) if may_be_prefix(end) => lists.name_prefixes.push(begins.clone()),
                _ => lists.wildcards.push(end.text.clone()),
            }
        }
        lists.name_prefixes = least(lists.name_prefixes, |prefix, other| other.starts_with(prefix));
        lists.wildcards = least(lists.wildcards, covers);
        lists.names = least(lists.names, |_, _| false);
        lists.names.retain(|name| !lists.wildcards.iter().any(|wildcard| covers(wildcard, name)));
        lists
    }

    /// Whether the rules with these lists let through what an identity does, and who assumes it.
    fn cover(&self, identity: &IdentityPattern, whose: Whose) -> bool {
        let end = End::of(identity);
        // A character that is no part of a name can't stand in a pattern, or means something else there.
        let plain = |item: &&String| safe(item) == **item;
        let named = !end.text.contains('*') && self.names.contains(&end.text)
            || self.wildcards.iter().filter(plain).any(|wildcard| covers(wildcard, &end.text));
        let begins =
            |prefix: &String| end.begins.as_ref().is_some_and(|begins| begins.starts_with(prefix.as_str()));
        let acts = named || self.name_prefixes.iter().filter(plain).any(begins);
        acts && (named || self.any_role || !end.is_assumed(whose))
    }
}

/// The entries of a policy that the rules' lists don't let through, and so would find nothing; and its
/// `[denials]` if it lists a code of [`super::NO_DENIALS`].
///
/// Names are compared as texts, so an entry may be reported that is covered by two names together. None that isn't
/// covered is left out.
pub fn uncovered(policy: &Policy, names: &Names) -> Vec<Line> {
    let glass = policy.break_glass.iter();
    let glass = glass.filter(|entry| !names.break_glass.cover(&entry.identity, Whose::BreakGlass));
    let roles = policy.deploy.iter().filter(|entry| !names.deploy.cover(&entry.identity, Whose::Deploy));
    let kept_out = |code: &String| super::NO_DENIALS.iter().any(|pattern| Glob::new(pattern).matches(code));
    let denials = policy.denials.codes.iter().any(kept_out).then_some(&policy.denials.line);
    glass.map(|entry| &entry.line).chain(roles.map(|entry| &entry.line)).chain(denials).cloned().collect()
}

/// The end of the ARNs that an identity of the policy matches.
struct End {
    /// The name, if it is written out, for then the path may be missing; else the path too, or `users/*` would be
    /// everybody.
    text: String,
    /// How its names begin; `None` if they may begin anyhow.
    begins: Option<String>,
    is_user: bool,
    is_permission_set: bool,
}

impl End {
    fn of(identity: &IdentityPattern) -> Self {
        let written = identity.as_str();
        if let Some(set) = written.strip_prefix("permission-set/") {
            let text = safe(&format!("AWSReservedSSO_{set}_*"));
            let begins = beginning(&text);
            return Self { text, begins, is_user: false, is_permission_set: true };
        }
        let resource = written.splitn(6, ':').nth(5).unwrap_or(written);
        let path = resource.split_once('/').map_or(resource, |(_, path)| path);
        let name = path.rsplit('/').next().unwrap_or(path);
        let end = if name.contains('*') { path } else { name };
        // `**` takes slashes too: what stands before it may be part of a path.
        let begins = if name.contains("**") { None } else { beginning(&safe(name)) };
        let text = safe(&end.replace("**", "*"));
        Self { text, begins, is_user: resource.starts_with("user/"), is_permission_set: false }
    }

    /// Whether somebody assumes it by a call that its rule has to know it for.
    fn is_assumed(&self, whose: Whose) -> bool {
        let by_its_own_rule = self.is_permission_set && whose == Whose::BreakGlass;
        !(self.is_user || by_its_own_rule)
    }
}

/// A name up to its first `*`.
fn beginning(name: &str) -> Option<String> {
    name.split('*').next().filter(|begins| !begins.is_empty()).map(str::to_owned)
}

/// Sorted, and without what another one covers.
fn least(mut items: Vec<String>, covers: impl Fn(&str, &str) -> bool) -> Vec<String> {
    items.sort();
    items.dedup();
    let all = items.clone();
    items.retain(|item| !all.iter().any(|other| other != item && covers(other, item)));
    items
}

/// Whether what ends with `/name` includes all that ends with `/end`. A `*` in `end` is compared as if it were
/// itself a character: only a `*` in `name` takes it, and takes with it whatever it stands for.
fn covers(name: &str, end: &str) -> bool {
    Glob::new(&format!("*/{name}")).matches(&format!("*/{end}"))
}

/// A name as it can stand in a list of parameters and in a pattern: what no role, user or path is called, and the
/// comma, become `*`. Two `*` in a row are one: EventBridge refuses more.
fn safe(name: &str) -> String {
    let mut safe = String::new();
    for char in name.chars() {
        let plain = char.is_ascii_alphanumeric() || "_+=.@-/".contains(char);
        match if plain { char } else { '*' } {
            '*' if safe.ends_with('*') => {}
            char => safe.push(char),
        }
    }
    safe
}
