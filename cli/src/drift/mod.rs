//! `handsoff drift …`: what was changed by hand and stands, of saved logs or of a deployed stack.

mod accept;
mod list;
pub(crate) mod observe;
mod read;
mod show;

use std::io::{self, Write};

use crate::Exit;
use crate::args::DriftCommand;

/// Runs one of the commands.
///
/// # Errors
/// Only when the output can't be written.
pub fn run(command: &DriftCommand, out: &mut dyn Write) -> io::Result<Exit> {
    match command {
        DriftCommand::List(args) => list::run(args, out),
        DriftCommand::Accept(args) => accept::run(args, out),
    }
}
