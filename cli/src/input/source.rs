//! Where records come from, and that it is the same when it is read again.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

/// Where records come from.
#[derive(Debug)]
pub enum Source {
    /// A plain file.
    File(PathBuf, Stamp),
    /// Standard input, or a named pipe: what comes only once.
    Stream(Stream),
}

impl Source {
    /// Standard input.
    pub fn stdin() -> Self {
        Self::Stream(Stream { path: None, spool: Mutex::new(Spool::Unread) })
    }

    /// A named pipe.
    pub(super) fn pipe(path: PathBuf) -> Self {
        Self::Stream(Stream { path: Some(path), spool: Mutex::new(Spool::Unread) })
    }

    /// A plain file of this size.
    pub(super) fn file(path: PathBuf, size: u64) -> Self {
        Self::File(path, Stamp { size, first: OnceLock::new() })
    }

    /// The name that problems give it.
    pub fn name(&self) -> String {
        match self {
            Self::File(path, _) | Self::Stream(Stream { path: Some(path), .. }) => path.display().to_string(),
            Self::Stream(Stream { path: None, .. }) => "standard input".into(),
        }
    }

    /// Its size in bytes, 0 if unknown.
    pub fn size(&self) -> u64 {
        match self {
            Self::File(_, stamp) => stamp.size,
            Self::Stream(_) => 0,
        }
    }
}

/// What tells whether a file was changed since it was first read.
#[derive(Debug)]
pub struct Stamp {
    size: u64,
    first: OnceLock<(u64, Option<SystemTime>)>,
}

impl Stamp {
    /// Whether the file, which is read now, was another when it was first read.
    pub(super) fn is_another(&self, file: &Metadata) -> bool {
        let now = (file.len(), file.modified().ok());
        *self.first.get_or_init(|| now) != now
    }
}

/// What comes only once. While it is first read, the bytes are written to a temporary file without a name, as they came;
/// whatever reads it again reads that.
#[derive(Debug)]
pub struct Stream {
    path: Option<PathBuf>,
    spool: Mutex<Spool>,
}

#[derive(Debug)]
enum Spool {
    Unread,
    Kept {
        file: File,
        size: u64,
        /// Why the first reading ended early.
        failed: Option<String>,
    },
    /// Why there is none.
    Lost(String),
}

/// The size of the buffers.
const PIECE: usize = 256 << 10;

impl Stream {
    /// Reads all of it, for the first time or again.
    pub(super) fn read(&self, with: impl FnOnce(&mut dyn BufRead) -> io::Result<()>) -> io::Result<()> {
        let mut spool = self.spool.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *spool {
            Spool::Unread => {
                let mut tee = Tee::new(open(self.path.as_deref())?);
                let result = with(&mut tee);
                *spool = tee.finish();
                result
            }
            Spool::Kept { file, size, failed } => {
                if file.seek(SeekFrom::End(0))? != *size {
                    return Err(io::Error::other("its copy in the folder for temporary files was changed"));
                }
                file.seek(SeekFrom::Start(0))?;
                with(&mut BufReader::with_capacity(PIECE, &*file))?;
                failed.as_ref().map_or(Ok(()), |why| Err(io::Error::other(why.clone())))
            }
            Spool::Lost(why) => Err(io::Error::other(format!(
                "it has to be read twice, and no copy could be kept in the folder for temporary files ({why})"
            ))),
        }
    }
}

fn open(path: Option<&Path>) -> io::Result<Box<dyn Read>> {
    Ok(match path {
        None => Box::new(io::stdin().lock()),
        Some(path) => Box::new(File::open(path)?),
    })
}

/// Writes what is read from it to a spool.
struct Tee {
    input: BufReader<Box<dyn Read>>,
    spool: io::Result<File>,
    size: u64,
    failed: Option<String>,
}

impl Tee {
    fn new(input: Box<dyn Read>) -> Self {
        let input = BufReader::with_capacity(PIECE, input);
        Self { input, spool: tempfile::tempfile(), size: 0, failed: None }
    }

    fn keep(&mut self, amount: usize) {
        let bytes = self.input.buffer();
        let bytes = bytes.get(..amount).unwrap_or(bytes);
        if let Ok(file) = &mut self.spool {
            match file.write_all(bytes) {
                Ok(()) => self.size += bytes.len() as u64,
                Err(error) => self.spool = Err(error),
            }
        }
    }

    fn finish(mut self) -> Spool {
        // Where reading stopped at something broken, that must be there again.
        self.keep(usize::MAX);
        match self.spool {
            Ok(file) => Spool::Kept { file, size: self.size, failed: self.failed },
            Err(error) => Spool::Lost(error.to_string()),
        }
    }
}

impl Read for Tee {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Tee {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.input.fill_buf() {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.failed = Some(error.to_string());
                Err(error)
            }
            // Asked for once more, because the borrow checker can't tell the arms apart: what is there isn't read again.
            Err(error) => Err(error),
            Ok(_) => Ok(self.input.buffer()),
        }
    }

    fn consume(&mut self, amount: usize) {
        self.keep(amount);
        self.input.consume(amount);
    }
}
