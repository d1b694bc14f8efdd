//! What the command takes.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use handsoff_case::verify::Digest;
use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::Severity;
use handsoff_core::policy::duration;

/// Alerts when someone touched production by hand.
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
    /// Run the detectors over saved CloudTrail logs and report what they find.
    Replay(Replay),
    /// Show each step from a record to its verdict, also when there is nothing to report.
    Explain(Explain),
    /// Propose a commented policy for your own logs, with the messages a week before and after.
    Tune(Tune),
    /// Read, verify, export and review case files of break-glass sessions.
    Case {
        /// What to do with them.
        #[command(subcommand)]
        command: CaseCommand,
    },
    /// List changes by hand that are still in effect, and accept them.
    Drift {
        /// What to do.
        #[command(subcommand)]
        command: DriftCommand,
    },
    /// Print the event that approves one use of an emergency identity.
    Grant(Grant),
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
    /// Read a policy and report every mistake, and what is out of date.
    Check(Check),
    /// Print the built-in policy, to start your own from.
    Default,
    /// Print the JSON schema of handsoff.toml, for editors.
    Schema,
    /// Print the stack's parameters that have to match a policy, for `sam deploy --parameter-overrides`.
    Parameters(Parameters),
}

/// Which policy to use.
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
    /// Which policy to use.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print the alerts that would have been sent, and when, instead of the findings
    #[arg(long)]
    pub alerts: bool,
    /// Write the case files of break-glass sessions below this folder, one folder a case
    #[arg(long, value_name = "DIR")]
    pub cases: Option<PathBuf>,
    /// Write a page of what was found and what would have been sent: a file that isn't there, or is such a page
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print what this policy adds and loses, instead of the findings; with --alerts each message
    #[arg(long, value_name = "POLICY")]
    pub compare: Option<PathBuf>,
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
    /// Name the files in folders that aren't read, and why
    #[arg(long)]
    pub verbose: bool,
    /// How many threads to use [default: one a core]
    #[arg(long, value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Print the time that each stage took, as JSON on standard error
    #[arg(long, hide = true)]
    pub timings: bool,
}

/// `handsoff tune`.
#[derive(Debug, ClapArgs)]
pub struct Tune {
    /// Files and folders of CloudTrail logs (.json, .jsonl, .gz); `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The policy to begin with: it is kept as it is, and the proposals are added after it [default: handsoff.toml in
    /// this folder, else the built-in one]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Where to write the proposed policy; nothing that is there is written over [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Leave out what happened before: 2026-03-01, or 2026-03-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub since: Option<Time>,
    /// Leave out what happened at that time or later
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub until: Option<Time>,
    /// How many threads to use [default: one a core]
    #[arg(long, value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
}

/// `handsoff explain`.
#[derive(Debug, ClapArgs)]
pub struct Explain {
    /// A file of CloudTrail records; `-` for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Which policy to use.
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
    /// Parameters that a stack has, or will have, NAME=VALUE;NAME=VALUE: report whether EventBridge accepts their
    /// rules, and which entries these leave out
    #[arg(long, value_name = "LIST")]
    pub parameters: Option<String>,
    /// Report which entries match nothing in these logs
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

/// What to do with case files.
#[derive(Debug, Subcommand)]
pub enum CaseCommand {
    /// List all cases in a folder, the newest first.
    List(CaseList),
    /// Show one case on the terminal.
    Show(CaseShow),
    /// Verify that a case is as it was sealed; name the first difference if it isn't.
    Verify(CaseVerify),
    /// Export a case for an auditor (HTML), a program (JSON) or a spreadsheet (CSV).
    Export(CaseExport),
    /// Record that you have reviewed a case, and print the event that reports it.
    Review(CaseReview),
}

/// `handsoff case list`.
#[derive(Debug, ClapArgs)]
pub struct CaseList {
    /// The folder with the cases
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub format: ListFormat,
}

/// `handsoff case show`.
#[derive(Debug, ClapArgs)]
pub struct CaseShow {
    /// The case: the folder with its manifest.json
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Show each call, in order of time; without it reads are summarised
    #[arg(long)]
    pub all: bool,
}

/// `handsoff case verify`.
#[derive(Debug, ClapArgs)]
pub struct CaseVerify {
    /// The case: the folder with its manifest.json
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// The digest in the closing alert: 64 hexadecimal digits, with or without `sha256` before them
    #[arg(long, value_name = "DIGEST")]
    pub digest: Option<Digest>,
}

/// `handsoff case export`.
#[derive(Debug, ClapArgs)]
pub struct CaseExport {
    /// The case: the folder with its manifest.json
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// The format of the export
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Export also what can't be verified, marked as such
    #[arg(long)]
    pub unverified: bool,
}

/// `handsoff case review`.
#[derive(Debug, ClapArgs)]
pub struct CaseReview {
    /// The case: the folder with its manifest.json
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Who you are; not the person of the session
    #[arg(long, value_name = "NAME")]
    pub reviewer: String,
    /// What you found
    #[arg(long, value_name = "TEXT")]
    pub note: String,
}

/// What to do with the drift ledger.
#[derive(Debug, Subcommand)]
pub enum DriftCommand {
    /// List the resources that were changed by hand: open ones first, the oldest first.
    List(DriftList),
    /// Print the event with which a person accepts a change by hand.
    Accept(DriftAccept),
}

/// `handsoff drift list`.
#[derive(Debug, ClapArgs)]
pub struct DriftList {
    /// Files and folders of CloudTrail logs (.json, .jsonl, .gz); `-` for standard input
    #[arg(required_unless_present = "items", conflicts_with = "items", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What `aws dynamodb query` printed of a deployed stack's ledger, instead of logs; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub items: Option<PathBuf>,
    /// Acceptances: what `handsoff drift accept` printed. May be repeated
    #[arg(long, value_name = "FILE")]
    pub accepted: Vec<PathBuf>,
    /// Which policy to use.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = DriftFormat::Text)]
    pub format: DriftFormat,
    /// List also what is closed: overwritten, reverted, gone, accepted
    #[arg(long)]
    pub all: bool,
}

/// `handsoff drift accept`.
#[derive(Debug, ClapArgs)]
pub struct DriftAccept {
    /// The resource, as `handsoff drift list` prints it, or its ARN
    #[arg(value_name = "RESOURCE")]
    pub resource: handsoff_ledger::Resource,
    /// Who accepts the change; not the person who made it
    #[arg(long, value_name = "NAME")]
    pub owner: String,
    /// Why it may stay
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Until when it may stay: 2026-06-30, or 2026-06-30T12:00:00Z [default: without end]
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub until: Option<Time>,
}

/// How to list drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DriftFormat {
    /// A table, for people
    Text,
    /// One resource a line, as JSON
    Jsonl,
    /// One resource a line, for spreadsheets
    Csv,
}

/// `handsoff grant`.
#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("end").required(true))]
pub struct Grant {
    /// The ticket
    #[arg(long)]
    pub ticket: String,
    /// The person who requested it and will use it, as CloudTrail names them
    #[arg(long, value_name = "NAME")]
    pub requester: String,
    /// Who approves it: a different person
    #[arg(long, value_name = "NAME")]
    pub approver: String,
    /// The identity: a role's or user's name or ARN, `permission-set/NAME`, or `root`
    #[arg(long)]
    pub role: String,
    /// The account of the identity [default: the one that the event is put in]
    #[arg(long, value_name = "NUMBER")]
    pub account: Option<String>,
    /// The policy to compare the role with [default: handsoff.toml in this folder, if there is one]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// From when it is valid: 2026-03-14T02:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub from: Option<Time>,
    /// For how long: 2h, 90m; at most a day
    #[arg(long = "for", value_name = "DURATION", group = "end", value_parser = duration)]
    pub duration: Option<TimeDelta>,
    /// Until when: 2026-03-14T04:00:00Z
    #[arg(long, value_name = "TIME", group = "end", value_parser = since)]
    pub until: Option<Time>,
}

/// How to list cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// A table, for people
    Text,
    /// One case a line, as JSON
    Jsonl,
}

/// What to make of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One page without scripts, to read and to print
    Html,
    /// Manifest, digest, review and all calls, in one document
    Json,
    /// One call a line, for spreadsheets
    Csv,
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

/// Why a text is no time.
#[derive(Clone, Debug, thiserror::Error)]
enum TimeError {
    #[error("write a day, 2026-03-01, or a time, 2026-03-01T12:00:00Z")]
    Form,
}

fn since(text: &str) -> Result<Time, TimeError> {
    Time::parse(text)
        .or_else(|| Time::parse(&format!("{text}T00:00:00Z")))
        .or_else(|| Time::parse(&format!("{}:00Z", text.trim_end_matches('Z'))))
        .ok_or(TimeError::Form)
}
