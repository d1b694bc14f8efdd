//! `handsoff case …`: case files of break-glass sessions, read, verified, exported and reviewed; and `handsoff grant`.
//!
//! A folder on a disk may be hand-made. So nothing in it is trusted to be harmless: whatever is shown passes through
//! `harmless` once more, and files are read only when they are plain files of a sensible size.

mod disk;
pub(crate) mod event;
mod export;
mod fold;
pub mod grant;
mod harmless;
mod list;
mod load;
mod page;
mod review;
mod show;
mod verify;
mod words;

use std::io::{self, Write};

use crate::Exit;
use crate::args::CaseCommand;

/// Runs one of the commands.
///
/// # Errors
/// Only when the output can't be written.
pub fn run(command: &CaseCommand, out: &mut dyn Write) -> io::Result<Exit> {
    match command {
        CaseCommand::List(args) => list::run(args, out),
        CaseCommand::Show(args) => show::run(args, out),
        CaseCommand::Verify(args) => verify::run(args, out),
        CaseCommand::Export(args) => export::run(args, out),
        CaseCommand::Review(args) => review::run(args, out),
    }
}
