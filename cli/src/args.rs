//! What the command takes.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use handsoff_trail::Time;
use handsoff_watch::Severity;

/// Tells when someone touched production by hand.
#[derive(Debug, Parser)]
#[command(name = "handsoff", version, about, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the detectors over saved CloudTrail logs and tell what they find.
    Replay(Replay),
    /// Tell for each record the whole way to its verdict, also when there is nothing to report.
    Explain(Explain),
    /// Work with the policy.
    Policy {
        /// What to do with it.
        #[command(subcommand)]
        command: PolicyCommand,
    },
}

/// What to do with the policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Read a policy and report every mistake, and what doesn't hold any more.
    Check(Check),
    /// Print the built-in policy, to start your own from.
    Default,
    /// Print the stack's parameters that have to agree with a policy, for `sam deploy --parameter-overrides`.
    Parameters(Parameters),
}

/// Which policy holds.
#[derive(Debug, Default, ClapArgs)]
pub struct PolicyArgs {
    /// The policy [default: handsoff.toml in this folder, else the built-in one]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// One more identity whose changes are expected: an ARN pattern, or a bare name. May be repeated
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub deploy_role: Vec<String>,
    /// One more emergency identity: an ARN pattern, `permission-set/NAME` or a bare name. May be repeated
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub break_glass: Vec<String>,
}

/// `handsoff replay`.
#[derive(Debug, ClapArgs)]
pub struct Replay {
    /// Files and folders of CloudTrail logs (.json, .jsonl, .gz); `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Which policy holds.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print the alerts that would have been sent, and when, instead of the findings
    #[arg(long)]
    pub alerts: bool,
    /// Leave out what happened before: 2026-03-01, or 2026-03-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub since: Option<Time>,
    /// Leave out what happened at that time or later
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub until: Option<Time>,
    /// Print nothing less severe: info, low, medium, high, critical
    #[arg(long, value_name = "SEVERITY", default_value = "info")]
    pub min_severity: Severity,
    /// Exit with status 1 when there is a finding of this severity or above
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<Severity>,
    /// How many threads to use [default: one a core]
    #[arg(long, value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Print the time that each stage took, as JSON on standard error
    #[arg(long, hide = true)]
    pub timings: bool,
}

/// `handsoff explain`.
#[derive(Debug, ClapArgs)]
pub struct Explain {
    /// A file of CloudTrail records; `-` for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Which policy holds.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Explain only the records of this event ID
    #[arg(long, value_name = "ID")]
    pub event_id: Option<String>,
}

/// `handsoff policy check`.
#[derive(Debug, ClapArgs)]
pub struct Check {
    /// The policy [default: handsoff.toml in this folder]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Say which entries match nothing in these logs
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub logs: Vec<PathBuf>,
}

/// `handsoff policy parameters`.
#[derive(Debug, ClapArgs)]
pub struct Parameters {
    /// The policy [default: handsoff.toml in this folder]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Incidents, the worst first, for people
    Text,
    /// One finding a line, as JSON
    Jsonl,
    /// One finding a line, for spreadsheets
    Csv,
}

fn since(text: &str) -> Result<Time, String> {
    Time::parse(text)
        .or_else(|| Time::parse(&format!("{text}T00:00:00Z")))
        .or_else(|| Time::parse(&format!("{}:00Z", text.trim_end_matches('Z'))))
        .ok_or_else(|| "write a day, 2026-03-01, or a time, 2026-03-01T12:00:00Z".to_owned())
}
