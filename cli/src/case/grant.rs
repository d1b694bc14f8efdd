//! `handsoff grant`: the event that approves one use of an emergency identity.

use std::io::{self, Write};
use std::path::Path;

use handsoff_case::grant::{Detail, DetailError, GRANT};
use handsoff_cloudtrail::Time;
use handsoff_core::person::may_be;
use handsoff_core::policy::BreakGlass;

use super::event;
use super::harmless::{place, shown};
use crate::args::Grant;
use crate::load::LoadError;
use crate::output::error;
use crate::{Exit, load};

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub fn run(args: &Grant, out: &mut dyn Write) -> io::Result<Exit> {
    let made = detail(args, load::now());
    match made.and_then(|detail| compare(args, &detail).map(|compared| (detail, compared))) {
        Ok((detail, compared)) => {
            event::print(GRANT, &detail, out)?;
            let _ = writeln!(
                io::stderr(),
                "This event approves {} for {} by {}, {} until {}.{compared}\n{}",
                shown(&detail.role),
                shown(&detail.ticket),
                shown(&detail.requester),
                detail.from,
                detail.until,
                event::SEND,
            );
            Ok(Exit::Success)
        }
        Err(why) => {
            error(&format!("no grant: {why}"));
            Ok(Exit::Failure)
        }
    }
}

/// Why no grant is printed.
#[derive(Debug, thiserror::Error)]
enum NoGrantError {
    #[error(transparent)]
    Detail(#[from] DetailError),
    #[error("{approver} requests it, or may be the requester, and can't approve it: another person has to")]
    SelfApproved { approver: String },
    #[error("the policy can't be read: {0}")]
    Policy(#[from] LoadError),
    #[error(
        "no [[break_glass]] entry of {file} covers `{role}`, so this grant could not approve any session; \
         {known}"
    )]
    NotCovered { file: String, role: String, known: String },
}

/// Compares the role with the policy's emergency identities. Says what could not be compared.
fn compare(args: &Grant, detail: &Detail) -> Result<&'static str, NoGrantError> {
    if detail.role == "root" {
        return Ok("");
    }
    if args.policy.is_none() && !Path::new(load::HERE).exists() {
        return Ok("\nIts role was not compared with a policy: name one with --policy.");
    }
    let policy = load::own(args.policy.as_deref())?;
    let covers = |entry: &BreakGlass| {
        let here = match (&detail.account, entry.identity.account()) {
            (Some(account), Some(own)) => account == own,
            _ => true,
        };
        here && entry.identity.may_mean(&detail.role)
    };
    if policy.break_glass.iter().any(covers) {
        return Ok("");
    }
    let file = place(args.policy.as_deref().unwrap_or(Path::new(load::HERE)));
    let known: Vec<String> = policy
        .break_glass
        .iter()
        .take(NAMED)
        .map(|entry| format!("`{}`", shown(entry.identity.as_str())))
        .collect();
    let known = match (known.is_empty(), policy.break_glass.len() > NAMED) {
        (true, _) => "it has none".to_owned(),
        (_, more) => format!("they are {}{}", known.join(", "), if more { " and others" } else { "" }),
    };
    let role = shown(&detail.role);
    Err(NoGrantError::NotCovered { file, role, known })
}

/// How many of the policy's emergency identities are named.
const NAMED: usize = 8;

fn detail(args: &Grant, now: Time) -> Result<Detail, NoGrantError> {
    let from = args.from.unwrap_or(now);
    let end = args.duration.map(|length| from + length);
    let detail = Detail {
        ticket: args.ticket.clone(),
        requester: args.requester.clone(),
        approver: args.approver.clone(),
        role: args.role.clone(),
        account: args.account.clone(),
        from,
        until: args.until.or(end).unwrap_or(from),
    };
    detail.check()?;
    if may_be(&detail.requester, &detail.approver) {
        return Err(NoGrantError::SelfApproved { approver: shown(&detail.approver) });
    }
    Ok(detail)
}
