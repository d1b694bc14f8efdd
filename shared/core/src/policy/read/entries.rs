//! `[[deploy]]`, `[[break_glass]]`, `[[workload]]` and `[[exception]]`.

use handsoff_cloudtrail::{Time, TimeDelta};
use toml::de::DeValue;

use super::{Reader, Section, is_account};
use crate::policy::{
    BreakGlass, Change, Deploy, Exception, Form, Glob, IdentityPattern, Origin, PatternError, SessionTags,
    TicketPlace, Workload,
};

impl Reader<'_> {
    pub(super) fn deploy(&mut self, section: &Section<'_>) -> Option<Deploy> {
        let keys = [
            "identity",
            "assumed_by",
            "session_names",
            "networks",
            "source_identities",
            "session_tags",
            "vpc_endpoints",
            "may_change",
            "deletions",
            "humans",
            "unproven",
        ];
        self.known(section, &keys);
        let identity = self.identity(section);
        let assumed_by = self.strings(section, "assumed_by").unwrap_or_default();
        let assumed_by = self.each(assumed_by, Origin::parse);
        let networks = self.strings(section, "networks").unwrap_or_default();
        let networks = self.each(networks, |written| written.parse().map_err(|_| PatternError::NoNetwork));
        let session_names = self.globs(section, "session_names").unwrap_or_default();
        let source_identities = self.globs(section, "source_identities").unwrap_or_default();
        let session_tags = self.session_tags(section);
        let endpoints = self.strings(section, "vpc_endpoints").unwrap_or_default();
        let vpc_endpoints = self.each(endpoints, |written| {
            let known = is_account(written) || (written.starts_with("vpce-") && !written.contains('*'));
            known.then(|| written.to_owned()).ok_or(PatternError::NoEndpoint)
        });
        let may_change = self.strings(section, "may_change").map(|written| self.each(written, Change::parse));
        let deletions = self.number(section, "deletions").unwrap_or(Deploy::DELETIONS);
        let humans = self.flag(section, "humans").unwrap_or(false);
        let unproven = self.flag(section, "unproven").unwrap_or(false);
        let line = self.line(section);
        let identity = identity?;
        Some(Deploy {
            line,
            identity,
            assumed_by,
            session_names,
            networks,
            source_identities,
            session_tags,
            vpc_endpoints,
            may_change,
            deletions,
            humans,
            unproven,
        })
    }

    fn session_tags(&mut self, section: &Section<'_>) -> SessionTags {
        let mut tags = SessionTags::default();
        let Some(value) = section.get("session_tags") else { return tags };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value, "session_tags", "a table, such as { team = \"payments\" }");
            return tags;
        };
        for (key, value) in table {
            let name = key.get_ref();
            let values = match value.get_ref() {
                DeValue::String(text) => vec![Glob::new(text)],
                DeValue::Array(list) => {
                    let texts: Vec<Glob> =
                        list.iter().filter_map(|it| it.get_ref().as_str()).map(Glob::new).collect();
                    // What no value can have is no bound that somebody means.
                    if texts.is_empty() || texts.len() < list.len() { Vec::new() } else { texts }
                }
                _ => Vec::new(),
            };
            if name.trim().is_empty() || values.is_empty() {
                self.wrong(value, name, "the value of a session tag, or a list of such");
            } else if !tags.add(name, values) {
                let message =
                    format!("`{name}` of `session_tags` is there twice: keys of tags aren't case sensitive");
                self.error(key.span(), message);
            }
        }
        tags
    }

    pub(super) fn break_glass(&mut self, section: &Section<'_>) -> Option<BreakGlass> {
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
        let max_session = self.duration(section, "max_session").unwrap_or(TimeDelta::hours(1));
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

    fn form(&mut self, section: &Section<'_>, key: &str) -> Option<Form> {
        let (written, at) = self.string(section, key)?;
        match Form::parse(&written) {
            Ok(form) => Some(form),
            Err(why) => {
                self.error(at, format!("`{written}`: {why}"));
                None
            }
        }
    }

    pub(super) fn workload(&mut self, section: &Section<'_>) -> Option<Workload> {
        self.known(section, &["identity", "may_write"]);
        let identity = self.identity(section);
        let may_write = self.actions(section, "may_write");
        Some(Workload { line: self.line(section), identity: identity?, may_write })
    }

    pub(super) fn exception(&mut self, section: &Section<'_>) -> Option<Exception> {
        self.known(section, &["identity", "actions", "resources", "denials", "owner", "reason", "until"]);
        let identity = self.identity(section);
        let denials = self.flag(section, "denials").unwrap_or(false);
        let actions = self.actions(section, "actions");
        match section.get("actions") {
            None if !denials => {
                self.error(section.span.clone(), "[[exception]] needs `actions`: what is tolerated");
            }
            None if identity.as_ref().is_some_and(names_many) => self.error(
                section.span.clone(),
                "[[exception]] for denials of many: write the identity's name out, or name `actions`",
            ),
            Some(list) if list.get_ref().as_array().is_some_and(|list| list.is_empty()) => {
                self.error(list.span(), "`actions` is empty: name what is tolerated");
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

    fn identity(&mut self, section: &Section<'_>) -> Option<IdentityPattern> {
        let Some((written, at)) = self.string(section, "identity") else {
            if section.get("identity").is_none() {
                self.error(
                    section.span.clone(),
                    format!("{} needs `identity`: the role, user or permission set", section.name),
                );
            }
            return None;
        };
        match IdentityPattern::parse(&written) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                self.error(at, format!("`{written}`: {why}"));
                None
            }
        }
    }

    fn until(&mut self, section: &Section<'_>) -> Option<Time> {
        let Some(value) = section.get("until") else {
            self.error(
                section.span.clone(),
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
        let Some(midnight) = date else {
            self.error(value.span(), "`until` should be a date without quotes, such as 2027-01-31");
            return None;
        };
        Some(midnight + TimeDelta::days(1))
    }
}

/// Whether a pattern's name, behind the account, stands for more than one.
fn names_many(identity: &IdentityPattern) -> bool {
    identity.as_str().rsplit(':').next().is_some_and(|name| name.contains('*'))
}
