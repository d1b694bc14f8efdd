//! What is said of a session: its verdicts, and the lines of its messages.

use handsoff_cloudtrail::TimeDelta;
use handsoff_core::alert::Note;
use handsoff_core::{Code, Finding, Reported, SessionVerdict, Severity};

use crate::manifest::Manifest;
use crate::session::{Approval, Session, State, Ticket};

impl Session<'_> {
    /// The violations, on the session's first finding, but for those that are reported already: what comes after the policy's
    /// own window is, call by call. Calls that only a grant's end shows to be late have one finding together.
    pub fn violated(&self, first: &Finding, told: impl Fn(Code) -> bool) -> Vec<Reported> {
        let mut violations = self.violations();
        violations.retain(|(code, ..)| !told(*code));
        violations
            .into_iter()
            .map(|(code, severity, reason)| {
                SessionVerdict::on(first, self.identity(), code, severity, reason).into()
            })
            .collect()
    }

    /// That it is over.
    pub fn closed(&self, first: &Finding) -> Option<SessionVerdict> {
        let (end, by) = self.end()?;
        let late = self.overdue().map_or(String::new(), |over| {
            let minutes = (over + TimeDelta::seconds(59)).num_minutes();
            format!(" Calls continued for {minutes} minutes after its allowed time.")
        });
        let reason = format!("The session ended at {end} ({}).{late}", by.meaning());
        let code = crate::codes::GLASS_CLOSED;
        let closed = SessionVerdict::on(first, self.identity(), code, Severity::Info, reason);
        let (time, known) = (Some(end), self.closes());
        Some(SessionVerdict { when: time.map(|it| it.to_string()), time, known, ..closed })
    }

    /// For its last message: what the case holds, and what proves it.
    pub fn closing(&self, manifest: &Manifest, digest: &str) -> Vec<Note> {
        let summary = &manifest.summary;
        let calls = &summary.calls;
        let mut notes = self.notes();
        let mut note = |name: &str, text: String| notes.push(Note::new(name, text));
        note("state", State::Closed.as_str().to_owned());
        if let Some((at, by)) = self.end() {
            note("ended", format!("{at}: {}", by.meaning()));
        }
        note(
            "calls",
            format!(
                "{}: {} changes, {} reads, {} denied, {} failed, {} into machines, {} by assumed roles",
                calls.all,
                calls.writes,
                calls.reads,
                calls.denied,
                calls.failed,
                calls.interactive,
                calls.chained
            ),
        );
        let codes: Vec<&str> = manifest.violations.iter().map(|violation| violation.code.as_str()).collect();
        note("wrong", if codes.is_empty() { "nothing".into() } else { codes.join(", ") });
        note(
            "left",
            format!("{} resources created and not removed", summary.left.len() as u64 + summary.more_left),
        );
        let sources = &summary.sources;
        if let Some(lookup) = &manifest.lookup {
            let only = sources.only_lookup.count;
            let complete = if lookup.complete {
                ""
            } else {
                "; CloudTrail's event history could not be read completely"
            };
            note("missed", format!("{only} calls came from LookupEvents alone{complete}"));
            note("asked in", lookup.regions.join(", "));
            let alone = sources.only_eventbridge.count;
            if lookup.complete && alone > 0 {
                note(
                    "unknown",
                    format!("{alone} calls came from EventBridge that LookupEvents doesn't have"),
                );
            }
        }
        if let Some(ended) = sources.feed_ended.filter(|_| sources.after_feed > 0) {
            note(
                "feed",
                format!("the live feed ended at {ended}, and {} calls came after", sources.after_feed),
            );
        }
        note("case", self.id.clone());
        note("digest", format!("sha256 {digest}"));
        notes
    }

    /// For its messages: who, ticket, approval, until when.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        let mut note = |name: &str, text: String| notes.push(Note::new(name, text));
        if self.is_drill() {
            note("drill", "according to its ticket; the person who opens a session can choose that".into());
        }
        match self.person() {
            Some((by, person)) => note("person", format!("{person} ({})", by.meaning())),
            None => note("person", "the records don't say".into()),
        }
        match (self.ticket(), self.entry().and_then(|entry| entry.ticket.as_ref())) {
            (Some(Ticket { id, from }), _) => note("ticket", format!("{id} (in {from})")),
            (None, Some(_)) => note("ticket", "none so far".into()),
            (None, None) => {}
        }
        match self.approval() {
            Approval::Approved { grant } => {
                let own =
                    if grant.sent_from == self.account() { "; its event is of this account" } else { "" };
                let until = self.extended(&grant);
                note("approved", format!("by {}, {} until {until}{own}", grant.approver, grant.ticket));
            }
            Approval::SelfApproved { grant } => {
                note("approved", format!("by {} themselves, {}", grant.approver, grant.ticket));
            }
            Approval::Missing { nearest: Some((grant, why)) } => {
                note("approved", format!("not: {} doesn't cover it, {why}", grant.ticket));
            }
            Approval::Missing { nearest: None } => match self.entry() {
                Some(entry) if entry.approval => note("approved", "no grant so far".into()),
                _ => note("approved", "no grant is known".into()),
            },
        }
        note("mfa", self.mfa().meaning().to_owned());
        match (self.window_end(), self.end()) {
            (Some(end), _) => note("until", format!("{end}, the end of its window")),
            (None, Some((end, by))) => note("until", format!("{end}: {}", by.meaning())),
            _ => {}
        }
        notes
    }
}
