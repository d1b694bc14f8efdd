//! Finding and reading the policy that holds.

use std::fmt::Write;
use std::path::Path;

use handsoff_cloudtrail::Time;
use handsoff_core::Policy;
use handsoff_core::policy::{BreakGlass, Deploy, IdentityPattern, Line};

use crate::args::PolicyArgs;
use crate::output;

/// The JSON schema of a policy, which a test of `handsoff-core` writes.
pub const SCHEMA: &str = include_str!("../../policy/handsoff.schema.json");

/// The policy's name where none is given.
pub const HERE: &str = "handsoff.toml";

/// The time that it is.
pub(crate) fn now() -> Time {
    Time::from_timestamp(chrono::Utc::now().timestamp())
}

/// The policy that the options ask for.
///
/// # Errors
/// All that is wrong with it, ready to be printed.
pub fn policy(args: &PolicyArgs) -> Result<Policy, String> {
    let mut policy = match &args.policy {
        Some(file) => read(file)?,
        None if Path::new(HERE).exists() => read(Path::new(HERE))?,
        None => Policy::built_in(),
    };
    let mut wrong = String::new();
    for pattern in &args.deploy_role {
        match IdentityPattern::parse_argument(pattern) {
            Ok(identity) => policy.deploy.push(Deploy {
                line: Line::new(&format!("--deploy-role {pattern}")),
                identity,
                assumed_by: Vec::new(),
                session_names: Vec::new(),
                networks: Vec::new(),
                source_identities: Vec::new(),
                vpc_endpoints: Vec::new(),
                may_change: None,
                humans: false,
            }),
            // INVARIANT: writing to a String cannot fail.
            Err(why) => drop(writeln!(wrong, "error: --deploy-role `{pattern}`: {why}")),
        }
    }
    for pattern in &args.break_glass {
        match IdentityPattern::parse_argument(pattern) {
            Ok(identity) => {
                let line = Line::new(&format!("--break-glass {pattern}"));
                policy.break_glass.push(BreakGlass::new(line, identity));
            }
            Err(why) => drop(writeln!(wrong, "error: --break-glass `{pattern}`: {why}")),
        }
    }
    if wrong.is_empty() { Ok(policy) } else { Err(wrong) }
}

/// What the policy is called that [`policy`] takes.
pub(crate) fn name(named: Option<&Path>) -> String {
    match named {
        Some(file) => file.display().to_string(),
        None if Path::new(HERE).exists() => HERE.to_owned(),
        None => "the built-in policy".to_owned(),
    }
}

/// Reads the policy that is named, else `handsoff.toml` in this folder.
///
/// # Errors
/// As [`read`]; where neither is, that, and how to begin.
pub fn own(named: Option<&Path>) -> Result<Policy, String> {
    let here = Path::new(HERE);
    if named.is_none() && !here.exists() {
        return Err(format!(
            "error: no {HERE} in this folder: name your policy, or begin one with `handsoff policy default > {HERE}`\n"
        ));
    }
    read(named.unwrap_or(here))
}

/// Reads a policy file.
///
/// # Errors
/// All mistakes, each with its line, ready to be printed.
pub fn read(file: &Path) -> Result<Policy, String> {
    with_text(file).map(|(policy, _)| policy)
}

/// Reads a policy file once, which may be a pipe; gives its text, too.
///
/// # Errors
/// As [`read`].
pub fn with_text(file: &Path) -> Result<(Policy, String), String> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("error: {name}: can't read the policy: {error}\n"))?;
    let policy = Policy::parse(&name, &text).map_err(|errors| output::mistakes(&text, &errors))?;
    Ok((policy, text))
}
