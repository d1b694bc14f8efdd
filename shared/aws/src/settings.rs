//! What a function reads from its environment.

use std::env;
use std::fmt::Write;
use std::fs;
use std::time::Duration;

use handsoff_cloudtrail::TimeDelta;
use handsoff_core::Policy;
use handsoff_core::policy::Glob;
use handsoff_runtime::Lease;

/// The settings of a function. `template.yaml` sets them; `docs/deploy.md` lists them.
#[derive(Debug)]
pub struct Settings {
    /// The policy.
    pub policy: Policy,
    /// Name of the table.
    pub table: String,
    /// ARN of the topic.
    pub topic: String,
    /// Name of the bucket for case files.
    pub cases: Option<String>,
    /// URL of the queue for what can't be read.
    pub dead_letters: Option<String>,
    /// For how long findings and alerts are kept.
    pub keep: TimeDelta,
    /// After how long an alert counts as not sent.
    pub lease: Lease,
    /// How long the pause between two questions to CloudTrail is, which answers two a second to all who ask in the
    /// account.
    pub lookup_pace: Duration,
}

/// Why a function can't start.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A variable is missing.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// A variable has a value that it can't have.
    #[error("environment variable {0} is `{1}`, which should be a whole number above 0")]
    Number(&'static str, String),
    /// The policy can't be read.
    #[error("the policy at {0} can't be read: {1}; the layer has to have handsoff.toml at its root")]
    Unreadable(String, std::io::Error),
    /// The policy has mistakes.
    #[error("the policy has mistakes:{0}")]
    Policy(String),
}

impl Settings {
    /// Reads the environment and the policy.
    ///
    /// # Errors
    /// The first thing that is missing or wrong; of the policy all mistakes.
    pub fn read() -> Result<Self, SettingsError> {
        let path = text("HANDSOFF_POLICY").unwrap_or_else(|| "/opt/handsoff.toml".to_owned());
        let written =
            fs::read_to_string(&path).map_err(|error| SettingsError::Unreadable(path.clone(), error))?;
        let name = path.rsplit('/').next().unwrap_or(&path);
        let mut policy = Policy::parse(name, &written).map_err(|errors| {
            let mut all = String::new();
            for error in errors {
                // INVARIANT: writing to a String cannot fail.
                let _ = write!(all, "\n{error}");
            }
            SettingsError::Policy(all)
        })?;
        // What only the stack knows: keys and mappings have no names of their own.
        let protected = text("HANDSOFF_PROTECTED").unwrap_or_default();
        for id in protected.split(',').map(str::trim).filter(|id| !id.is_empty()) {
            policy.protected.push(Glob::new(&format!("*{id}*")));
        }
        let topic = text("HANDSOFF_TOPIC").ok_or(SettingsError::Missing("HANDSOFF_TOPIC"))?;
        Ok(Self {
            policy,
            table: text("HANDSOFF_TABLE").ok_or(SettingsError::Missing("HANDSOFF_TABLE"))?,
            topic,
            cases: text("HANDSOFF_CASES"),
            dead_letters: text("HANDSOFF_DEAD_LETTERS"),
            keep: TimeDelta::days(number("HANDSOFF_KEEP_DAYS", 90)?),
            lease: Lease(TimeDelta::seconds(number(
                "HANDSOFF_RESEND_SECONDS",
                Lease::default().0.num_seconds(),
            )?)),
            lookup_pace: Duration::from_millis(
                number("HANDSOFF_LOOKUP_PACE_MILLISECONDS", 550)?.unsigned_abs(),
            ),
        })
    }
}

/// A variable's text, if it is set to any.
pub fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.is_empty())
}

/// A variable's number, which has a default.
///
/// # Errors
/// When it is no whole number above 0.
pub fn number(name: &'static str, default: i64) -> Result<i64, SettingsError> {
    let Some(written) = text(name) else { return Ok(default) };
    let number = written.parse().ok().filter(|number| (1..=100_000).contains(number));
    number.ok_or(SettingsError::Number(name, written))
}
