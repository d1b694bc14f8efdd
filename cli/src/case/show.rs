//! `handsoff case show`: one case, for people, on a hundred columns at three in the morning.

use std::io::{self, Write};

use handsoff_case::observation::Ended;
use handsoff_case::{Manifest, Observation};

use super::disk::Disk;
use super::fold::{Kind, Row, fold, group, noteworthy, reads};
use super::harmless::{place, shown, shown_lines};
use super::load::{Case, load};
use super::words;
use crate::Exit;
use crate::args::CaseShow;
use crate::numbers::{count_of, thousands};
use crate::output::{cut_line, error, line};

/// How many of a kind are shown; of calls, without `--all`.
const SHOWN: usize = 12;
const CALLS: usize = 200;

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub(super) fn run(args: &CaseShow, out: &mut dyn Write) -> io::Result<Exit> {
    let disk = Disk(args.folder.clone());
    if let Err(why) = disk.has_case() {
        error(&why.to_string());
        return Ok(Exit::Failure);
    }
    let case = load(&disk);
    let exit = if let Some(difference) = &case.difference {
        writeln!(out, "ALTERED, DON'T RELY ON IT")?;
        line(out, "in", &place(&args.folder))?;
        line(out, "first", &shown(&difference.to_string()))?;
        writeln!(out, "What can be read is shown anyway.\n")?;
        Exit::Failure
    } else {
        Exit::Success
    };
    match &case.manifest {
        Some(manifest) => head(manifest, &case, out)?,
        None => writeln!(out, "No manifest can be read: only calls are shown.\n")?,
    }
    denied(&case.calls, out)?;
    interactive(&case.calls, out)?;
    if args.all {
        let rows = fold(case.calls.iter().enumerate().map(|(index, call)| (index + 1, call)));
        calls("ALL CALLS", &rows, out)?;
    } else {
        let (rows, beyond) = noteworthy(&case.calls, CALLS);
        calls("CHANGES, REFUSALS, SIGN-INS", &rows, out)?;
        more(out, beyond as u64)?;
        looked_at(&case.calls, out)?;
    }
    for odd in &case.odd_reviews {
        error(&shown(odd));
    }
    Ok(exit)
}

fn head(manifest: &Manifest, case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let drill = if manifest.drill { "  DRILL, according to its ticket" } else { "" };
    writeln!(out, "{}{drill}", shown(&manifest.case))?;
    let (person, known_by) = words::person(manifest);
    let known_by = known_by.map(|by| format!(", {}", by.meaning())).unwrap_or_default();
    line(out, "who", &format!("{person}{known_by}"))?;
    line(out, "as", &format!("{} in {}", shown(&manifest.identity), shown(&manifest.account)))?;
    if let Some(name) = &manifest.session_name {
        line(out, "session", &shown(name))?;
    }
    if !manifest.taken_by.is_empty() {
        line(out, "taken by", &list(&manifest.taken_by))?;
    }
    line(out, "ticket", &words::ticket(manifest.ticket.as_ref()))?;
    line(out, "approval", &words::approval(manifest))?;
    if let Some(grant) = words::grant(manifest) {
        let (ticket, requester) = (shown(&grant.ticket), shown(&grant.requester));
        let window = words::span(Some(grant.from), Some(grant.until));
        line(out, "grant", &format!("{ticket}, for {requester} as {}: {window}", shown(&grant.role)))?;
        let issued = words::time(Some(grant.issued));
        line(out, "", &format!("given {issued}, sent from {}", shown(&grant.sent_from)))?;
    }
    line(out, "mfa", manifest.mfa.meaning())?;
    match manifest.window_end {
        None => line(out, "began", &words::time(manifest.started))?,
        end => line(out, "window", &words::span(manifest.started, end))?,
    }
    line(out, "ended", &words::end(manifest))?;
    if let Some(over) = manifest.overdue {
        line(out, "overdue", &format!("calls continued for {} after the window", words::overdue(over)))?;
    }
    if case.difference.is_none() {
        line(
            out,
            "verified",
            "its files match each other; compare the digest with the one in the closing alert",
        )?;
    }
    line(out, "digest", &case.digest)?;
    if case.reviews.is_empty() {
        line(out, "review", "NOT REVIEWED")?;
    }
    for review in &case.reviews {
        line(out, "review", &format!("by {}, {}", shown(&review.reviewer), words::time(Some(review.time))))?;
        for note in shown_lines(&review.note) {
            line(out, "", &note)?;
        }
    }
    writeln!(out)?;
    violations(manifest, out)?;
    counts(manifest, out)?;
    left(manifest, out)?;
    if !manifest.roles_taken.is_empty() {
        writeln!(out, "ASSUMED {}", count_of(manifest.roles_taken.len() as u64, "role").to_uppercase())?;
        for taken in &manifest.roles_taken {
            row(
                out,
                &format!(
                    "{}  {}  key {}",
                    words::time(taken.at),
                    shown(&taken.role),
                    shown(&taken.access_key)
                ),
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn violations(manifest: &Manifest, out: &mut dyn Write) -> io::Result<()> {
    if manifest.violations.is_empty() {
        return writeln!(out, "NO VIOLATIONS of the session as a whole\n");
    }
    writeln!(out, "{}", count_of(manifest.violations.len() as u64, "violation").to_uppercase())?;
    for violation in &manifest.violations {
        let severity = violation.severity.as_str().to_uppercase();
        line(out, &severity, &format!("{}: {}", violation.code.title(), shown(&violation.reason)))?;
    }
    writeln!(out)
}

fn counts(manifest: &Manifest, out: &mut dyn Write) -> io::Result<()> {
    let calls = &manifest.summary.calls;
    writeln!(
        out,
        "{}, {}",
        count_of(calls.all, "call").to_uppercase(),
        words::span(manifest.summary.first, manifest.summary.last)
    )?;
    let all = [
        (calls.writes, "writes"),
        (calls.reads, "reads"),
        (calls.sign_ins, "sign-ins and their steps"),
        (calls.denied, "denied"),
        (calls.failed, "failed otherwise"),
        (calls.interactive, "interactive access to machines: what is typed there is not recorded"),
        (calls.chained, "made with roles that it assumed"),
    ];
    for (number, what) in all.into_iter().filter(|(number, _)| *number > 0) {
        writeln!(out, "  {:>9}  {what}", thousands(number))?;
    }
    let sources = &manifest.summary.sources;
    let unlike = [
        (sources.only_lookup.count, "that EventBridge never delivered"),
        (sources.only_eventbridge.count, "that LookupEvents doesn't have"),
        (sources.after_feed, "after the last one that EventBridge delivered"),
    ];
    // Saved logs are one source: there is nothing to compare.
    if manifest.lookup.is_some() {
        for (number, what) in unlike.into_iter().filter(|(number, _)| *number > 0) {
            writeln!(out, "  {:>9}  {what}", thousands(number))?;
        }
    }
    if let Some(lookup) = manifest.lookup.as_ref().filter(|lookup| !lookup.complete) {
        let problem = lookup.problem.as_deref().map(shown).unwrap_or_default();
        line(out, "gaps", &format!("LookupEvents did not answer all queries: {problem}"))?;
    }
    writeln!(out)
}

fn left(manifest: &Manifest, out: &mut dyn Write) -> io::Result<()> {
    let summary = &manifest.summary;
    if summary.left.is_empty() {
        return Ok(());
    }
    writeln!(out, "CREATED AND NOT REMOVED, derived from the names of actions")?;
    for made in summary.left.iter().take(SHOWN) {
        row(out, &format!("{}  {}  {}", words::time(made.time), shown(&made.action), list(&made.what)))?;
    }
    more(out, summary.left.len().saturating_sub(SHOWN) as u64 + summary.more_left)?;
    writeln!(out)
}

/// What was refused, summed up.
fn denied(calls: &[Observation], out: &mut dyn Write) -> io::Result<()> {
    let denied = group(calls.iter().filter(|call| call.ended == Ended::Denied), |call| {
        (&call.action, &call.error, &call.resources)
    });
    if !denied.is_empty() {
        writeln!(out, "DENIED")?;
        for group in denied.iter().take(SHOWN) {
            let count = format!("x{}", thousands(group.count as u64));
            let error = group.call.error.as_deref().map(shown).unwrap_or_default();
            row(out, &format!("{count:<7} {} [{error}]{}", shown(&group.call.action), to(group.call)))?;
        }
        more(out, denied.len().saturating_sub(SHOWN) as u64)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Ways into machines.
fn interactive(calls: &[Observation], out: &mut dyn Write) -> io::Result<()> {
    let inside: Vec<Row<'_>> = fold(calls.iter().enumerate().filter(|(_, call)| call.interactive));
    if !inside.is_empty() {
        writeln!(out, "INTERACTIVE ACCESS: CloudTrail doesn't record what was typed there")?;
        for one in inside.iter().take(SHOWN) {
            row(
                out,
                &format!("{}  {}{}", words::time(one.call.time), shown(&one.call.action), to(one.call)),
            )?;
        }
        more(out, inside.len().saturating_sub(SHOWN) as u64)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Calls, a row each, by day.
fn calls(what: &str, rows: &[Row<'_>], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{what}, UTC")?;
    let mut day = None;
    for one in rows {
        let date = one.call.time.map(handsoff_cloudtrail::Time::date);
        if day.as_ref() != Some(&date) {
            writeln!(out, "  {}", date.as_deref().unwrap_or("no time"))?;
            day = Some(date);
        }
        call_row(one, out)?;
    }
    if rows.is_empty() {
        row(out, "none")?;
    }
    Ok(())
}

/// The reads, by action: there are many, and few matter.
fn looked_at(calls: &[Observation], out: &mut dyn Write) -> io::Result<()> {
    let reads = reads(calls);
    if reads.is_empty() {
        return Ok(());
    }
    let all = reads.iter().map(|group| group.count as u64).sum();
    writeln!(out, "\n{}, by action; each with --all", count_of(all, "read").to_uppercase())?;
    for group in reads.iter().take(SHOWN) {
        let count = format!("x{}", thousands(group.count as u64));
        let error =
            group.call.error.as_deref().map(|error| format!(" [{}]", shown(error))).unwrap_or_default();
        let chained = if group.call.chained { " (assumed role)" } else { "" };
        row(out, &format!("{count:<7} {}{error}{chained}", shown(&group.call.action)))?;
    }
    more(out, reads.len().saturating_sub(SHOWN) as u64)
}

fn call_row(one: &Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    let call = one.call;
    let time = call.time.map_or_else(|| "--:--:--".to_owned(), |time| time.format("%H:%M:%S"));
    let times = if one.count == 1 { String::new() } else { format!(" x{}", one.count) };
    let kind = match Kind::of(call) {
        Kind::Escalation => "ESCALATES",
        Kind::Denial => "denied",
        Kind::Failure => "failed",
        Kind::Write => "write",
        Kind::SignIn => "sign-in",
        Kind::Read => "read",
    };
    let error = call.error.as_deref().map(|error| format!(" [{}]", shown(error))).unwrap_or_default();
    let mut marks = String::new();
    if call.interactive {
        marks.push_str(" (interactive)");
    }
    if call.agent.is_some() {
        marks.push_str(" (agent)");
    }
    if call.chained {
        marks.push_str(" (assumed role)");
    }
    let text = format!("{kind:<9}  {}{times}{error}{marks}{}", shown(&call.action), to(call));
    row(out, &format!("{time}  {:<8}  {text}", call.severity))
}

/// What a call touched: the first, and how many more.
fn to(call: &Observation) -> String {
    let mut all = call.resources.iter().chain(&call.made);
    let Some(first) = all.next() else { return String::new() };
    let more = all.count();
    let more = if more == 0 { String::new() } else { format!(" +{more}") };
    format!(" {}{more}", shown(first))
}

fn list(texts: &[String]) -> String {
    texts.iter().map(|text| shown(text)).collect::<Vec<_>>().join(", ")
}

fn row(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "{}", cut_line(&format!("    {text}")))
}

fn more(out: &mut dyn Write, number: u64) -> io::Result<()> {
    if number == 0 { Ok(()) } else { row(out, &format!("and {} more", thousands(number))) }
}
