//! `handsoff drift list`: the resources that were changed by hand.

use std::collections::BTreeMap;
use std::io::{self, Write};

use handsoff_cloudtrail::Time;
use handsoff_ledger::{Item, State, Terms};

use super::read::{self, Reading};
use super::show;
use crate::args::{DriftFormat, DriftList};
use crate::numbers::count_of;
use crate::output;
use crate::{Exit, load};

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub(super) fn run(args: &DriftList, out: &mut dyn Write) -> io::Result<Exit> {
    let policy = match load::policy(&args.policy) {
        Ok(policy) => policy,
        Err(why) => {
            output::error(&why.to_string());
            return Ok(Exit::Failure);
        }
    };
    let clock = load::now();
    let mut reading = match &args.items {
        Some(file) => read::items(file, clock),
        None => read::find(&args.paths, &policy),
    };
    for file in &args.accepted {
        reading = reading.accepted(file);
    }
    // Of saved logs the age is that at their end: the same logs give the same list, whenever it is made.
    let now = match args.items {
        Some(_) => clock,
        None => reading.last.unwrap_or(Time::EPOCH),
    };
    let items = reading.ledger.items(&Terms { now, cases: &policy.cases });
    let (listed, closed): (Vec<Item>, Vec<Item>) =
        items.into_iter().partition(|item| args.all || item.state == State::Open);
    output::problems(&reading.problems);
    // An empty ledger is good news; empty logs are none.
    if reading.read == 0 && args.items.is_none() {
        output::nothing_read();
    }
    let summary = summary(&reading, &listed, &closed, now);
    match args.format {
        DriftFormat::Text => {
            show::table(listed, now, out)?;
            out.write_all(summary.as_bytes())?;
        }
        DriftFormat::Jsonl => show::jsonl(&listed, out)?,
        DriftFormat::Csv => show::csv(&listed, out)?,
    }
    if args.format != DriftFormat::Text {
        // Closed standard error is no reason to fail.
        let _ = io::stderr().write_all(summary.as_bytes());
    }
    out.flush()?;
    let incomplete = !reading.problems.is_empty() || (reading.read == 0 && args.items.is_none());
    Ok(if incomplete { Exit::Failure } else { Exit::Success })
}

fn summary(reading: &Reading, listed: &[Item], closed: &[Item], now: Time) -> String {
    let open = listed.iter().filter(|item| item.state == State::Open).count() as u64;
    let mut text =
        format!("{} open as of {} UTC", count_of(open, "resource"), now.format("%Y-%m-%d %H:%M:%S"));
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    for item in closed {
        *states.entry(item.state.as_str()).or_default() += 1;
    }
    if !states.is_empty() {
        let each: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        text.extend(["; not shown without --all: ", &each.join(", ")]);
    }
    text += ".\n";
    text + &unknown(reading)
}

/// What else was changed by hand, where nobody knows which resource that was.
fn unknown(reading: &Reading) -> String {
    let unknown: Vec<(&str, usize)> = reading.ledger.unknown().collect();
    let number: usize = unknown.iter().map(|(_, count)| count).sum();
    if number == 0 {
        return String::new();
    }
    let each: Vec<String> = unknown
        .iter()
        .map(|(action, count)| if *count == 1 { (*action).to_owned() } else { format!("{action} x{count}") })
        .collect();
    let changes = count_of(number as u64, "more change");
    let text = format!("{changes} by hand to unknown resources: {}.", each.join(", "));
    textwrap::fill(&text, textwrap::Options::new(100).word_splitter(textwrap::WordSplitter::NoHyphenation))
        + "\n"
}
