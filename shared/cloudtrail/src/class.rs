//! What kind of change a call is, where the access level doesn't tell: ways into machines, identities, rights,
//! guardrails, sharing, destruction, networks.
//!
//! AWS files most of these under Write, and a few under Read: the level says what a call does to a resource, not what
//! somebody can do afterwards, or no longer. The table has the operations, each with where it is documented.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use crate::table::Table;

/// What kind of change a call is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Class {
    /// It blinds logging or detection, or hides what they found. The table has the latter alone: what blinds them is a list of its own.
    Detection,
    /// It lets somebody into a machine or cluster, to type what CloudTrail doesn't see. No pipeline does so.
    WayIn,
    /// It runs commands on machines, or gives out what that takes. Pipelines do so, too.
    Commands,
    /// It makes an identity, or a key, password or provider that signs one in.
    Identity,
    /// It changes who may do what.
    Permissions,
    /// It takes credentials of another session.
    Credentials,
    /// It weakens or changes what keeps others in bounds: policies of the organization, boundaries, locks.
    Guardrail,
    /// It lets others than the account's own use a resource, or all the world.
    Sharing,
    /// It destroys data, or what it can be read or restored with.
    Destruction,
    /// It lets traffic in, or joins another network.
    Network,
}

impl Class {
    /// The class of an operation, if the table has it; case doesn't matter.
    pub fn of(service: &str, action: &str) -> Option<Self> {
        if !may_be_listed(service, action) {
            return None;
        }
        let value = TABLE.find(service, action)?;
        Self::named(value.split(|&byte| byte == b' ').next()?)
    }

    fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.as_str().as_bytes() == name)
    }

    /// All, in the order of the documents.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in the table and in every output.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether each such change is worth an alert of its own: who makes it has more than before, or has taken something
    /// away that doesn't come back.
    pub fn is_grave(self) -> bool {
        !matches!(self, Self::Credentials | Self::Network)
    }
}

/// Why a name is no class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassError {
    /// No class is called this.
    #[error("`{0}` is no class of changes")]
    Unknown(String),
}

impl FromStr for Class {
    type Err = ClassError;

    fn from_str(text: &str) -> Result<Self, ClassError> {
        Self::named(text.as_bytes()).ok_or_else(|| ClassError::Unknown(text.to_owned()))
    }
}

const TEXT: &[u8] = include_bytes!("../data/classes.txt");

/// A line is `service:Action CLASS source`.
const TABLE: Table = Table::of(TEXT);

/// Which marks the table's operations have. Nearly every call is asked for, and nearly none is in the table: most
/// are known not to be without a look at it.
static MARKS: [u64; WORDS] = marks(TEXT);

const WORDS: usize = 256;

/// Whether an operation has the mark of one that the table has.
fn may_be_listed(service: &str, action: &str) -> bool {
    let (service, action) = (service.as_bytes(), action.as_bytes());
    let mark = mark(service.len(), action.first(), action.last(), action.len());
    MARKS.get(mark / 64).is_some_and(|word| word & (1 << (mark % 64)) != 0)
}

/// A number below `WORDS * 64`, from what is at hand without reading the names. Case doesn't matter to it.
const fn mark(service: usize, first: Option<&u8>, last: Option<&u8>, length: usize) -> usize {
    let first = if let Some(byte) = first { *byte | 0x20 } else { 0 } as usize;
    let last = if let Some(byte) = last { *byte | 0x20 } else { 0 } as usize;
    (service * 521 + first * 67 + last * 23 + length * 131) % (WORDS * 64)
}

#[expect(clippy::indexing_slicing, reason = "it runs in the compiler, which stops at what is out of bounds")]
const fn marks(text: &[u8]) -> [u64; WORDS] {
    let mut marks = [0; WORDS];
    let (mut at, mut start) = (0, 0);
    while at < text.len() {
        if text[at] == b'\n' {
            if text[start] != b'#' {
                let mut colon = start;
                while text[colon] != b':' {
                    colon += 1;
                }
                let mut end = colon;
                while text[end] != b' ' {
                    end += 1;
                }
                let mark = mark(colon - start, Some(&text[colon + 1]), Some(&text[end - 1]), end - colon - 1);
                marks[mark / 64] |= 1 << (mark % 64);
            }
            start = at + 1;
        }
        at += 1;
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound_and_every_row_has_a_class_and_a_source() {
        TABLE.assert_sound();
        for line in TABLE.lines() {
            let mut words = line.splitn(3, ' ');
            let (service, action) = words.next().unwrap().split_once(':').unwrap();
            let class = Class::named(words.next().unwrap().as_bytes());
            assert!(class.is_some(), "{line}");
            assert!(words.next().is_some_and(|source| source.len() > 5), "{line}: no source");
            assert_eq!(Class::of(service, action), class, "{line}");
            assert_eq!(Class::of(service, &action.to_lowercase()), class, "{line}");
            assert_eq!(Class::of(service, &action.to_uppercase()), class, "{line}");
        }
    }

    #[test]
    fn what_is_not_in_the_table_has_no_class() {
        for (service, action) in
            [("ec2", "RunInstances"), ("", ""), ("ssm", ""), ("", "StartSession"), ("x", "StartSession")]
        {
            assert_eq!(Class::of(service, action), None, "{service}:{action}");
        }
    }

    /// The marks are there to spare look-ups: of all operations that are known, few may need one.
    #[test]
    fn few_operations_are_looked_up() {
        let all = include_str!("../data/access-levels.txt").lines().filter(|line| !line.starts_with('#'));
        let (mut total, mut looked_up) = (0, 0);
        for line in all {
            let (service, action) = line.split(' ').next().unwrap().split_once(':').unwrap();
            total += 1;
            looked_up += u32::from(may_be_listed(service, action));
        }
        assert!(total > 20_000 && looked_up * 10 < total, "{looked_up} of {total}");
    }
}
