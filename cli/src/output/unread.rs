//! Output that nobody reads to its end.

use std::io::{self, Write};

/// Writes as long as somebody reads. `handsoff … | head` is no mistake, and changes nothing of what is found: what
/// comes after the reader has gone is dropped, and the command goes on to its exit status. Any other failure is one.
#[derive(Debug)]
pub struct WhileRead<W> {
    inner: W,
    gone: bool,
}

impl<W: Write> WhileRead<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, gone: false }
    }

    fn unless_gone<T>(&mut self, without: T, write: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.gone {
            return Ok(without);
        }
        match write(&mut self.inner) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(without)
            }
            written => written,
        }
    }
}

impl<W: Write> Write for WhileRead<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_gone(bytes.len(), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_gone((), Write::flush)
    }
}
