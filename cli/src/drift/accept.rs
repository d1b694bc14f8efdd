//! `handsoff drift accept`: the event by which somebody answers for what was changed by hand.

use std::io::{self, Write};

use handsoff_core::show::clean;
use handsoff_ledger::Accepted;
use handsoff_ledger::accept::ACCEPTANCE;

use crate::args::DriftAccept;
use crate::case::event;
use crate::output::error;
use crate::{Exit, load};

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub(super) fn run(args: &DriftAccept, out: &mut dyn Write) -> io::Result<Exit> {
    let accepted = Accepted {
        resource: args.resource.clone(),
        owner: args.owner.clone(),
        reason: args.reason.clone(),
        time: load::now(),
        until: args.until,
    };
    if let Err(why) = accepted.check() {
        error(&format!("not accepted: {why}"));
        return Ok(Exit::Failure);
    }
    event::print(ACCEPTANCE, &accepted, out)?;
    let until = accepted.until.map_or_else(|| "for good".to_owned(), |until| format!("until {until}"));
    let _ = writeln!(
        io::stderr(),
        "With this event {} accepts the changes of {} up to now, {until}. It covers only other people's changes.\n{}",
        clean(&accepted.owner, 256),
        accepted.resource,
        event::SEND,
    );
    Ok(Exit::Success)
}
