//! A whole log file in memory, inflated.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use libdeflater::{DecompressionError, Decompressor};

use crate::error::Error;

/// Beyond this a log file is not one; CloudTrail's are at most some tens of megabytes.
const CAP: usize = 1 << 30;
/// Deflate makes nothing more than 1,032 times smaller.
const MOST: usize = 1_032;

/// Reads and inflates one file after the other into the same buffers.
pub struct Inflater {
    decompressor: Decompressor,
    packed: Vec<u8>,
    raw: Vec<u8>,
}

impl Default for Inflater {
    fn default() -> Self {
        Self { decompressor: Decompressor::new(), packed: Vec::new(), raw: Vec::new() }
    }
}

impl Inflater {
    /// The contents of the gzip file at `path`.
    pub fn read(&mut self, path: &Path) -> Result<&[u8], Error> {
        self.packed.clear();
        File::open(path)
            .and_then(|mut file| file.read_to_end(&mut self.packed))
            .map_err(|error| Error::io("read", path, error))?;
        let failed = |why: &str| Error::Inflate { path: path.to_owned(), why: why.to_owned() };
        // The last four bytes of a gzip file say how large its contents are, if they are honest.
        let said = self.packed.last_chunk::<4>().map(|size| u32::from_le_bytes(*size));
        let said = said.and_then(|size| usize::try_from(size).ok());
        let said = said.ok_or_else(|| failed("shorter than a gzip file can be"))?;
        let mut room = said.clamp(self.packed.len(), self.packed.len().saturating_mul(MOST).min(CAP));
        loop {
            if room > CAP {
                return Err(failed("larger than 1 GiB"));
            }
            if self.raw.len() < room {
                self.raw.resize(room, 0);
            }
            match self.decompressor.gzip_decompress(&self.packed, &mut self.raw) {
                Ok(size) => return self.raw.get(..size).ok_or_else(|| failed("inflated beyond its buffer")),
                Err(DecompressionError::InsufficientSpace) => room = self.raw.len().saturating_mul(2),
                Err(DecompressionError::BadData) => return Err(failed("not gzip, or damaged")),
            }
        }
    }
}
