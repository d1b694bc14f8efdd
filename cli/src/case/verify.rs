//! `handsoff case verify`: whether a case is as it was sealed.

use std::io::{self, Write};

use handsoff_case::verify::{Verified, verify};

use super::disk::Disk;
use super::harmless::{place, shown};
use crate::Exit;
use crate::args::CaseVerify;
use crate::numbers::count_of;
use crate::output::error;

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub(super) fn run(args: &CaseVerify, out: &mut dyn Write) -> io::Result<Exit> {
    let disk = Disk(args.folder.clone());
    if let Err(why) = disk.has_case() {
        error(&why.to_string());
        return Ok(Exit::Failure);
    }
    let found = match verify(&disk, args.digest.as_ref(), |_| ()) {
        Ok(found) => found,
        Err(difference) => {
            writeln!(out, "ALTERED: {}", shown(&difference.to_string()))?;
            writeln!(out, "in {}", place(&args.folder))?;
            return Ok(Exit::Failure);
        }
    };
    let Verified { manifest, digest, review } = found;
    writeln!(
        out,
        "unaltered  {}: {} in {}",
        shown(&manifest.case),
        count_of(manifest.summary.calls.all, "call"),
        count_of(manifest.segments.len() as u64, "file"),
    )?;
    writeln!(out, "digest     {digest}")?;
    if let Some(review) = &review {
        writeln!(out, "reviewed   by {}, {}", shown(&review.reviewer), review.time)?;
    }
    if args.digest.is_some() {
        writeln!(out, "This is the digest of the closing alert: the case is the one that was sealed.")?;
    } else {
        writeln!(
            out,
            "Its files match each other. That it is the case that was sealed is proven only when this\n\
             digest is the one in the closing alert: compare the two, or pass that one with --digest."
        )?;
    }
    Ok(Exit::Success)
}
