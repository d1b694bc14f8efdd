//! Reading `handsoff.toml`: all mistakes at once, each with line and column.

mod accounts;
mod digest;

use std::collections::BTreeMap;

use handsoff_cloudtrail::Time;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{
    ActionPattern, Alerts, BreakGlass, Cases, Denials, Deploy, DigestHours, Exception, Form, Glob,
    IdentityPattern, Line, Origin, PatternError, Policy, TicketPlace, Workload,
};
use crate::severity::Severity;
use crate::show::clean;

/// A mistake in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

impl std::error::Error for Problem {}

/// The policy that knows nobody.
pub(super) fn empty() -> Policy {
    let line = Line::new("no policy");
    Policy {
        deploy: Vec::new(),
        break_glass: Vec::new(),
        workloads: Vec::new(),
        exceptions: Vec::new(),
        denials: Denials { line, window: 300, count: 20, actions: 6, codes: vec!["AccessDenied".into()] },
        alerts: Alerts {
            min_severity: Severity::Medium,
            period: 7200,
            quiet: 1800,
            burst: 10,
            accounts: BTreeMap::new(),
            digest: DigestHours::DEFAULT,
        },
        cases: Cases {
            patience: 120,
            review_within: 604_800,
            approvals_from: Vec::new(),
            approvers: Vec::new(),
        },
        protected: Vec::new(),
    }
}

/// Reads a policy. What it leaves out of `[denials]`, `[alerts]` and `[protected]` is as in the built-in one.
pub(super) fn policy(file: &str, text: &str) -> Result<Policy, Vec<Problem>> {
    let mut reader = Reader { file, text, problems: Vec::new() };
    // The built-in policy itself starts from nothing.
    let mut policy = if text == super::DEFAULT { empty() } else { Policy::built_in() };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        // Regular expressions have backslashes, and who pastes one here can't tell what is missing.
        let message = if error.message().contains("escaped value") {
            "a `\\` within double quotes: write it twice, or the text in single quotes".to_owned()
        } else {
            error.message().trim().replace('\n', "; ")
        };
        reader.problem(at, message);
    }
    let broken: Vec<usize> = reader.problems.iter().map(|problem| problem.line).collect();
    let root = Section { table: table.get_ref(), at: 0, name: "the policy" };
    reader.known(
        &root,
        &[
            "deploy",
            "break_glass",
            "workload",
            "exception",
            "denials",
            "alerts",
            "digest",
            "accounts",
            "cases",
            "protected",
        ],
    );
    for section in reader.list(&root, "deploy") {
        policy.deploy.extend(reader.deploy(&section));
    }
    for section in reader.list(&root, "break_glass") {
        policy.break_glass.extend(reader.break_glass(&section));
    }
    for section in reader.list(&root, "workload") {
        policy.workloads.extend(reader.workload(&section));
    }
    for section in reader.list(&root, "exception") {
        policy.exceptions.extend(reader.exception(&section));
    }
    if let Some(section) = reader.section(&root, "denials") {
        reader.denials(&section, &mut policy.denials);
    }
    if let Some(section) = reader.section(&root, "alerts") {
        reader.alerts(&section, &mut policy.alerts);
    }
    if let Some(section) = reader.section(&root, "digest") {
        reader.digest(&section, &mut policy.alerts.digest);
    }
    if let Some(section) = reader.section(&root, "accounts") {
        policy.alerts.accounts = reader.accounts(&section);
    }
    if let Some(section) = reader.section(&root, "cases") {
        reader.cases(&section, &mut policy.cases);
    }
    if let Some(section) = reader.section(&root, "protected") {
        reader.known(&section, &["resources"]);
        if let Some(resources) = reader.globs(&section, "resources") {
            policy.protected = resources;
        }
    }
    if reader.problems.is_empty() {
        Ok(policy)
    } else {
        // What follows on a line that isn't TOML is no mistake of its own.
        let mut syntax = broken.len();
        reader.problems.retain(|problem| {
            let own = syntax > 0;
            syntax = syntax.saturating_sub(1);
            own || !broken.contains(&problem.line)
        });
        reader.problems.sort_by_key(|problem| (problem.line, problem.column));
        Err(reader.problems)
    }
}

/// A table of the policy, where it starts, and what messages call it.
struct Section<'t> {
    table: &'t DeTable<'t>,
    at: usize,
    name: &'static str,
}

impl<'t> Section<'t> {
    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }

    fn problem(&mut self, at: usize, message: impl Into<String>) {
        let (line, column) = self.position(at);
        // A policy may come from somebody's pull request: what it says must not reach a terminal as it is.
        let (file, message) = (clean(self.file, 256), clean(&message.into(), 400));
        self.problems.push(Problem { file, line, column, message });
    }

    fn line(&self, section: &Section<'_>) -> Line {
        Line::new(&format!("{}:{} {}", clean(self.file, 256), self.position(section.at).0, section.name))
    }

    fn known(&mut self, section: &Section<'_>, keys: &[&str]) {
        for key in section.table.keys() {
            if !keys.contains(&key.get_ref().as_ref()) {
                let message = format!(
                    "unknown key `{}` in {}: it has {}",
                    key.get_ref(),
                    section.name,
                    keys.join(", ")
                );
                self.problem(key.span().start, message);
            }
        }
    }

    fn wrong(&mut self, value: &Spanned<DeValue<'_>>, key: &str, wanted: &str) {
        let message = format!("`{key}` should be {wanted}, and is of type {}", value.get_ref().type_str());
        self.problem(value.span().start, message);
    }

    fn section<'t>(&mut self, parent: &Section<'t>, key: &'static str) -> Option<Section<'t>> {
        let value = parent.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value, key, &format!("a table: [{key}]"));
            return None;
        };
        let name = match key {
            "denials" => "[denials]",
            "alerts" => "[alerts]",
            "accounts" => "[accounts]",
            "digest" => "[digest]",
            "cases" => "[cases]",
            _ => "[protected]",
        };
        Some(Section { table, at: value.span().start, name })
    }

    fn list<'t>(&mut self, parent: &Section<'t>, key: &'static str) -> Vec<Section<'t>> {
        let Some(value) = parent.get(key) else { return Vec::new() };
        let name = match key {
            "deploy" => "[[deploy]]",
            "break_glass" => "[[break_glass]]",
            "workload" => "[[workload]]",
            _ => "[[exception]]",
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(value, key, &format!("a list of tables: {name}"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for element in array {
            match element.get_ref().as_table() {
                Some(table) => sections.push(Section { table, at: element.span().start, name }),
                None => self.wrong(element, key, &format!("a table: {name}")),
            }
        }
        sections
    }

    fn deploy(&mut self, section: &Section<'_>) -> Option<Deploy> {
        self.known(
            section,
            &["identity", "assumed_by", "session_names", "networks", "source_identities", "vpc_endpoints"],
        );
        let identity = self.identity(section);
        let assumed_by = self.strings(section, "assumed_by").unwrap_or_default();
        let assumed_by = self.each(assumed_by, Origin::parse);
        let networks = self.strings(section, "networks").unwrap_or_default();
        let networks = self.each(networks, |written| {
            written.parse().map_err(|_| "not a network: write `192.0.2.0/24` or `2001:db8::/32`".into())
        });
        let session_names = self.globs(section, "session_names").unwrap_or_default();
        let source_identities = self.globs(section, "source_identities").unwrap_or_default();
        let endpoints = self.strings(section, "vpc_endpoints").unwrap_or_default();
        let vpc_endpoints = self.each(endpoints, |written| {
            let known = is_account(written) || (written.starts_with("vpce-") && !written.contains('*'));
            known
                .then(|| written.to_owned())
                .ok_or("write the endpoint's ID, `vpce-…`, or its account's".into())
        });
        let line = self.line(section);
        let identity = identity?;
        Some(Deploy { line, identity, assumed_by, session_names, networks, source_identities, vpc_endpoints })
    }

    fn break_glass(&mut self, section: &Section<'_>) -> Option<BreakGlass> {
        let keys = [
            "identity",
            "max_session",
            "roster",
            "trust_session_name",
            "ticket",
            "ticket_in",
            "approval",
            "drill",
            "drill_every",
        ];
        self.known(section, &keys);
        let identity = self.identity(section);
        let max_session = self.duration(section, "max_session").unwrap_or(3600);
        let roster = self.strings(section, "roster").unwrap_or_default();
        let roster = roster.into_iter().map(|(person, _)| person).collect();
        let (ticket, drill) = (self.form(section, "ticket"), self.form(section, "drill"));
        let ticket_in = match self.strings(section, "ticket_in") {
            Some(written) => self.each(written, TicketPlace::parse),
            None => vec![TicketPlace::SourceIdentity, TicketPlace::SessionName, TicketPlace::Grant],
        };
        let approval = self.flag(section, "approval").unwrap_or(false);
        let drill_every = self.duration(section, "drill_every");
        let trust_session_name = self.flag(section, "trust_session_name").unwrap_or(false);
        let line = self.line(section);
        let identity = identity?;
        Some(BreakGlass {
            line,
            identity,
            max_session,
            roster,
            trust_session_name,
            ticket,
            ticket_in,
            approval,
            drill,
            drill_every,
        })
    }

    fn cases(&mut self, section: &Section<'_>, cases: &mut Cases) {
        self.known(section, &["patience", "review_within", "approvals_from", "approvers"]);
        if let Some(patience) = self.duration(section, "patience") {
            cases.patience = patience;
        }
        if let Some(review_within) = self.duration(section, "review_within") {
            cases.review_within = review_within;
        }
        let accounts = self.strings(section, "approvals_from").unwrap_or_default();
        cases.approvals_from = self.each(accounts, |account| {
            if is_account(account) {
                Ok(account.to_owned())
            } else {
                Err("an account's ID has twelve digits".into())
            }
        });
        let approvers = self.strings(section, "approvers").unwrap_or_default();
        cases.approvers = self.each(approvers, |name| {
            // Nobody in the records could be called so.
            if name.trim().is_empty() || clean(name, 256) != name {
                Err("write a person's name, in at most 256 printable characters".into())
            } else if name.contains('*') {
                Err("write each approver out: a `*` is no wildcard here".into())
            } else {
                Ok(name.to_owned())
            }
        });
    }

    fn form(&mut self, section: &Section<'_>, key: &str) -> Option<Form> {
        let (written, at) = self.string(section, key)?;
        match Form::parse(&written) {
            Ok(form) => Some(form),
            Err(why) => {
                self.problem(at, format!("`{written}`: {why}"));
                None
            }
        }
    }

    fn flag(&mut self, section: &Section<'_>, key: &str) -> Option<bool> {
        let value = section.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(value, key, "true or false");
        }
        flag
    }

    fn workload(&mut self, section: &Section<'_>) -> Option<Workload> {
        self.known(section, &["identity", "may_write"]);
        let identity = self.identity(section);
        let may_write = self.actions(section, "may_write");
        Some(Workload { line: self.line(section), identity: identity?, may_write })
    }

    fn exception(&mut self, section: &Section<'_>) -> Option<Exception> {
        self.known(section, &["identity", "actions", "resources", "denials", "owner", "reason", "until"]);
        let identity = self.identity(section);
        let denials = self.flag(section, "denials").unwrap_or(false);
        let actions = self.actions(section, "actions");
        match section.get("actions") {
            None if !denials => self.problem(section.at, "[[exception]] needs `actions`: what is tolerated"),
            None if identity.as_ref().is_some_and(names_many) => self.problem(
                section.at,
                "[[exception]] for denials of many: write the identity's name out, or name `actions`",
            ),
            Some(list) if list.get_ref().as_array().is_some_and(|list| list.is_empty()) => {
                self.problem(list.span().start, "`actions` is empty: name what is tolerated");
            }
            _ => {}
        }
        let resources = self.globs(section, "resources").unwrap_or_default();
        let owner = self.required(section, "owner", "who is responsible for it");
        let reason = self.required(section, "reason", "what it is for");
        let until = self.until(section);
        Some(Exception {
            line: self.line(section),
            identity: identity?,
            actions,
            resources,
            denials,
            owner: owner?,
            reason: reason?,
            until: until?,
        })
    }

    fn denials(&mut self, section: &Section<'_>, denials: &mut Denials) {
        self.known(section, &["window", "count", "actions", "codes"]);
        denials.line = self.line(section);
        if let Some(window) = self.duration(section, "window") {
            denials.window = window;
        }
        if let Some(count) = self.number(section, "count") {
            denials.count = count;
        }
        if let Some(actions) = self.number(section, "actions") {
            denials.actions = actions;
        }
        if let Some(codes) = self.strings(section, "codes") {
            denials.codes = codes.into_iter().map(|(code, _)| code).collect();
        }
    }

    fn alerts(&mut self, section: &Section<'_>, alerts: &mut Alerts) {
        self.known(section, &["min_severity", "period", "quiet", "burst"]);
        if let Some((written, at)) = self.string(section, "min_severity") {
            match written.parse() {
                Ok(severity) => alerts.min_severity = severity,
                Err(error) => self.problem(at, format!("`{written}` is {error}")),
            }
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

    fn identity(&mut self, section: &Section<'_>) -> Option<IdentityPattern> {
        let Some((written, at)) = self.string(section, "identity") else {
            if section.get("identity").is_none() {
                self.problem(
                    section.at,
                    format!("{} needs `identity`: the role, user or permission set", section.name),
                );
            }
            return None;
        };
        match IdentityPattern::parse(&written) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                self.problem(at, format!("`{written}`: {why}"));
                None
            }
        }
    }

    fn actions(&mut self, section: &Section<'_>, key: &'static str) -> Vec<ActionPattern> {
        let written = self.strings(section, key).unwrap_or_default();
        self.each(written, ActionPattern::parse)
    }

    fn each<T>(
        &mut self,
        written: Vec<(String, usize)>,
        parse: impl Fn(&str) -> Result<T, PatternError>,
    ) -> Vec<T> {
        let mut parsed = Vec::new();
        for (text, at) in written {
            match parse(&text) {
                Ok(value) => parsed.push(value),
                Err(why) => self.problem(at, format!("`{text}`: {why}")),
            }
        }
        parsed
    }

    fn string(&mut self, section: &Section<'_>, key: &str) -> Option<(String, usize)> {
        let value = section.get(key)?;
        if let Some(text) = value.get_ref().as_str() {
            Some((text.to_owned(), value.span().start))
        } else {
            self.wrong(value, key, "a string");
            None
        }
    }

    fn required(&mut self, section: &Section<'_>, key: &str, what: &str) -> Option<String> {
        if section.get(key).is_none() {
            self.problem(section.at, format!("{} needs `{key}`: {what}", section.name));
        }
        let (text, at) = self.string(section, key)?;
        if text.trim().is_empty() {
            self.problem(at, format!("`{key}` is empty: write {what}"));
            return None;
        }
        Some(clean(&text, 400))
    }

    fn strings(&mut self, section: &Section<'_>, key: &str) -> Option<Vec<(String, usize)>> {
        let value = section.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(value, key, "a list of strings");
            return None;
        };
        let mut strings = Vec::new();
        for element in array {
            match element.get_ref().as_str() {
                Some(text) => strings.push((text.to_owned(), element.span().start)),
                None => self.wrong(element, key, "a list of strings"),
            }
        }
        Some(strings)
    }

    fn globs(&mut self, section: &Section<'_>, key: &str) -> Option<Vec<Glob>> {
        Some(self.strings(section, key)?.iter().map(|(text, _)| Glob::new(text)).collect())
    }

    fn number(&mut self, section: &Section<'_>, key: &str) -> Option<usize> {
        let value = section.get(key)?;
        let number = value.get_ref().as_integer().and_then(|number| {
            usize::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| *number > 0)
        });
        if number.is_none() {
            self.problem(value.span().start, format!("`{key}` should be a whole number above 0"));
        }
        number
    }

    fn duration(&mut self, section: &Section<'_>, key: &str) -> Option<i64> {
        let (written, at) = self.string(section, key)?;
        let seconds = written.char_indices().next_back().and_then(|(end, unit)| {
            let factor = match unit {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86_400,
                _ => return None,
            };
            written
                .get(..end)?
                .parse::<u32>()
                .ok()
                .filter(|number| *number > 0)
                .map(|number| i64::from(number) * factor)
        });
        if seconds.is_none() {
            self.problem(
                at,
                format!("`{written}` is not a duration: write a number with s, m, h or d, such as \"30m\""),
            );
        }
        seconds
    }

    fn until(&mut self, section: &Section<'_>) -> Option<Time> {
        let Some(value) = section.get("until") else {
            self.problem(
                section.at,
                "[[exception]] needs `until`: the last day that it is valid, such as 2027-01-31",
            );
            return None;
        };
        let date = match value.get_ref().as_datetime() {
            Some(toml::value::Datetime { date: Some(date), time: None, .. }) => {
                Time::parse(&format!("{date}T00:00:00Z"))
            }
            _ => None,
        };
        let Some(Time(midnight)) = date else {
            self.problem(value.span().start, "`until` should be a date without quotes, such as 2027-01-31");
            return None;
        };
        Some(Time(midnight + 86_400))
    }
}

/// Whether a pattern's name, behind the account, stands for more than one.
fn names_many(identity: &IdentityPattern) -> bool {
    identity.as_str().rsplit(':').next().is_some_and(|name| name.contains('*'))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
