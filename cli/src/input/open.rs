//! Opening a source and inflating it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use encoding_rs::{Decoder, Encoding, UTF_16BE, UTF_16LE};
use flate2::bufread::MultiGzDecoder;

use super::document::Document;
use super::kind::{self, GZIP};
use super::{Sink, Source};

/// Files up to this size are read whole; larger ones, and standard input, in pieces.
const WHOLE: u64 = 16 << 20;
/// Larger texts are inflated in pieces: a gzip file can say of itself what it likes.
const WHOLE_INFLATED: u64 = 64 << 20;
/// The size of a piece.
const PIECE: usize = 256 << 10;
/// Gzip data that inflates to more than both of these is taken for a bomb. Logs shrink to a tenth.
const BOMB_BYTES: u64 = 256 << 20;
const BOMB_RATIO: u64 = 200;

/// Reads sources one after the other and keeps its buffers.
pub struct Reader {
    raw: Vec<u8>,
    inflated: Vec<u8>,
    decompressor: libdeflater::Decompressor,
    /// The time that the stages took so far.
    pub stages: Stages,
}

/// The time that the stages took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stages {
    /// Opening, reading from disk, inflating.
    pub inflate: Duration,
    /// All else: cutting into records, and what the sink does with them.
    pub records: Duration,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            raw: Vec::new(),
            inflated: Vec::new(),
            decompressor: libdeflater::Decompressor::new(),
            stages: Stages::default(),
        }
    }
}

impl Reader {
    /// Reads one source. `progress` gets the bytes that were taken from it.
    pub fn read(&mut self, source: &Source, sink: &mut impl Sink, progress: &dyn Fn(u64)) {
        let result = match source {
            Source::Stream(stream) => stream.read(|input| self.pieces(input, sink, progress)),
            Source::File(path, stamp) => File::open(path).and_then(|file| {
                let metadata = file.metadata()?;
                if stamp.is_another(&metadata) {
                    let message = "changed since it was first read: its results may be inconsistent";
                    sink.failed(None, message.into());
                }
                if metadata.len() <= WHOLE {
                    self.whole(file, sink, progress)
                } else {
                    self.pieces(BufReader::with_capacity(PIECE, file), sink, progress)
                }
            }),
        };
        if let Err(error) = result {
            sink.failed(None, format!("can't be read: {error}"));
        }
    }

    fn whole(&mut self, mut file: File, sink: &mut impl Sink, progress: &dyn Fn(u64)) -> io::Result<()> {
        let start = Instant::now();
        self.raw.clear();
        file.by_ref().take(WHOLE + 1).read_to_end(&mut self.raw)?;
        // It grew, or doesn't say its size.
        let too_large = self.raw.len() as u64 > WHOLE;
        let gzip = is_gzip(&self.raw);
        if too_large || (gzip && !self.inflate()) {
            // More than one member, damaged, cut off, or a bomb: the slower way tells which.
            self.stages.inflate += start.elapsed();
            let raw = std::mem::take(&mut self.raw);
            let rest = BufReader::with_capacity(PIECE, file);
            let result = self.pieces(raw.as_slice().chain(rest), sink, progress);
            self.raw = raw;
            return result;
        }
        progress(self.raw.len() as u64);
        let inflated = Instant::now();
        self.stages.inflate += inflated - start;
        let text = if gzip { &self.inflated } else { &self.raw };
        if let Some(why) = kind::unread(text, gzip) {
            sink.problem(None, why.into());
            return Ok(());
        }
        match utf16(text) {
            None => Document::new().feed(text, true, sink),
            Some(encoding) => Document::new().feed(encoding.decode(text).0.as_bytes(), true, sink),
        };
        self.stages.records += inflated.elapsed();
        Ok(())
    }

    /// Inflates a gzip file that is one whole, undamaged member of a plausible size; `false` for all others.
    fn inflate(&mut self) -> bool {
        let raw = self.raw.as_slice();
        let Some(&[a, b, c, d]) = raw.last_chunk::<4>() else { return false };
        let size = u64::from(u32::from_le_bytes([a, b, c, d]));
        if size > WHOLE_INFLATED {
            return false;
        }
        // libdeflate ignores what follows the first member. Where no other header stands, none follows.
        if raw.get(1..).is_none_or(|rest| memchr::memmem::find(rest, GZIP).is_some()) {
            return false;
        }
        // One byte more than it should need: a member that is larger than it says is not whole.
        self.inflated.resize(usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1), 0);
        match self.decompressor.gzip_decompress(raw, &mut self.inflated) {
            Ok(length) if length as u64 == size => {
                self.inflated.truncate(length);
                true
            }
            _ => false,
        }
    }

    fn pieces(
        &mut self,
        mut source: impl BufRead,
        sink: &mut impl Sink,
        progress: &dyn Fn(u64),
    ) -> io::Result<()> {
        let gzip = is_gzip(source.fill_buf()?);
        let counted = Counted { inner: source, count: 0, failed: false, progress };
        if gzip {
            self.stream(MultiGzDecoder::new(counted), |decoder| Some(decoder.get_ref().state()), sink)
        } else {
            self.stream(counted, |_| None, sink)
        }
    }

    /// `compressed` gives what is known of the bytes that a text is inflated from.
    fn stream<R: Read>(
        &mut self,
        mut source: R,
        compressed: impl Fn(&R) -> Option<Compressed>,
        sink: &mut impl Sink,
    ) -> io::Result<()> {
        let mut document = Document::new();
        let buffer = &mut self.inflated;
        buffer.clear();
        let (mut total, mut decoder) = (0u64, None);
        loop {
            let start = Instant::now();
            let before = buffer.len();
            let read = source.by_ref().take(PIECE as u64).read_to_end(buffer);
            let inflated = Instant::now();
            self.stages.inflate += inflated - start;
            let length = buffer.len() - before;
            if total == 0 {
                if let Some(why) = kind::unread(buffer, compressed(&source).is_some()) {
                    sink.problem(None, why.into());
                    return Ok(());
                }
                decoder = utf16(buffer).map(Encoding::new_decoder);
            }
            total += length as u64;
            let last = length == 0 && read.is_ok();
            if let Some(decoder) = &mut decoder {
                decode(decoder, buffer, length, last);
            }
            if read.is_err() {
                document.hurry();
            }
            let used = document.feed(buffer, last, sink);
            buffer.drain(..used);
            self.stages.records += inflated.elapsed();
            let position = |document: &Document| Some(document.position(buffer, buffer.len()));
            match (read, compressed(&source)) {
                (Err(error), Some(Compressed { failed: false, .. })) => {
                    let what = "the gzip data is damaged or cut off; the rest of the file is lost";
                    sink.problem(position(&document), format!("{what}: {error}"));
                    return Ok(());
                }
                (Err(error), _) => {
                    let what = "reading failed; the rest of the file is lost";
                    sink.failed(position(&document), format!("{what}: {error}"));
                    return Ok(());
                }
                (Ok(_), Some(compressed)) if compressed.is_bomb(total) => {
                    let message = format!(
                        "a gzip bomb: more than {} MiB, and more than {BOMB_RATIO} times its compressed \
                         size; the rest of the file isn't read",
                        total >> 20
                    );
                    sink.problem(position(&document), message);
                    return Ok(());
                }
                _ if last || document.has_given_up() => return Ok(()),
                _ => {}
            }
        }
    }
}

/// The encoding of a text of Windows; `None` for all others. Without a byte order mark JSON's first character tells.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0xff, 0xfe, ..] | [b'{' | b'[' | b'"', 0, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] | [0, b'{' | b'[' | b'"', ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// Puts the last bytes of a buffer anew, as UTF-8. What isn't UTF-16 is reported where it stands, as no UTF-8 is: its
/// replacement is no JSON outside of texts, and harmless inside.
fn decode(decoder: &mut Decoder, buffer: &mut Vec<u8>, length: usize, last: bool) {
    let coded = buffer.split_off(buffer.len().saturating_sub(length));
    let mut text =
        String::with_capacity(decoder.max_utf8_buffer_length(coded.len()).unwrap_or(3 * coded.len() + 16));
    // INVARIANT: there is room for all of it.
    let _ = decoder.decode_to_string(&coded, &mut text, last);
    buffer.extend_from_slice(text.as_bytes());
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(GZIP)
}

/// What is known of the bytes that a text is inflated from.
struct Compressed {
    count: u64,
    /// They could not be read: that says nothing of them.
    failed: bool,
}

impl Compressed {
    fn is_bomb(&self, total: u64) -> bool {
        total > BOMB_BYTES && total > BOMB_RATIO * self.count
    }
}

/// Counts the bytes that go through it.
struct Counted<'a, R> {
    inner: R,
    count: u64,
    failed: bool,
    progress: &'a dyn Fn(u64),
}

impl<R> Counted<'_, R> {
    fn state(&self) -> Compressed {
        Compressed { count: self.count, failed: self.failed }
    }

    fn took(&mut self, amount: usize) {
        self.count += amount as u64;
        (self.progress)(amount as u64);
    }

    fn note<T>(failed: &mut bool, result: io::Result<T>) -> io::Result<T> {
        *failed |= result.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        result
    }
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = Self::note(&mut self.failed, self.inner.read(buffer))?;
        self.took(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Self::note(&mut self.failed, self.inner.fill_buf())
    }

    fn consume(&mut self, amount: usize) {
        self.took(amount);
        self.inner.consume(amount);
    }
}
