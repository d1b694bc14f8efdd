//! `handsoff case review`: who looked at a case, written down beside it and as an event.

use std::io::{self, Write};
use std::path::Path;

use handsoff_case::Review;
use handsoff_case::review::{self, REVIEW};
use handsoff_case::verify::{Verified, verify};
use handsoff_cloudtrail::Time;

use super::disk::Disk;
use super::{event, place, shown};
use crate::args::CaseReview;
use crate::output::error;
use crate::{Exit, load};

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub(super) fn run(args: &CaseReview, out: &mut dyn Write) -> io::Result<Exit> {
    let review = match reviewed(args, load::now()) {
        Ok(review) => review,
        Err(why) => {
            error(&format!("not reviewed: {}", shown(&why)));
            return Ok(Exit::Failure);
        }
    };
    event::print(REVIEW, &review, out)?;
    let _ = writeln!(
        io::stderr(),
        "{} holds the review now. The event on standard output tells handsoff in the account of it.\n{}",
        place(&Disk(args.folder.clone()).review()),
        event::SEND,
    );
    Ok(Exit::Success)
}

/// Verifies the case and writes its review. Gives the review that stands there now.
fn reviewed(args: &CaseReview, now: Time) -> Result<Review, String> {
    let disk = Disk(args.folder.clone());
    disk.has_case()?;
    let Verified { manifest, digest, review: existing } =
        verify(&disk, None, |_| ()).map_err(|difference| format!("the case is altered: {difference}"))?;
    let review = Review {
        case: manifest.case.clone(),
        digest: digest.clone(),
        reviewer: args.reviewer.clone(),
        note: args.note.clone(),
        time: now,
    };
    review.of(&manifest, &digest)?;
    let text = serde_json::to_string_pretty(&review).map_err(|error| error.to_string())? + "\n";
    // What is written has to be readable again.
    Review::read(&text)?;
    if let Some(existing) = existing {
        // The same but for the time: the event was lost, or is wanted again.
        return if existing == (Review { time: existing.time, ..review }) {
            Ok(existing)
        } else {
            Err(format!("{} has reviewed it already, {}", existing.reviewer, existing.time))
        };
    }
    write(&disk.0, &text).map_err(|error| format!("{}: can't be written: {error}", review::FILE))?;
    Ok(review)
}

/// Writes the whole file or nothing, and never over another.
fn write(folder: &Path, text: &str) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".review-");
    // Temporary files are their owner's alone, and this one is to stay.
    #[cfg(unix)]
    builder.permissions(<std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(folder.join(review::FILE)).map_err(|error| error.error)?;
    Ok(())
}
