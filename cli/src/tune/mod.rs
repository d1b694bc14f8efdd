//! `handsoff tune`: a policy for one's own logs, each proposal with its evidence.
//!
//! The logs are read three times: judged by the policy that holds, gathered from, and judged by the proposed policy, so
//! that the messages before and after are what `replay --alerts` prints. What is gathered are sets and facts whose sums
//! don't depend on the order or on repeats, so neither does the text.

mod fact;
mod few;
mod observe;
mod profile;
mod propose;
mod write;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use handsoff_core::Policy;
use handsoff_core::show::clean;

use crate::args::Tune;
use crate::input::{self, Reader, Source};
use crate::load::LoadError;
use crate::numbers::{count_of, thousands};
use crate::outcome::Outcome;
use crate::replay::progress::Bar;
use crate::replay::{self, Options, Tally};
use crate::{Exit, load, output};

use fact::{Form, Id};
use observe::{Days, Observer};
use profile::Logs;
use propose::{Evidence, Proposal};
use write::{comment, heading};

/// The policy to begin with.
struct Base {
    policy: Policy,
    /// Its name and its text; `None`: the built-in one.
    own: Option<(String, String)>,
}

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub fn run(args: &Tune, out: &mut dyn Write) -> io::Result<Exit> {
    let base = match base(args.policy.as_deref()) {
        Ok(base) => base,
        Err(why) => {
            output::error(&why.to_string());
            return Ok(Exit::Failure);
        }
    };
    if matches!((args.since, args.until), (Some(since), Some(until)) if since >= until) {
        output::error("--since is not before --until: the period is empty");
        return Ok(Exit::Failure);
    }
    if let Some(file) = args.out.as_deref().filter(|file| file.symlink_metadata().is_ok()) {
        there_already(file);
        return Ok(Exit::Failure);
    }
    let mut found = input::find(&args.paths);
    let logs = Read { sources: &found.sources, args };
    let mut before = logs.judge(&base.policy);
    before.add_problems(std::mem::take(&mut found.problems));
    let gathered = logs.gather(&base.policy, &before);
    let before = before.finish(&base.policy);
    output::problems(&before.problems);
    if before.counts.distinct == 0 {
        output::nothing_read();
        return Ok(Exit::Failure);
    }
    let gathered = match gathered {
        Ok(gathered) if gathered.days.is_empty() => {
            output::error("no record has an eventTime that can be read: a policy needs to know the days");
            return Ok(Exit::Failure);
        }
        Ok(gathered) => gathered,
        Err(error) => {
            output::error(&format!("temporary file lost, nothing can be proposed: {error}"));
            return Ok(Exit::Failure);
        }
    };
    let body = body(&base, &gathered);
    let tuned = match Policy::parse("the proposed policy", &body) {
        Ok(tuned) => tuned,
        Err(errors) => {
            for error in errors {
                output::error(&format!(
                    "{error}: write the lists of your policy as tables, such as [[deploy]]"
                ));
            }
            return Ok(Exit::Failure);
        }
    };
    let after = logs.judge(&tuned).finish(&tuned);
    let head = head(&base, &tuned, &gathered.days, [&before, &after]);
    let incomplete = before.counts.unreadable + before.counts.odd > 0;
    if !print(args, &format!("{head}{body}"), out)? {
        return Ok(Exit::Failure);
    }
    // Closed standard error is no reason to fail.
    let _ = io::stderr().write_all(head.as_bytes());
    Ok(if incomplete { Exit::Failure } else { Exit::Success })
}

/// The logs, and how to read them.
struct Read<'a> {
    sources: &'a [Source],
    args: &'a Tune,
}

impl Read<'_> {
    /// As `replay --alerts` does.
    fn options(&self) -> Options {
        Options { since: self.args.since, until: self.args.until, keep_cases: true, ..Options::default() }
    }

    fn judge(&self, policy: &Policy) -> Tally {
        let threads = self.args.threads.map_or_else(replay::cores, std::num::NonZeroUsize::get);
        let bar = Bar::new(self.sources);
        let (tally, _) =
            replay::judge(self.sources, policy, self.options(), threads, &|bytes| bar.add(bytes));
        bar.finish();
        tally
    }

    fn gather(&self, policy: &Policy, judged: &Tally) -> io::Result<Logs> {
        let (bar, bare) = (Bar::new(self.sources), observe::bare(policy));
        let mut observer = Observer::new(&bare, self.options(), judged.left_out());
        let mut reader = Reader::default();
        for source in self.sources {
            reader.read(source, &mut observer, &|bytes| bar.add(bytes));
        }
        bar.finish();
        Logs::of(observer.gathered)
    }
}

fn base(named: Option<&Path>) -> Result<Base, LoadError> {
    let here = Path::new(load::HERE);
    let Some(file) = named.or_else(|| here.exists().then_some(here)) else {
        return Ok(Base { policy: Policy::built_in(), own: None });
    };
    let (policy, text) = load::with_text(file)?;
    Ok(Base { policy, own: Some((file.display().to_string(), text)) })
}

fn there_already(file: &Path) {
    output::error(&format!(
        "{} is there already, and isn't written over: name another file, or move it away",
        clean(&file.display().to_string(), 500)
    ));
}

/// Writes the policy. Says whether it was written.
fn print(args: &Tune, text: &str, out: &mut dyn Write) -> io::Result<bool> {
    let Some(file) = &args.out else {
        out.write_all(text.as_bytes())?;
        out.flush()?;
        return Ok(true);
    };
    let written = OpenOptions::new().write(true).create_new(true).open(file);
    match written.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => there_already(file),
        Err(error) => {
            let file = clean(&file.display().to_string(), 500);
            output::error(&format!("can't write {file}: {error}"));
        }
    }
    Ok(false)
}

/// The policy without its head: one's own text as it is, and what is proposed behind it.
fn body(base: &Base, logs: &Logs) -> String {
    let built_in = Policy::built_in().denials.line;
    let own_denials = base.policy.denials.line != built_in;
    let evidence = Evidence { logs, base: &base.policy, own_denials };
    let Proposal { deploy, glass, workloads, others, denials, scanners } = evidence.propose();
    let mut text = String::new();
    if let Some((name, own)) = &base.own {
        text.push_str(&heading("Your policy"));
        text.push_str(&comment(&format!("{}, as it is.", clean(name, 256))));
        text.extend([own.trim_end(), "\n"]);
    }
    if logs.is_cut() {
        text.push_str(&comment(
            "There are more identities in these logs than are examined: the others are left out.",
        ));
    }
    let sections = [
        ("Who deploys", deploy),
        ("Who has emergency access", glass),
        ("What code may change", workloads),
        ("When denied calls are too many", vec![denials]),
        ("Who is denied every day", scanners),
    ];
    for (title, entries) in sections {
        text.push_str(&heading(title));
        if entries.is_empty() {
            text.push_str(&comment("Nothing in these logs."));
        }
        text.extend(entries.iter().map(write::Entry::text));
    }
    text.push_str(&heading("Identities without a proposal"));
    text.extend(others.iter().map(|note| comment(note)));
    text
}

/// The head: what it rests on, and what it makes of the messages.
fn head(base: &Base, tuned: &Policy, days: &Days, [before, after]: [&Outcome; 2]) -> String {
    let number = days.len().max(1);
    let name = base.own.as_ref().map_or("the built-in policy", |(name, _)| name);
    let week = |outcome: &Outcome, policy: &Policy| {
        let alerts = outcome.alerts(policy);
        let digests = alerts.iter().filter(|alert| alert.cause.as_str() == "digest").count();
        let sent = alerts.len() - digests;
        // Rounded; half is more.
        let a_week = thousands(((sent * 14 + number) / (number * 2)) as u64);
        let digests = if digests == 0 {
            String::new()
        } else {
            format!(", and {}", count_of(digests as u64, "digest"))
        };
        format!("{a_week} a week ({} in these days{digests})", count_of(sent as u64, "message"))
    };
    let entries = |policy: &Policy| {
        let Policy { deploy, break_glass, workloads, exceptions, .. } = policy;
        format!(
            "{} deploy, {} break-glass, {} workload and {} exception entries",
            deploy.len(),
            break_glass.len(),
            workloads.len(),
            exceptions.len()
        )
    };
    let lines = [
        "A policy that `handsoff tune` proposes. Read it before you use it: each entry has its evidence, and what is \
         commented out has too little of it. People are never proposed."
            .to_owned(),
        format!("Logs:     {} of {}", count_of(before.counts.distinct, "record"), propose::days(days)),
        format!("Before:   {}, by {}: {}", week(before, &base.policy), clean(name, 256), entries(&base.policy)),
        format!("After:    {}, by this one: {}", week(after, tuned), entries(tuned)),
    ];
    lines.iter().map(|line| comment(line)).collect()
}

/// An identity's name for comments.
fn shown(id: Option<&Id>) -> String {
    match id {
        None => "somebody who is neither role nor user".into(),
        Some(Id { account, form, name }) => {
            let form = match form {
                Form::Role => "role",
                Form::User => "user",
                Form::PermissionSet => "permission set",
            };
            format!("{form} {} of {}", clean(name, 128), clean(account, 32))
        }
    }
}
