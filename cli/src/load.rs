//! Finding and reading the policy that holds.

use std::io;
use std::path::Path;

use handsoff_cloudtrail::Time;
use handsoff_core::Policy;
use handsoff_core::policy::{
    BreakGlass, Deploy, IdentityPattern, Line, PatternError, PolicyError, SessionTags,
};

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

/// Why there is no policy to judge by. It is said in a line, or one for each mistake; what a line of an error begins with
/// is there from the second on, for the first gets it where it is printed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// None is named, and none is in this folder.
    #[error(
        "no {HERE} in this folder: name your policy, or begin one with `handsoff policy default > {HERE}`"
    )]
    Missing,
    /// The file can't be read.
    #[error("{name}: can't read the policy: {source}")]
    File {
        /// The file's name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// What is in the file has mistakes.
    #[error("{}", shown(.text, .mistakes))]
    Policy {
        /// What is in the file.
        text: String,
        /// All mistakes.
        mistakes: Vec<PolicyError>,
    },
    /// Options name what can't be an identity.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: "))]
    Options(Vec<OptionError>),
}

/// Why the value of an option is no pattern of identities.
#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    /// Of `--deploy-role`.
    #[error("--deploy-role `{value}`: {why}")]
    DeployRole {
        /// The option's value.
        value: String,
        /// What to write instead.
        why: PatternError,
    },
    /// Of `--break-glass`.
    #[error("--break-glass `{value}`: {why}")]
    BreakGlass {
        /// The option's value.
        value: String,
        /// What to write instead.
        why: PatternError,
    },
}

/// The mistakes of a policy, each with its line.
fn shown(text: &str, mistakes: &[PolicyError]) -> String {
    let all = output::mistakes(text, mistakes);
    all.trim_end().trim_start_matches("error: ").to_owned()
}

/// The policy that the options ask for.
///
/// # Errors
/// All that is wrong with it.
pub fn policy(args: &PolicyArgs) -> Result<Policy, LoadError> {
    let mut policy = match &args.policy {
        Some(file) => read(file)?,
        None if Path::new(HERE).exists() => read(Path::new(HERE))?,
        None => Policy::built_in(),
    };
    let mut wrong = Vec::new();
    for pattern in &args.deploy_role {
        match IdentityPattern::parse_argument(pattern) {
            Ok(identity) => policy.deploy.push(Deploy {
                line: Line::new(&format!("--deploy-role {pattern}")),
                identity,
                assumed_by: Vec::new(),
                session_names: Vec::new(),
                networks: Vec::new(),
                source_identities: Vec::new(),
                session_tags: SessionTags::default(),
                vpc_endpoints: Vec::new(),
                may_change: None,
                deletions: Deploy::DELETIONS,
                humans: false,
                // Nothing is known of how it is assumed, and the logs may be of one Region.
                unproven: true,
            }),
            Err(why) => wrong.push(OptionError::DeployRole { value: pattern.clone(), why }),
        }
    }
    for pattern in &args.break_glass {
        match IdentityPattern::parse_argument(pattern) {
            Ok(identity) => {
                let line = Line::new(&format!("--break-glass {pattern}"));
                policy.break_glass.push(BreakGlass::new(line, identity));
            }
            Err(why) => wrong.push(OptionError::BreakGlass { value: pattern.clone(), why }),
        }
    }
    if wrong.is_empty() { Ok(policy) } else { Err(LoadError::Options(wrong)) }
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
pub fn own(named: Option<&Path>) -> Result<Policy, LoadError> {
    let here = Path::new(HERE);
    if named.is_none() && !here.exists() {
        return Err(LoadError::Missing);
    }
    read(named.unwrap_or(here))
}

/// Reads a policy file.
///
/// # Errors
/// When it can't be read, or has mistakes: all of them.
pub fn read(file: &Path) -> Result<Policy, LoadError> {
    with_text(file).map(|(policy, _)| policy)
}

/// Reads a policy file once, which may be a pipe; gives its text, too.
///
/// # Errors
/// As [`read`].
pub fn with_text(file: &Path) -> Result<(Policy, String), LoadError> {
    let name = file.display().to_string();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(source) => return Err(LoadError::File { name, source }),
    };
    match Policy::parse(&name, &text) {
        Ok(policy) => Ok((policy, text)),
        Err(mistakes) => Err(LoadError::Policy { text, mistakes }),
    }
}
