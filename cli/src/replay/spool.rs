//! Sorts more than memory holds: sorted runs, one behind the other in one temporary file, merged in the end.
//!
//! One file, whatever the number of runs: a process may open few.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::Arc;

/// What can be sorted so.
pub(crate) trait Spooled: Ord + Clone {
    /// How many are held in memory.
    const RUN: usize;

    /// Appends it to a run.
    ///
    /// # Errors
    /// When it can't be written.
    fn write(&self, run: &mut Vec<u8>) -> io::Result<()>;

    /// Reads the next of a run that has one.
    ///
    /// # Errors
    /// When it can't be read back.
    fn read(run: &mut impl BufRead) -> io::Result<Self>;
}

/// Takes things in any order. What is the same is kept once a run.
#[derive(Debug)]
pub(crate) struct Spool<T> {
    current: Vec<T>,
    file: Option<Arc<File>>,
    /// Where the next run begins in the file.
    end: u64,
    runs: Vec<Run<T>>,
}

#[derive(Debug)]
enum Run<T> {
    Memory(Vec<T>),
    /// Bytes of a file that has no name and goes with the process.
    File(Arc<File>, Range<u64>),
}

impl<T> Default for Spool<T> {
    fn default() -> Self {
        Self { current: Vec::new(), file: None, end: 0, runs: Vec::new() }
    }
}

impl<T: Spooled> Spool<T> {
    /// Takes one thing.
    pub(crate) fn add(&mut self, one: T) {
        self.current.push(one);
        if self.current.len() >= T::RUN {
            self.spill();
        }
    }

    fn spill(&mut self) {
        let mut run = std::mem::take(&mut self.current);
        run.sort_unstable();
        run.dedup();
        // Without room for temporary files memory has to do.
        let run = match self.write(&run) {
            Ok(written) => {
                run.clear();
                self.current = run;
                written
            }
            Err(_) => Run::Memory(run),
        };
        self.runs.push(run);
    }

    fn write(&mut self, run: &[T]) -> io::Result<Run<T>> {
        const PART: usize = 64 << 10;
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(self.file.insert(Arc::new(tempfile::tempfile()?))),
        };
        let mut to = &*file;
        // What a run left behind that could not be written whole is written over.
        to.seek(SeekFrom::Start(self.end))?;
        let mut bytes = Vec::with_capacity(PART);
        let mut length = 0;
        for one in run {
            one.write(&mut bytes)?;
            if bytes.len() >= PART {
                to.write_all(&bytes)?;
                length += bytes.len() as u64;
                bytes.clear();
            }
        }
        to.write_all(&bytes)?;
        let begin = self.end;
        self.end += length + bytes.len() as u64;
        Ok(Run::File(file, begin..self.end))
    }

    /// Takes over what another has taken.
    pub(crate) fn merge(&mut self, other: Self) {
        self.runs.extend(other.runs);
        for one in other.current {
            self.add(one);
        }
    }

    /// How many runs there are.
    #[cfg(test)]
    pub(crate) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// All of it, to be gone through in order.
    pub(crate) fn sorted(mut self) -> Sorted<T> {
        self.current.sort_unstable();
        self.current.dedup();
        self.runs.push(Run::Memory(self.current));
        Sorted(self.runs)
    }
}

/// Sorted runs.
#[derive(Debug)]
pub(crate) struct Sorted<T>(Vec<Run<T>>);

/// What is the same may lie in several runs, and comes as often.
impl<T: Spooled> Sorted<T> {
    /// All in order.
    pub(crate) fn iter(&self) -> Merge<'_, T> {
        let mut merge = Merge { streams: Vec::new(), heap: BinaryHeap::new(), failed: None };
        for (index, run) in self.0.iter().enumerate() {
            let mut stream = match run {
                Run::Memory(run) => Stream::Memory(run.iter()),
                Run::File(file, Range { start, end }) => {
                    let part = Part { file, at: *start, end: *end };
                    Stream::File(BufReader::with_capacity(BUFFER, part))
                }
            };
            match stream.next() {
                Ok(first) => merge.heap.extend(first.map(|one| Reverse((one, index)))),
                Err(error) => merge.failed = Some(error),
            }
            merge.streams.push(stream);
        }
        merge
    }
}

/// How much of each run is read at once: a hundred million records make 380 runs.
const BUFFER: usize = 16 << 10;

/// Goes through all runs at once. Ends with the first error.
pub(crate) struct Merge<'s, T> {
    streams: Vec<Stream<'s, T>>,
    heap: BinaryHeap<Reverse<(T, usize)>>,
    failed: Option<io::Error>,
}

impl<T: Spooled> Iterator for Merge<'_, T> {
    type Item = io::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            self.heap.clear();
            return Some(Err(error));
        }
        let mut first = self.heap.peek_mut()?;
        let Reverse((_, index)) = *first;
        // Replacing the first sinks the new one in place: half of what a pop and a push cost.
        match self.streams.get_mut(index).map_or(Ok(None), Stream::next) {
            Ok(Some(next)) => {
                let Reverse((one, _)) = std::mem::replace(&mut *first, Reverse((next, index)));
                Some(Ok(one))
            }
            Ok(None) => {
                let Reverse((one, _)) = PeekMut::pop(first);
                Some(Ok(one))
            }
            Err(error) => {
                drop(first);
                self.heap.clear();
                Some(Err(error))
            }
        }
    }
}

enum Stream<'s, T> {
    Memory(std::slice::Iter<'s, T>),
    File(BufReader<Part<'s>>),
}

impl<T: Spooled> Stream<'_, T> {
    fn next(&mut self) -> io::Result<Option<T>> {
        match self {
            Self::Memory(run) => Ok(run.next().cloned()),
            Self::File(run) => match run.fill_buf()? {
                [] => Ok(None),
                _ => T::read(run).map(Some),
            },
        }
    }
}

/// A run in its file, whose place in it others move.
struct Part<'s> {
    file: &'s File,
    at: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file;
        file.seek(SeekFrom::Start(self.at))?;
        let read = file.take(self.end - self.at).read(buffer)?;
        if read == 0 && self.at < self.end && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
