//! What may be wrong with a copy of a case.

use std::io;

use handsoff_core::show::clean;

use crate::manifest::FORMAT;
use crate::review::ReviewError;

/// Why a folder, or a file in it, can't be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is no such file.
    #[error("missing")]
    Missing,
    /// The file system refuses it.
    #[error("can't be read: {0}")]
    Unreadable(#[source] io::Error),
    /// It is a folder, a pipe or a device.
    #[error("is no plain file")]
    NotPlain,
    /// It is too large to be read.
    #[error("is larger than any file of a case")]
    TooLarge,
}

/// How a copy differs from what was sealed.
#[derive(Debug, thiserror::Error)]
pub enum AlteredError {
    /// It can't be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The manifest isn't in the form of one.
    #[error("no manifest of a case: {}", clean(&.0.to_string(), 256))]
    NoManifest(#[source] serde_json::Error),
    /// The manifest has the form of another version.
    #[error("its format is `{}`, and this program reads {}", clean(.0, 64), FORMAT)]
    Format(String),
    /// The manifest has the right fields in another form.
    #[error("changed: it isn't written the way it was sealed")]
    Form,
    /// The manifest isn't that of the closing alert.
    #[error("its digest is {found}, and the expected one is {told}")]
    Digest {
        /// The manifest's.
        found: String,
        /// The closing alert's.
        told: String,
    },
    /// The manifest lists another file than the next one.
    #[error("it lists {}, where {expected} belongs", clean(.listed, 64))]
    Segment {
        /// The one that it lists.
        listed: String,
        /// The one that comes next.
        expected: String,
    },
    /// The manifest's last chain value is another.
    #[error("its `head` is not the chain value of the last line")]
    Head,
    /// The manifest's summary is another.
    #[error("its `summary` is not that of the lines")]
    Summary,
    /// There is a file of lines too many.
    #[error("added: the manifest doesn't list it")]
    Unlisted,
    /// The review is none, or none of this case.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// A file isn't UTF-8.
    #[error("changed: it is no text")]
    NoText,
    /// A file has lines too many.
    #[error("added: the manifest says {lines} lines")]
    LineAdded {
        /// How many it had.
        lines: u64,
    },
    /// A file has lines too few.
    #[error("missing: the manifest says {lines} lines, here are {count}")]
    LinesMissing {
        /// How many it had.
        lines: u64,
        /// How many it has.
        count: u64,
    },
    /// A file has the same lines and other bytes.
    #[error("all its lines are there, but it isn't the file that was sealed")]
    Bytes,
    /// A line isn't in the form of one.
    #[error("changed: it is no line of a case")]
    NoLine,
    /// A later call stands where another belongs.
    #[error("call {n} stands where call {expected} belongs: removed, or swapped")]
    CallRemoved {
        /// The one that is there.
        n: u64,
        /// The one that comes next.
        expected: u64,
    },
    /// An earlier call stands where another belongs.
    #[error("call {n} stands where call {expected} belongs: added, or swapped")]
    CallAdded {
        /// The one that is there.
        n: u64,
        /// The one that comes next.
        expected: u64,
    },
    /// A call's chain value is another.
    #[error("call {0} was changed: the chain breaks here")]
    Chain(u64),
    /// A call has the right fields in another form.
    #[error("call {0} was changed: it isn't written the way it was sealed")]
    CallForm(u64),
    /// A call has other fields.
    #[error("call {0} was changed: it has not the fields of one")]
    Fields(u64),
}

/// What is to be copied instead.
const WHOLE: &str = "copy all 64 hexadecimal digits of the SHA-256 from the closing alert";

/// Why a text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// It has no digits.
    #[error("no digest: the digits are missing, or separated; {WHOLE}, in quotes with the word")]
    Missing,
    /// It has something else in it.
    #[error("no digest: `{}` is no hexadecimal digit; {WHOLE}", clean(.0.encode_utf8(&mut [0; 4]), 1))]
    Digit(char),
    /// It has too many digits or too few.
    #[error("no digest: it has {0} digits; {WHOLE}")]
    Length(usize),
}
