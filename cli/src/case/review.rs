//! `handsoff case review`: who looked at a case, written down beside it and as an event.

use std::io::{self, Write};
use std::path::Path;

use handsoff_case::Review;
use handsoff_case::review::{FILE, REVIEW, ReviewError};
use handsoff_case::verify::{Difference, Verified, verify};
use handsoff_cloudtrail::Time;

use super::disk::{Disk, NoCaseError};
use super::event;
use super::harmless::{place, shown};
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
            error(&format!("not reviewed: {}", shown(&why.to_string())));
            return Ok(Exit::Failure);
        }
    };
    event::print(REVIEW, &review, out)?;
    let _ = writeln!(
        io::stderr(),
        "{} now contains the review. The event on standard output reports it to handsoff in the account.\n{}",
        place(&Disk(args.folder.clone()).review()),
        event::SEND,
    );
    Ok(Exit::Success)
}

/// Why a case isn't reviewed.
#[derive(Debug, thiserror::Error)]
enum NotReviewedError {
    #[error(transparent)]
    NoCase(#[from] NoCaseError),
    #[error("the case is altered: {0}")]
    Altered(#[from] Difference),
    #[error(transparent)]
    Review(#[from] ReviewError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("{} has reviewed it already, {}", .0.reviewer, .0.time)]
    Already(Review),
    #[error("{FILE}: can't be written: {0}")]
    Unwritten(#[source] io::Error),
}

/// Verifies the case and writes its review. Gives the review that stands there now.
fn reviewed(args: &CaseReview, now: Time) -> Result<Review, NotReviewedError> {
    let disk = Disk(args.folder.clone());
    disk.has_case()?;
    let Verified { manifest, digest, review: existing } = verify(&disk, None, |_| ())?;
    let review = Review {
        case: manifest.case.clone(),
        digest: digest.clone(),
        reviewer: args.reviewer.clone(),
        note: args.note.clone(),
        time: now,
    };
    review.of(&manifest, &digest)?;
    let text = serde_json::to_string_pretty(&review)? + "\n";
    // What is written has to be readable again.
    Review::read(&text)?;
    if let Some(existing) = existing {
        // The same but for the time: the event was lost, or is wanted again.
        return if existing == (Review { time: existing.time, ..review }) {
            Ok(existing)
        } else {
            Err(NotReviewedError::Already(existing))
        };
    }
    write(&disk.0, &text).map_err(NotReviewedError::Unwritten)?;
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
    file.persist_noclobber(folder.join(FILE)).map_err(|error| error.error)?;
    Ok(())
}
