use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use handsoff::input::{Place, Position, Reader, Sink, find};
use handsoff_cloudtrail::Record;

#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    records: Vec<String>,
    problems: Vec<(Option<Position>, String)>,
}

impl Sink for Seen {
    fn record(&mut self, record: &Record<'_>, _: &Place<'_>) {
        self.records.push(record.text.to_owned());
    }

    fn problem(&mut self, position: Option<Position>, message: String) {
        self.problems.push((position, message));
    }
}

fn seen(bytes: &[u8]) -> Seen {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file.flush().unwrap();
    let mut seen = Seen::default();
    for source in &find(&[file.path().to_owned()]).sources {
        Reader::default().read(source, &mut seen, &|_| {});
    }
    seen
}

/// A file is the same as it is and in gzip, in two members: no piece is lost, and none is read twice.
pub fn document(data: &[u8]) -> usize {
    let plain = seen(data);
    // gzip in gzip is none that is read.
    if !data.starts_with(&[0x1f, 0x8b]) && !data.is_empty() {
        let cut = data.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()))
            % data.len();
        let member = |part: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(part).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(plain, seen(&[member(&data[..cut]), member(&data[cut..])].concat()), "cut at {cut}");
    }
    plain.records.len()
}
