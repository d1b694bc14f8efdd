//! What the EventBridge rules of `template.yaml` have to let through for a policy: the names in the rules'
//! patterns, and what of a policy these leave out.
//!
//! A pattern can't read the policy. Of a break-glass or deploy identity it knows what the parameters
//! `BreakGlassNames` and `DeployRoleNames` say: `*/NAME` is held against the ARN of a role or user, where `*`
//! stands for any characters, slashes too. That is coarser than the policy, and has to be: what a pattern leaves
//! out, no detector ever sees.

use crate::policy::{Glob, IdentityPattern, Line, Policy};

/// Error codes that the deny-spike rule keeps out: that something isn't there or is asked for too often doesn't
/// say that somebody lacks a permission. `*` stands for any characters.
pub const NO_DENIALS: [&str; 9] = [
    "*NotFound*",
    "NoSuch*",
    "*Throttl*",
    "*LimitExceeded*",
    "*AlreadyExists*",
    "*Validation*",
    "*Malformed*",
    "*InvalidParameter*",
    "*DryRunOperation",
];

/// What EventBridge takes for one pattern, unless the account has asked for more.
pub const LONGEST_PATTERN: usize = 2048;

/// How long the patterns are with one empty name: those of break-glass and of drift.
pub const BARE_PATTERNS: (usize, usize) = (623, 1409);

/// The names for the rules' patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The template's parameter `BreakGlassNames`.
    pub break_glass: Vec<String>,
    /// The template's parameter `DeployRoleNames`.
    pub deploy: Vec<String>,
}

impl Names {
    /// How long the patterns of break-glass and drift become with these names.
    pub fn pattern_lengths(&self) -> (usize, usize) {
        let (break_glass, deploy) = BARE_PATTERNS;
        (break_glass + added(&self.break_glass), deploy + added(&self.deploy))
    }
}

/// What a list of names adds to a pattern that has it three times, with one object a name.
fn added(names: &[String]) -> usize {
    let objects = names.len().saturating_sub(1) * r#",{"wildcard":"*/"}"#.len();
    3 * (objects + names.iter().map(String::len).sum::<usize>())
}

/// The names that let through all that a policy could make a finding of.
pub fn names(policy: &Policy) -> Names {
    Names {
        break_glass: covering(policy.break_glass.iter().map(|entry| &entry.identity)),
        deploy: covering(policy.deploy.iter().map(|entry| &entry.identity)),
    }
}

/// The entries of a policy that the rules' names don't let through, and so would find nothing; and its
/// `[denials]` if it lists a code of [`NO_DENIALS`].
///
/// Names are compared as texts, so an entry may be told that is covered by two names together. None that isn't
/// covered is left out.
pub fn uncovered(policy: &Policy, break_glass: &[&str], deploy: &[&str]) -> Vec<Line> {
    let glass = policy.break_glass.iter().filter(|entry| !is_covered(&entry.identity, break_glass));
    let roles = policy.deploy.iter().filter(|entry| !is_covered(&entry.identity, deploy));
    let kept_out = |code: &String| NO_DENIALS.iter().any(|pattern| Glob::new(pattern).matches(code));
    let denials = policy.denials.codes.iter().any(kept_out).then_some(&policy.denials.line);
    glass.map(|entry| &entry.line).chain(roles.map(|entry| &entry.line)).chain(denials).cloned().collect()
}

/// Names that cover these identities, none more often than needed.
fn covering<'p>(identities: impl Iterator<Item = &'p IdentityPattern>) -> Vec<String> {
    let mut names: Vec<String> = identities.map(|identity| safe(&end(identity))).collect();
    names.sort();
    names.dedup();
    let all = names.clone();
    names.retain(|name| !all.iter().any(|other| other != name && covers(other, name)));
    names
}

fn is_covered(identity: &IdentityPattern, names: &[&str]) -> bool {
    let end = end(identity);
    // A character that is no part of a name can't stand in a pattern, or means something else there.
    names.iter().any(|name| safe(name) == *name && covers(name, &end))
}

/// Whether what ends with `/name` includes all that ends with `/end`. A `*` in `end` is held against as if it were
/// itself a character: only a `*` in `name` takes it, and takes with it whatever it stands for.
fn covers(name: &str, end: &str) -> bool {
    Glob::new(&format!("*/{name}")).matches(&format!("*/{end}"))
}

/// The end of the ARNs that a pattern of the policy matches: the name, if it is written out, for then the path
/// may be missing; else the path too, or `users/*` would be everybody.
fn end(identity: &IdentityPattern) -> String {
    let written = identity.as_str();
    if let Some(set) = written.strip_prefix("permission-set/") {
        return format!("AWSReservedSSO_{set}_*");
    }
    let resource = written.splitn(6, ':').nth(5).unwrap_or(written);
    let path = resource.split_once('/').map_or(resource, |(_, path)| path);
    let name = path.rsplit('/').next().unwrap_or(path);
    let end = if name.contains('*') { path } else { name };
    end.replace("**", "*")
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

#[cfg(test)]
mod tests;
