//! Why some text is not JSON.

/// How many levels deep objects and arrays may be nested: as deep as `serde_json` reads. The deepest of tens of thousands of
/// real records have a dozen.
pub const DEEPEST: u32 = 127;

/// Why some text is not the JSON it should be, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Byte offset from the start of the text that was handed in.
    pub at: usize,
    /// What was expected there.
    pub why: Why,
}

/// What was expected where the text stopped being JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The text ends inside a value: cut off, or more of it is still to come.
    Ends,
    /// No value starts here.
    NoValue,
    /// A key in double quotes should be here.
    NoKey,
    /// A colon should be here.
    NoColon,
    /// A comma or the closing bracket should be here.
    NoComma,
    /// More than [`DEEPEST`] objects and arrays are nested here.
    TooDeep,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ends => "the text ends inside a value",
            Self::NoValue => "expected a JSON value",
            Self::NoKey => "expected a key in double quotes",
            Self::NoColon => "expected `:` after the key",
            Self::NoComma => "expected `,` or the closing bracket",
            Self::TooDeep => return write!(f, "nested more than {DEEPEST} levels deep"),
        })
    }
}
