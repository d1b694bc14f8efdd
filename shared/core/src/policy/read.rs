//! Reading `handsoff.toml`: all mistakes at once, each with its place.

mod accounts;
mod digest;
mod entries;
mod reader;
mod settings;

use std::collections::BTreeMap;

use handsoff_cloudtrail::TimeDelta;
use toml::de::{DeTable, Error};

use super::{
    Alerts, Cases, DEFAULT, Denials, DigestHours, Line, PipelineRules, Policy, PolicyError, ProofRules,
    Protected,
};
use crate::severity::Severity;
use reader::{Reader, Section};

/// The policy that knows nobody.
pub(super) fn empty() -> Policy {
    let line = Line::new("no policy");
    Policy {
        deploy: Vec::new(),
        break_glass: Vec::new(),
        workloads: Vec::new(),
        exceptions: Vec::new(),
        denials: Denials {
            guardrails: BTreeMap::new(),
            line,
            window: TimeDelta::minutes(5),
            count: 20,
            actions: 6,
            targets: 20,
            principals: 5,
            sign_ins: 10,
            daily_actions: 15,
            daily_targets: 30,
            daily_count: 100,
            codes: vec!["AccessDenied".into()],
        },
        alerts: Alerts {
            min_severity: Severity::Medium,
            period: TimeDelta::hours(2),
            quiet: TimeDelta::minutes(30),
            burst: 10,
            accounts: BTreeMap::new(),
            digest: DigestHours::DEFAULT,
        },
        cases: Cases {
            patience: TimeDelta::minutes(2),
            review_within: TimeDelta::days(7),
            approvals_from: Vec::new(),
            approvers: Vec::new(),
        },
        pipeline: PipelineRules::none(),
        images: None,
        agents: None,
        proof: ProofRules { patience: TimeDelta::minutes(20) },
        protected: Protected::default(),
    }
}

/// The tables of a policy.
pub(super) const TABLES: [&str; 14] = [
    "deploy",
    "break_glass",
    "workload",
    "exception",
    "denials",
    "alerts",
    "digest",
    "accounts",
    "cases",
    "pipeline",
    "images",
    "proof",
    "agents",
    "protected",
];

impl Policy {
    /// Reads a policy. `file` is the name that reasons and errors give it.
    ///
    /// # Errors
    /// All mistakes at once, each with its line and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<PolicyError>> {
        policy(file, text)
    }

    /// The built-in policy.
    pub fn built_in() -> Self {
        // INVARIANT: the built-in policy parses; a test holds it to that. Were it ever not to, nothing
        // would be exempt and root would still be break-glass.
        Self::parse("built-in policy", DEFAULT).unwrap_or_else(|_| empty())
    }
}

/// Reads a policy. What it leaves out of `[denials]`, `[alerts]` and `[protected]` is as in the built-in one.
fn policy(file: &str, text: &str) -> Result<Policy, Vec<PolicyError>> {
    let mut reader = Reader { file, text, errors: Vec::new() };
    // The built-in policy itself starts from nothing.
    let mut policy = if text == DEFAULT { empty() } else { Policy::built_in() };
    let (table, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        let span = error.span().unwrap_or_default();
        reader.error(span, in_plain_words(error));
    }
    let broken: Vec<usize> = reader.errors.iter().map(|error| error.line).collect();
    let root = Section { table: table.get_ref(), span: 0..0, name: "the policy".into() };
    reader.known(&root, &TABLES);
    reader.entries(&root, &mut policy);
    reader.settings(&root, &mut policy);
    if reader.errors.is_empty() {
        return Ok(policy);
    }
    let mut errors = reader.errors;
    // What follows on a line that isn't TOML is no mistake of its own.
    let others = errors.split_off(broken.len());
    errors.extend(others.into_iter().filter(|error| !broken.contains(&error.line)));
    errors.sort_by_key(|error| (error.line, error.column));
    Err(errors)
}

/// What isn't TOML.
fn in_plain_words(error: &Error) -> String {
    // Regular expressions have backslashes, and who pastes one here can't tell what is missing.
    if error.message().contains("escaped value") {
        "a `\\` within double quotes: write it twice, or the text in single quotes".to_owned()
    } else {
        error.message().trim().replace('\n', "; ")
    }
}

impl Reader<'_> {
    fn entries(&mut self, root: &Section<'_>, policy: &mut Policy) {
        for section in self.list(root, "deploy") {
            policy.deploy.extend(self.deploy(&section));
        }
        for section in self.list(root, "break_glass") {
            policy.break_glass.extend(self.break_glass(&section));
        }
        for section in self.list(root, "workload") {
            policy.workloads.extend(self.workload(&section));
        }
        for section in self.list(root, "exception") {
            policy.exceptions.extend(self.exception(&section));
        }
    }

    fn settings(&mut self, root: &Section<'_>, policy: &mut Policy) {
        if let Some(section) = self.section(root, "denials") {
            self.denials(&section, &mut policy.denials);
        }
        if let Some(section) = self.section(root, "alerts") {
            self.alerts(&section, &mut policy.alerts);
        }
        if let Some(section) = self.section(root, "digest") {
            self.digest(&section, &mut policy.alerts.digest);
        }
        if let Some(section) = self.section(root, "accounts") {
            policy.alerts.accounts = self.accounts(&section);
        }
        if let Some(section) = self.section(root, "cases") {
            self.cases(&section, &mut policy.cases);
        }
        if let Some(section) = self.section(root, "pipeline") {
            self.pipeline(&section, &mut policy.pipeline);
        }
        if let Some(section) = self.section(root, "images") {
            policy.images = Some(self.images(&section));
        }
        if let Some(section) = self.section(root, "proof") {
            self.proof(&section, &mut policy.proof);
        }
        if let Some(section) = self.section(root, "agents") {
            policy.agents = self.agents(&section);
        }
        if let Some(section) = self.section(root, "protected") {
            self.known(&section, &["resources"]);
            if let Some(resources) = self.globs(&section, "resources") {
                policy.protected = resources.into_iter().collect();
            }
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
