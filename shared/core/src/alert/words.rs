//! What a message says: its subject, its text, and where the console shows the event.

use std::collections::BTreeSet;

use handsoff_cloudtrail::Class;
use handsoff_cloudtrail::partition::{Partition, is_region};

use super::about::About;
use super::cause::Cause;
use super::stop::Stop;
use crate::code::Scope;
use crate::finding::Finding;
use crate::group;
use crate::incident::{Folded, Incident, Step};
use crate::reported::ReportedRef;
use crate::severity::Severity;

/// SNS takes a subject of less than 100 characters.
pub const LONGEST_SUBJECT: usize = 99;

/// So much is left of who acted, however long the action's name is.
const SHORTEST_NAME: usize = 12;

const CUT: &str = "...";

/// One line that SNS takes as a subject. It begins with the account, so that nothing can push it out.
pub fn subject(cause: Cause, severity: Severity, lead: ReportedRef<'_>, name: Option<&str>) -> String {
    let account = account_of(lead, name);
    let mark = match cause {
        Cause::Opened => String::new(),
        other => format!(" ({})", other.as_str()),
    };
    let severity = severity.as_str().to_uppercase();
    let begin = format!("{account} [{severity}]{mark} {}: ", lead.code().title());
    let begin = begin.trim_start();
    // A verdict on a session as a whole is on none of its calls.
    let action = lead.call().map(|call| format!(", {}", ascii(&call.action))).unwrap_or_default();
    let room = LONGEST_SUBJECT.saturating_sub(begin.len() + action.len());
    let who = cut(&ascii(&lead.principal().name), room.max(SHORTEST_NAME));
    cut(&format!("{begin}{who}{action}"), LONGEST_SUBJECT)
}

/// The account, and its name.
pub(super) fn account_of(lead: ReportedRef<'_>, name: Option<&str>) -> String {
    let parts = [Some(lead.account().trim()), name];
    let account: Vec<String> =
        parts.into_iter().flatten().filter(|part| !part.is_empty()).map(ascii).collect();
    account.join(" ")
}

/// Printable ASCII: SNS takes nothing else in a subject.
pub(super) fn ascii(text: &str) -> String {
    text.chars().map(|char| if char == ' ' || char.is_ascii_graphic() { char } else { '?' }).collect()
}

/// ASCII of at most so many characters. It is cut between two words, and says so. A word that is too long by itself is cut
/// anywhere but inside a number: half a number is another one.
pub fn cut(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let room = longest.saturating_sub(CUT.len());
    let between = |at: usize, joined: fn(&u8) -> bool| {
        let around = text.as_bytes().get(at.saturating_sub(1)..=at).unwrap_or_default();
        around.iter().all(joined)
    };
    let places = || (1..=room).rev();
    let word = places().find(|at| !between(*at, u8::is_ascii_alphanumeric));
    let place = word.or_else(|| places().find(|at| !between(*at, u8::is_ascii_digit)));
    let kept = text.get(..place.unwrap_or_default()).unwrap_or_default();
    format!("{}{CUT}", kept.trim_end_matches([' ', ',']))
}

/// Where the console shows the event. None unless its ID and its Region have the form that CloudTrail gives them: a
/// saved file may have anything there.
pub fn link(finding: &Finding) -> Option<String> {
    let Finding { event_id, region, .. } = finding;
    let console = Partition::of_region(region).console?;
    let known = is_region(region) && is_event_id(event_id);
    known.then(|| format!("https://{region}.{console}/cloudtrailv2/home?region={region}#/events/{event_id}"))
}

/// Whether it is a UUID, as CloudTrail's event IDs are.
fn is_event_id(text: &str) -> bool {
    let mut parts = text.split('-');
    let hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let long = [8, 4, 4, 4, 12].into_iter();
    long.map(Some).eq(parts.by_ref().map(|part| hexadecimal(part).then_some(part.len())))
}

/// The finding whose event a message shows: what it tells; of a session's end, the most severe of its calls.
pub(super) fn shown<'i>(about: &About<'i>) -> ReportedRef<'i> {
    match about.lead {
        ReportedRef::Session(verdict) if verdict.is_end() => {
            about.incident.worst().next().map_or(about.lead, ReportedRef::Call)
        }
        lead => lead,
    }
}

/// The whole message, for people.
pub(super) fn text(about: &About<'_>, cause: Cause, others: &[&Finding]) -> String {
    let About { incident, lead, findings: count, since, notes, .. } = about;
    let mut lines = vec![lead.code().title().to_owned(), String::new()];
    let mut line = |name: &str, value: &str| lines.push(format!("{name:<9}{value}"));
    line("who", &who(*lead));
    let shown = shown(about);
    for (name, value) in what_and_when(about, shown, cause) {
        line(name, &value);
    }
    for (name, value) in evidence(shown, about.policy.account_name(shown.account())) {
        line(name, &value);
    }
    line("why", lead.reason());
    if !others.is_empty() {
        line("also", &also(about, others));
    }
    for note in *notes {
        line(&note.name, &note.text);
    }
    let so_far = if *count == 1 { "1 finding".to_owned() } else { format!("{count} findings") };
    let since = since.start().map(|since| format!(" since {}", since.format("%H:%M"))).unwrap_or_default();
    // A drill that is due has no calls.
    if *count > 0 {
        line("so far", &format!("{so_far}{since}, incident {}", incident.id));
    } else {
        line("incident", &incident.id);
    }
    line("next", lead.next());
    if let Some(stop) = lead.call().filter(|_| cause != Cause::Closed).and_then(Stop::of) {
        line("stop", &stop.command);
        line("stops", stop.stops);
    }
    lines.join("\n")
}

/// The other calls that are new: those of one step together, with the time of day of its first.
fn also(about: &About<'_>, others: &[&Finding]) -> String {
    let steps = about.incident.steps();
    let of = |finding: &Finding| steps.iter().position(|step| step.calls().any(|call| call.is_of(finding)));
    let mut groups: Vec<(Option<usize>, Vec<&Finding>)> = Vec::new();
    for other in others {
        let step = of(other);
        match groups.iter_mut().find(|(known, _)| step.is_some() && *known == step) {
            Some((_, group)) => group.push(other),
            None => groups.push((step, vec![other])),
        }
    }
    let shown = about.lead.call().and_then(of);
    let words = |(index, group): (Option<usize>, Vec<&Finding>)| match index.and_then(|it| steps.get(it)) {
        Some(step) if index == shown => {
            format!("in the same step {}", within(step, about.lead.severity(), &group))
        }
        Some(step) => together(step, group),
        None => group.into_iter().map(other).collect(),
    };
    groups.into_iter().map(words).collect::<Vec<String>>().join("; ")
}

/// New calls of a step that none was named of before.
fn together(step: &Step<'_>, mut group: Vec<&Finding>) -> String {
    let lead = group.iter().position(|finding| step.lead.is_of(finding)).unwrap_or_default();
    let lead = group.remove(lead);
    let rest = within(step, lead.severity, &group);
    if rest.is_empty() { other(lead) } else { format!("{}, with it {rest}", other(lead)) }
}

/// Calls of a step beside the one that a message names first, which is of this severity.
fn within(step: &Step<'_>, lead: Severity, group: &[&Finding]) -> String {
    let one = |finding: &&Finding| {
        let stands_out = finding.severity > lead || finding.class.is_some_and(Class::is_grave);
        Folded {
            action: &finding.action,
            error: finding.error.as_deref(),
            count: step.calls().filter(|call| call.is_like(finding)).count(),
            severity: finding.severity,
            stands_out,
        }
        .to_string()
    };
    group.iter().map(one).collect::<Vec<String>>().join(", ")
}

/// Another call that is new, with the time of day.
fn other(also: &Finding) -> String {
    let time = also.event_time.as_deref().and_then(|time| time.get(11..19));
    let time = time.map(|time| format!(" at {time}")).unwrap_or_default();
    format!("{} ({}){time}", also.action, also.severity)
}

/// What was done, to what, and when: one call, or a summary of those that were reported before.
fn what_and_when(about: &About<'_>, shown: ReportedRef<'_>, cause: Cause) -> Vec<(&'static str, String)> {
    let About { incident, lead, findings, .. } = about;
    let mut lines = Vec::new();
    let resources = shown.resources().join(", ");
    let did = shown.call().map(|call| {
        let error = call.error.as_ref().map(|error| format!(", failed with {error}")).unwrap_or_default();
        format!("{} ({}){error}", call.action, call.access)
    });
    let to = if did.is_some() { "to" } else { "as" };
    let is_summary = matches!(cause, Cause::More | Cause::Closed) && *findings > 0;
    if is_summary {
        let actions = incident.actions();
        let actions: Vec<String> =
            actions.iter().take(8).map(|(action, count)| format!("{action} x{count}")).collect();
        if !actions.is_empty() {
            lines.push(("in all", actions.join(", ")));
        }
        if let Some((first, last)) = incident.times() {
            lines.push(("when", format!("{first} to {last}")));
        }
        if lead.call().is_none() {
            lines.push(("when", when(*lead)));
        }
        if let Some(did) = did {
            let at = shown.event_time().unwrap_or("a time that the record doesn't have");
            lines.push(("worst", format!("{did} at {at}")));
        }
    } else if let Some(did) = did {
        lines.push(("did", did));
    }
    if !resources.is_empty() {
        lines.push((to, resources));
    }
    if !is_summary {
        lines.push(("when", when(*lead)));
    }
    if group::is_denials(&incident.id) && *findings > 1 {
        lines.extend(denials(incident, *lead, is_summary));
    }
    lines
}

/// How many of a list are shown.
const MOST: usize = 5;

/// Of denied calls: what was tried, on what, and by whom, as far as it isn't said of the one that a message shows.
fn denials(incident: &Incident, lead: ReportedRef<'_>, is_summary: bool) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if !is_summary {
        let actions = incident.actions();
        let more = actions.len().saturating_sub(MOST);
        let actions: Vec<String> =
            actions.iter().take(MOST).map(|(action, count)| format!("{action} x{count}")).collect();
        lines.push(("tried", listed(&actions, more)));
    }
    let of =
        |what: fn(&Finding) -> Vec<&str>| -> BTreeSet<&str> { incident.shown().flat_map(what).collect() };
    let targets = of(|finding| finding.resources.iter().map(String::as_str).collect());
    if targets.len() > 1 {
        let shown: Vec<String> = targets.iter().take(MOST).map(|target| (*target).to_owned()).collect();
        lines.push(("on", format!("among others {}", listed(&shown, 0))));
    }
    let callers = of(|finding| vec![&finding.principal.name]);
    if callers.iter().any(|caller| *caller != lead.principal().name) {
        let shown: Vec<String> = callers.iter().take(MOST).map(|caller| (*caller).to_owned()).collect();
        lines.push(("callers", format!("among others {}", listed(&shown, 0))));
    }
    lines
}

fn listed(shown: &[String], more: usize) -> String {
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    format!("{}{more}", shown.join(", "))
}

/// When a call was made; of a verdict on a session what that time is of the session's.
fn when(lead: ReportedRef<'_>) -> String {
    let Some(time) = lead.event_time() else { return "the record doesn't say".into() };
    match lead.code().row().scope {
        Scope::SessionEnd => format!("session ended {time}"),
        Scope::Drill => format!("due since {time}"),
        Scope::Session => format!("session since {time}"),
        Scope::Call => time.to_owned(),
    }
}

/// Where and from where, and where to look: the lines that the record has something for.
pub(super) fn evidence(shown: ReportedRef<'_>, name: Option<&str>) -> Vec<(&'static str, String)> {
    let from = match (shown.source_ip(), shown.via()) {
        ("", "") => String::new(),
        ("", via) => format!("an address that the record doesn't have via {via}"),
        (ip, via) => format!("{ip} via {via}"),
    };
    let lines = [
        ("where", place(shown, name)),
        ("from", from),
        ("agent", shown.user_agent().to_owned()),
        ("event", shown.event_id().to_owned()),
        ("link", shown.call().and_then(link).unwrap_or_default()),
    ];
    lines.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// The account, its name, and the Region.
fn place(lead: ReportedRef<'_>, name: Option<&str>) -> String {
    let account = if lead.account().is_empty() { "not recorded" } else { lead.account() };
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    let region = if lead.region().is_empty() { String::new() } else { format!(", {}", lead.region()) };
    format!("account {account}{name}{region}")
}

/// Who acted, and the human behind it where that is somebody else by name.
pub fn who(reported: ReportedRef<'_>) -> String {
    let who = reported.principal();
    let human = match &who.human {
        // Hidden only where the name is, or ends in, the very same: a session's name is its caller's to choose.
        Some(human)
            if who.name.split_once(" (").map_or(&*who.name, |(user, _)| user).rsplit('/').next()
                != Some(human) =>
        {
            format!(", used by {human}")
        }
        _ => String::new(),
    };
    let arn = if who.arn.is_empty() { String::new() } else { format!(", {}", who.arn) };
    format!("{} ({}{arn}){human}", who.name, who.kind)
}

#[cfg(test)]
mod tests;
