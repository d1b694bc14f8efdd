//! `[cases]`, `[denials]`, `[alerts]`, `[pipeline]`, `[images]`, `[proof]` and `[agents]`.

use std::collections::BTreeMap;

use super::{Reader, Section, is_account};
use crate::policy::{
    Agents, Alerts, Cases, Denials, ImagePattern, Images, PatternError, PipelineRules, ProofRules,
};
use crate::severity::Severity;
use crate::show::clean;

/// So long may the name of an owner be.
const LONGEST_OWNER: usize = 128;

impl Reader<'_> {
    pub(super) fn pipeline(&mut self, section: &Section<'_>, rules: &mut PipelineRules) {
        self.known(section, &["protected_branches", "trusted_branches", "trusted_repositories"]);
        rules.line = self.line(section);
        for (key, list) in [
            ("protected_branches", &mut rules.protected_branches),
            ("trusted_branches", &mut rules.trusted_branches),
            ("trusted_repositories", &mut rules.trusted_repositories),
        ] {
            *list = self.globs(section, key).unwrap_or_default();
        }
    }

    pub(super) fn images(&mut self, section: &Section<'_>) -> Images {
        self.known(section, &["approved"]);
        let written = self.strings(section, "approved").unwrap_or_default();
        Images { line: self.line(section), approved: self.each(written, ImagePattern::parse) }
    }

    pub(super) fn proof(&mut self, section: &Section<'_>, proof: &mut ProofRules) {
        self.known(section, &["patience"]);
        if let Some(patience) = self.duration(section, "patience") {
            proof.patience = patience;
        }
    }

    pub(super) fn cases(&mut self, section: &Section<'_>, cases: &mut Cases) {
        self.known(section, &["patience", "review_within", "approvals_from", "approvers"]);
        if let Some(patience) = self.duration(section, "patience") {
            cases.patience = patience;
        }
        if let Some(review_within) = self.duration(section, "review_within") {
            cases.review_within = review_within;
        }
        let accounts = self.strings(section, "approvals_from").unwrap_or_default();
        cases.approvals_from = self.each(accounts, |account| {
            if is_account(account) { Ok(account.to_owned()) } else { Err(PatternError::NoAccountId) }
        });
        let approvers = self.strings(section, "approvers").unwrap_or_default();
        cases.approvers = self.each(approvers, |name| {
            // Nobody in the records could be called so.
            if name.trim().is_empty() || clean(name, 256) != name {
                Err(PatternError::NoPerson)
            } else if name.contains('*') {
                Err(PatternError::NoWildcard)
            } else {
                Ok(name.to_owned())
            }
        });
    }

    pub(super) fn denials(&mut self, section: &Section<'_>, denials: &mut Denials) {
        let Denials {
            count,
            actions,
            targets,
            principals,
            sign_ins,
            daily_actions,
            daily_targets,
            daily_count,
            ..
        } = denials;
        let numbers = [
            ("count", count),
            ("actions", actions),
            ("targets", targets),
            ("principals", principals),
            ("sign_ins", sign_ins),
            ("daily_actions", daily_actions),
            ("daily_targets", daily_targets),
            ("daily_count", daily_count),
        ];
        let names = numbers.iter().map(|(name, _)| *name);
        let known: Vec<&str> = ["window"].into_iter().chain(names).chain(["codes", "guardrails"]).collect();
        self.known(section, &known);
        for (name, number) in numbers {
            if let Some(written) = self.number(section, name) {
                *number = written;
            }
        }
        denials.line = self.line(section);
        if let Some(window) = self.duration(section, "window") {
            denials.window = window;
        }
        if let Some(codes) = self.strings(section, "codes") {
            denials.codes = codes.into_iter().map(|(code, _)| code).collect();
        }
        if let Some(owners) = self.section(section, "guardrails") {
            denials.guardrails = self.owners(&owners);
        }
    }

    /// Who owns what, by its name.
    fn owners(&mut self, section: &Section<'_>) -> BTreeMap<String, String> {
        let mut owners = BTreeMap::new();
        for (name, value) in section.table {
            match value.get_ref().as_str() {
                Some(owner) if !owner.trim().is_empty() => {
                    owners.insert(name.get_ref().to_string(), clean(owner, LONGEST_OWNER));
                }
                _ => {
                    self.wrong(
                        value,
                        name.get_ref(),
                        "who owns the policy, such as \"platform@example.com\"",
                    );
                }
            }
        }
        owners
    }

    pub(super) fn alerts(&mut self, section: &Section<'_>, alerts: &mut Alerts) {
        self.known(section, &["min_severity", "period", "quiet", "burst"]);
        if let Some(severity) = self.severity(section, "min_severity") {
            alerts.min_severity = severity;
        }
        if let Some(period) = self.duration(section, "period") {
            alerts.period = period;
        }
        if let Some(quiet) = self.duration(section, "quiet") {
            alerts.quiet = quiet;
        }
        if let Some(burst) = self.number(section, "burst") {
            alerts.burst = burst;
        }
    }

    pub(super) fn agents(&mut self, section: &Section<'_>) -> Option<Agents> {
        self.known(section, &["at_least"]);
        if section.get("at_least").is_none() {
            let needs = "needs `at_least`: how urgent a change by an agent is at least";
            self.error(section.span.clone(), format!("{} {needs}", section.name));
        }
        let at_least = self.severity(section, "at_least")?;
        Some(Agents { line: self.line(section), at_least })
    }

    fn severity(&mut self, section: &Section<'_>, key: &str) -> Option<Severity> {
        let (written, at) = self.string(section, key)?;
        written
            .parse()
            .map_err(|error| {
                let known: Vec<&str> = Severity::ALL.iter().map(|known| known.as_str()).collect();
                self.slip((&written, at), &format!("`{written}` is {error}"), &known);
            })
            .ok()
    }
}
