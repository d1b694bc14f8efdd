//! Counts distinct records in bounded memory.
//!
//! Exact counting has to remember every record. Eight bytes of each are remembered: a hash of its key whose
//! lowest bits are its class. They go to a temporary file in sorted runs, and are merged in the end. At a
//! hundred million records the chance that any two are taken for one is below one in a hundred.

use std::io::{self, BufRead};

use handsoff_core::Key;

use super::spool::{Spool, Spooled};

const CLASS_BITS: u32 = 5;
/// How many classes can be told apart.
pub(super) const CLASSES: usize = 1 << CLASS_BITS;

/// A set of keys, each with a class.
#[derive(Debug, Default)]
pub(super) struct Distinct(Spool<u64>);

impl Spooled for u64 {
    /// 2 MiB.
    const RUN: usize = 256 << 10;

    fn write(&self, run: &mut Vec<u8>) -> io::Result<()> {
        run.extend(self.to_le_bytes());
        Ok(())
    }

    fn read(run: &mut impl BufRead) -> io::Result<Self> {
        let mut bytes = [0; 8];
        run.read_exact(&mut bytes)?;
        Ok(Self::from_le_bytes(bytes))
    }
}

impl Distinct {
    /// Remembers a key. `class` is below [`CLASSES`].
    pub(super) fn add(&mut self, key: Key, class: usize) {
        let class = class as u64 & (CLASSES as u64 - 1);
        self.0.add(key.0 >> CLASS_BITS << CLASS_BITS | class);
    }

    /// Takes over another set.
    pub(super) fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    /// The number of distinct keys of each class.
    ///
    /// # Errors
    /// When a temporary file can't be read back.
    pub(super) fn count(self) -> io::Result<[u64; CLASSES]> {
        let mut counts = [0; CLASSES];
        let mut last = None;
        for entry in self.0.sorted().iter() {
            let entry = entry?;
            if last != Some(entry) {
                last = Some(entry);
                let class = usize::try_from(entry & (CLASSES as u64 - 1)).unwrap_or_default();
                if let Some(count) = counts.get_mut(class) {
                    *count += 1;
                }
            }
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_key_once_across_runs_and_merges() {
        let (mut a, mut b) = (Distinct::default(), Distinct::default());
        let key = |n: u64| Key(n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let many = 3 * u64::RUN as u64 + 17;
        for n in 0..many {
            a.add(key(n), 1);
            b.add(key(n / 2), 1);
            b.add(key(n), 7);
        }
        a.merge(b);
        assert!(a.0.runs() >= 6);
        let counts = a.count().unwrap();
        assert_eq!((counts[1], counts[7], counts[0]), (many, many, 0));
    }
}
