//! Incidents, for people: readable on 100 columns at three in the morning.

use std::cmp::Reverse;
use std::io::{self, Write};

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::incident::Step;
use handsoff_core::story::Index;
use handsoff_core::{Finding, Incident, ReportedRef, SessionVerdict, Severity, alert};

use super::columns::{WIDTH, cut_line};
use crate::numbers::count_of;
use crate::outcome::Outcome;

const INDENT: &str = "           ";

/// What is folded into a step stands below the step's action.
const FOLD: &str = "                    ";

/// So many steps have a line each.
const STEPS: usize = 6;

/// Prints the incidents, the worst first.
///
/// # Errors
/// When they can't be written.
pub fn text(outcome: &Outcome, min: Severity, out: &mut dyn Write) -> io::Result<()> {
    let shown = outcome.incidents.iter().filter(|incident| incident.severity() >= min);
    let mut hidden = 0;
    for incident in &outcome.incidents {
        hidden += u64::from(incident.severity() < min);
    }
    let stories = outcome.stories();
    for incident in shown {
        if let Some(lead) = incident.lead() {
            one(incident, lead, &stories, out)?;
        }
    }
    if hidden > 0 {
        writeln!(out, "{} below {min} not shown.\n", count_of(hidden, "incident"))?;
    }
    Ok(())
}

fn one(
    incident: &Incident,
    lead: ReportedRef<'_>,
    stories: &Index<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let title = format!("{}  {}", incident.severity().as_str().to_uppercase(), lead.code().title());
    let found = if incident.count() == 0 { incident.verdicts().count() } else { incident.count() };
    let steps = incident.steps();
    let id = format!("{}{}  {}", count_of(found as u64, "finding"), in_steps(&steps), incident.id);
    let gap = WIDTH.saturating_sub(title.len() + id.len()).max(2);
    writeln!(out, "{title}{}{id}", " ".repeat(gap))?;
    line(out, "who", &alert::who(lead))?;
    if let Some(tool) = stories.tool(lead.ties()) {
        line(out, "tool", &tool.text)?;
    }
    if let Some(origin) = stories.origin(lead.ties(), lead.time()) {
        line(out, &origin.name, &origin.text)?;
    }
    if incident.count() > 0 {
        line(out, "what", &actions(incident, &steps))?;
    }
    let resources = resources(incident);
    if !resources.is_empty() {
        line(out, "to", &resources)?;
    }
    line(out, "when", &when(incident))?;
    if let Some(closed) = incident.verdicts().find(|it| it.is_end()) {
        line(out, "session", &session(incident, closed))?;
    }
    if !lead.account().is_empty() || !lead.region().is_empty() {
        line(out, "where", &format!("account {}, {}", or_dash(lead.account()), or_dash(lead.region())))?;
    }
    let mfa = match lead.mfa() {
        Some(true) => ", with MFA",
        Some(false) => ", without MFA",
        None => "",
    };
    if !lead.source_ip().is_empty() || !lead.via().is_empty() {
        line(out, "from", &format!("{} via {}{mfa}", or_dash(lead.source_ip()), lead.via()))?;
    }
    if let Some(call) = lead.call().filter(|call| !call.event_id.is_empty()) {
        event(call, out)?;
    }
    line(out, "why", &format!("{}: {}", lead.code(), lead.reason()))?;
    for also in incident.verdicts().filter(|it| it.code != lead.code() && !it.is_end()) {
        line(out, "also", &format!("{}: {}", also.code, also.reason))?;
    }
    line(out, "next", lead.next())?;
    if incident.count() > 1 {
        worst(incident, steps, out)?;
    }
    writeln!(out)
}

/// How many steps the calls are, where that is fewer.
pub(crate) fn in_steps(steps: &[Step<'_>]) -> String {
    let calls: usize = steps.iter().map(Step::count).sum();
    let many = || format!(" in {}", count_of(steps.len() as u64, "step"));
    if steps.len() < calls { many() } else { String::new() }
}

/// The event that the incident is named by: its ID and time, what its caller calls its program, and where the console
/// shows it.
fn event(lead: &Finding, out: &mut dyn Write) -> io::Result<()> {
    if !lead.user_agent.is_empty() {
        line(out, "agent", &lead.user_agent)?;
    }
    let time = lead.event_time.as_deref().unwrap_or("no time");
    line(out, "event", &format!("{}, {time}", or_dash(&lead.event_id)))?;
    // Not wrapped: it is clicked, or copied.
    alert::link(lead).map_or(Ok(()), |link| writeln!(out, "  {:<9}{link}", "link"))
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// A named value, wrapped.
pub(crate) fn line(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    let first = format!("  {name:<9}");
    // Wrapping measures every character; most lines are short and plain.
    if value.is_ascii() && first.len() + value.len() <= WIDTH {
        return writeln!(out, "{first}{value}");
    }
    wrapped(out, &first, INDENT, value)
}

/// A text with what stands before its first line and before the others.
fn wrapped(out: &mut dyn Write, first: &str, others: &str, text: &str) -> io::Result<()> {
    // Not at hyphens: names and ARNs are copied from here.
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(others)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    for line in textwrap::wrap(text, options) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn actions(incident: &Incident, steps: &[Step<'_>]) -> String {
    let actions = incident.actions_by_steps(steps);
    let shown: Vec<String> = actions
        .iter()
        .take(8)
        .map(|(action, count)| if *count == 1 { (*action).to_owned() } else { format!("{action} x{count}") })
        .collect();
    let more = actions.len().saturating_sub(shown.len());
    let more = if more == 0 { String::new() } else { format!(", and {more} more actions") };
    format!("{}{more}", shown.join(", "))
}

fn resources(incident: &Incident) -> String {
    let mut resources: Vec<&str> = Vec::new();
    for resource in incident.worst().flat_map(|finding| &finding.resources) {
        if !resources.contains(&resource.as_str()) {
            resources.push(resource);
        }
    }
    let more = resources.len().saturating_sub(5);
    let shown = resources.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown}, and {more} more") }
}

fn when(incident: &Incident) -> String {
    let Some((first, last)) = incident.times() else { return "the records don't say".into() };
    if first == last {
        return format!("{} UTC", day_and_time(first));
    }
    let long = length(last - first);
    let last = if first.date() == last.date() { last.format("%H:%M:%S") } else { day_and_time(last) };
    format!("{} to {last} UTC ({long})", day_and_time(first))
}

/// How a session ended, and after how long: it goes on after its last call.
fn session(incident: &Incident, closed: &SessionVerdict) -> String {
    let ended = &closed.reason;
    match (incident.times(), closed.time) {
        (Some((first, _)), Some(end)) if end > first => {
            format!("{ended} That was {} after its first call.", length(end - first))
        }
        _ => ended.clone(),
    }
}

fn length(length: TimeDelta) -> String {
    let minutes = (length + TimeDelta::seconds(59)).num_minutes();
    if minutes < 120 { format!("{minutes} min") } else { format!("{} h", minutes / 60) }
}

fn day_and_time(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M:%S")
}

/// The worst steps, a line each, in the order of time; below it what is folded into it.
fn worst(incident: &Incident, mut steps: Vec<Step<'_>>, out: &mut dyn Write) -> io::Result<()> {
    // Stable: of the same severity the earlier one.
    steps.sort_by_key(|step| Reverse(step.severity()));
    let others = steps.split_off(steps.len().min(STEPS));
    steps.sort_by_key(|step| step.lead.time);
    for step in &steps {
        let lead = &step.lead;
        let time = lead.time.map_or("--:--:--".to_owned(), |time| time.format("%H:%M:%S"));
        let error = lead.error().map(|error| format!(" [{error}]")).unwrap_or_default();
        let to = incident.finding_on(lead).and_then(|finding| finding.resources.first());
        let to = to.map(|resource| format!(" {resource}")).unwrap_or_default();
        let text = format!("{INDENT}{time}  {:<8}  {}{error}{to}", lead.severity, lead.action());
        writeln!(out, "{}", cut_line(&text))?;
        if let Some(rest) = step.rest_in_words() {
            wrapped(out, &format!("{INDENT}{FOLD}and "), &format!("{INDENT}{FOLD}    "), &rest)?;
        }
    }
    let calls: usize = others.iter().map(Step::count).sum();
    match others.len() {
        0 => Ok(()),
        more if more == calls => writeln!(out, "{INDENT}and {more} more"),
        more => writeln!(out, "{INDENT}and {} of {calls} calls", count_of(more as u64, "more step")),
    }
}
