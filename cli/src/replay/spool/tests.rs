use proptest::prelude::*;

use super::*;

/// A text; of these few are held in memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Text(String);

impl Spooled for Text {
    const RUN: usize = 5;

    fn write(&self, run: &mut Vec<u8>) -> io::Result<()> {
        run.extend(self.0.as_bytes());
        run.push(b'\n');
        Ok(())
    }

    fn read(run: &mut impl BufRead) -> io::Result<Self> {
        let mut line = String::new();
        run.read_line(&mut line)?;
        Ok(Self(line.trim_end_matches('\n').to_owned()))
    }
}

fn sorted(texts: &Sorted<Text>) -> Vec<String> {
    let mut all: Vec<String> = texts.iter().map(|one| one.unwrap().0).collect();
    all.dedup();
    all
}

proptest! {
    #[test]
    fn it_sorts_however_it_is_divided(
        texts in prop::collection::vec(("[a-z]{0,3}", 0usize..3), 0..60),
        long in 0usize..40_000,
    ) {
        let mut parts = [Spool::default(), Spool::default(), Spool::default()];
        let mut expected: Vec<String> = Vec::new();
        for (text, part) in texts {
            // Some longer than a buffer.
            let text = if text == "a" { "a".repeat(long) } else { text };
            parts[part].add(Text(text.clone()));
            expected.push(text);
        }
        let [mut whole, one, other] = parts;
        whole.merge(one);
        whole.merge(other);
        let whole = whole.sorted();
        expected.sort();
        expected.dedup();
        prop_assert_eq!(sorted(&whole), expected.clone());
        // Again, and two at a time: they share a file.
        let both: Vec<(Text, Text)> = whole.iter().zip(whole.iter()).map(|(a, b)| (a.unwrap(), b.unwrap())).collect();
        prop_assert!(both.iter().all(|(a, b)| a == b) && sorted(&whole) == expected);
    }
}

/// The files that this process has open and that have no name any more, as temporary ones: its other tests, which run beside
/// this one, open and close files of all kinds.
#[cfg(target_os = "linux")]
fn unnamed_files() -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = open.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().contains("(deleted)")).count()
}

#[cfg(target_os = "linux")]
#[test]
fn any_number_of_runs_is_one_file() {
    let mut spool = Spool::default();
    for number in 0..10_000 {
        spool.add(Text(format!("{number}")));
    }
    assert_eq!(spool.runs(), 2_000);
    let sorted = spool.sorted();
    let mut all = sorted.iter();
    assert_eq!(all.next().unwrap().unwrap().0, "0");
    let open = unnamed_files();
    assert!((1..100).contains(&open), "{open} files for 2,000 runs");
    assert_eq!(all.count(), 9_999);
}

#[test]
fn a_file_that_lost_something_is_an_error() {
    let mut spool = Spool::default();
    for number in 0..12 {
        spool.add(Text(format!("{number:04}")));
    }
    spool.file.as_ref().unwrap().set_len(33).unwrap();
    let sorted = spool.sorted();
    let ended: Vec<io::Result<Text>> = sorted.iter().collect();
    assert!(ended.last().unwrap().is_err() && ended.len() < 12, "{ended:?}");
}
