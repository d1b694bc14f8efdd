//! A place in a text, and what may come of it.

use handsoff_cloudtrail::json::Malformed;

use super::seek::Lost;
use super::text::Ending;

/// A place in the text.
#[derive(Clone, Copy)]
pub(super) struct Here<'t> {
    /// The piece of the text.
    pub(super) bytes: &'t [u8],
    /// The place in it.
    pub(super) at: usize,
    /// The text from there on, as far as a value may reach.
    pub(super) rest: &'t str,
    /// What is behind that.
    pub(super) ending: Ending,
}

/// How many bytes a value took, or why it isn't one and where to go on.
pub(super) type Step = Result<usize, (Malformed, Lost)>;
