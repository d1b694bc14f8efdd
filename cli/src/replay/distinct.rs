//! Counts distinct records in bounded memory.
//!
//! Exact counting has to remember every record. Eight bytes of each are remembered: a hash of its key whose
//! lowest bits are its class. They go to a temporary file in sorted runs, and are merged in the end. At a
//! hundred million records the chance that any two are taken for one is below one in a hundred.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use handsoff_watch::Key;

/// Entries that are held in memory; 8 bytes each.
const RUN: usize = 256 << 10;
const CLASS_BITS: u32 = 5;
/// How many classes can be told apart.
pub(super) const CLASSES: usize = 1 << CLASS_BITS;

/// A set of keys, each with a class.
#[derive(Debug, Default)]
pub(super) struct Distinct {
    current: Vec<u64>,
    runs: Vec<Run>,
}

#[derive(Debug)]
enum Run {
    Memory(Vec<u64>),
    /// A sorted run in a file that has no name and goes with the process.
    File(File),
}

impl Distinct {
    /// Remembers a key. `class` is below [`CLASSES`].
    pub(super) fn add(&mut self, key: Key, class: usize) {
        let class = class as u64 & (CLASSES as u64 - 1);
        self.current.push(key.0 >> CLASS_BITS << CLASS_BITS | class);
        if self.current.len() == RUN {
            self.spill();
        }
    }

    fn spill(&mut self) {
        let mut run = std::mem::take(&mut self.current);
        run.sort_unstable();
        run.dedup();
        // Without room for temporary files memory has to do.
        self.runs.push(match to_file(&run) {
            Ok(file) => {
                run.clear();
                self.current = run;
                Run::File(file)
            }
            Err(_) => Run::Memory(run),
        });
    }

    /// Takes over another set.
    pub(super) fn merge(&mut self, other: Self) {
        self.runs.extend(other.runs);
        for entry in other.current {
            self.current.push(entry);
            if self.current.len() == RUN {
                self.spill();
            }
        }
    }

    /// The number of distinct keys of each class.
    ///
    /// # Errors
    /// When a temporary file can't be read back.
    pub(super) fn count(mut self) -> io::Result<[u64; CLASSES]> {
        let mut counts = [0; CLASSES];
        self.current.sort_unstable();
        self.runs.push(Run::Memory(std::mem::take(&mut self.current)));
        let mut streams = Vec::new();
        for run in self.runs {
            streams.push(match run {
                Run::Memory(entries) => Stream::Memory(entries.into_iter()),
                Run::File(mut file) => {
                    file.seek(SeekFrom::Start(0))?;
                    Stream::File(BufReader::with_capacity(16 << 10, file))
                }
            });
        }
        let mut heap = BinaryHeap::new();
        for (index, stream) in streams.iter_mut().enumerate() {
            heap.extend(stream.next()?.map(|entry| Reverse((entry, index))));
        }
        let mut last = None;
        while let Some(mut first) = heap.peek_mut() {
            let Reverse((entry, index)) = *first;
            if last != Some(entry) {
                last = Some(entry);
                let class = usize::try_from(entry & (CLASSES as u64 - 1)).unwrap_or_default();
                if let Some(count) = counts.get_mut(class) {
                    *count += 1;
                }
            }
            // Replacing the first sinks the new one in place: half of what a pop and a push cost.
            let next = streams.get_mut(index).map_or(Ok(None), Stream::next)?;
            match next {
                Some(next) => *first = Reverse((next, index)),
                None => drop(PeekMut::pop(first)),
            }
        }
        Ok(counts)
    }
}

fn to_file(run: &[u64]) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let mut bytes = Vec::with_capacity(64 << 10);
    for part in run.chunks(8 << 10) {
        bytes.clear();
        bytes.extend(part.iter().flat_map(|entry| entry.to_le_bytes()));
        file.write_all(&bytes)?;
    }
    Ok(file)
}

enum Stream {
    Memory(std::vec::IntoIter<u64>),
    File(BufReader<File>),
}

impl Stream {
    fn next(&mut self) -> io::Result<Option<u64>> {
        match self {
            Self::Memory(entries) => Ok(entries.next()),
            Self::File(file) => {
                let mut bytes = [0; 8];
                match file.read_exact(&mut bytes) {
                    Ok(()) => Ok(Some(u64::from_le_bytes(bytes))),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_key_once_across_runs_and_merges() {
        let (mut a, mut b) = (Distinct::default(), Distinct::default());
        let key = |n: u64| Key(n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let many = 3 * RUN as u64 + 17;
        for n in 0..many {
            a.add(key(n), 1);
            b.add(key(n / 2), 1);
            b.add(key(n), 7);
        }
        a.merge(b);
        assert!(a.runs.len() >= 6);
        let counts = a.count().unwrap();
        assert_eq!((counts[1], counts[7], counts[0]), (many, many, 0));
    }
}
