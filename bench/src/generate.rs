//! Writes the planned files.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use libdeflater::{CompressionLvl, Compressor};

use crate::clock::Civil;
use crate::error::Error;
use crate::noise::base62;
use crate::plan::{self, FilePlan, Kind, Slot};
use crate::record;

/// gzip's default. libdeflate writes the same bytes on every machine, zlib's faster successors do not.
const LEVEL: i32 = 6;

/// What was written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Records, repeats included.
    pub records: u64,
    /// Log files.
    pub files: u64,
    /// Bytes of JSON.
    pub raw: u64,
    /// Bytes on disk.
    pub gzip: u64,
}

/// Writes `records` records under `out`, which must not hold logs yet.
pub fn generate(records: u64, seed: u64, out: &Path, threads: usize) -> Result<Summary, Error> {
    if out.join("AWSLogs").exists() {
        return Err(Error::NotEmpty(out.to_owned()));
    }
    let plans = plan::files(records, seed);
    let next = AtomicUsize::new(0);
    let outcome = Mutex::new(Ok(Summary::default()));
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let done = write_share(&plans, &next, out);
                if done.is_err() {
                    next.store(plans.len(), Ordering::Relaxed);
                }
                // INVARIANT: nothing panics while the lock is held.
                if let Ok(mut outcome) = outcome.lock() {
                    *outcome = add(std::mem::replace(&mut *outcome, Ok(Summary::default())), done);
                }
            });
        }
    });
    outcome.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn add(one: Result<Summary, Error>, other: Result<Summary, Error>) -> Result<Summary, Error> {
    let (one, other) = (one?, other?);
    Ok(Summary {
        records: one.records + other.records,
        files: one.files + other.files,
        raw: one.raw + other.raw,
        gzip: one.gzip + other.gzip,
    })
}

/// One thread's work: whichever file is next, until there is none.
fn write_share(plans: &[FilePlan], next: &AtomicUsize, out: &Path) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    let mut body = String::new();
    let mut packed = Vec::new();
    let level = CompressionLvl::new(LEVEL).unwrap_or_default();
    let mut compressor = Compressor::new(level);
    while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
        let path = out.join(path(plan));
        body.clear();
        summary.records += write_body(plans, plan, &mut body);
        packed.resize(compressor.gzip_compress_bound(body.len()), 0);
        let size = compressor
            .gzip_compress(body.as_bytes(), &mut packed)
            .map_err(|error| Error::Compress { path: path.clone(), why: error.to_string() })?;
        packed.truncate(size);
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, error))?;
        }
        fs::write(&path, &packed).map_err(|error| Error::io("write", &path, error))?;
        summary.files += 1;
        summary.raw += body.len() as u64;
        summary.gzip += size as u64;
    }
    Ok(summary)
}

/// Appends a whole log file, on one line as CloudTrail writes it, and says how many records it has.
fn write_body(plans: &[FilePlan], plan: &FilePlan, out: &mut String) -> u64 {
    let twin = plan.twin.and_then(|twin| plans.get(twin));
    let twin = twin.map(|twin| (twin, twin.slots()));
    out.push_str(r#"{"Records":["#);
    let mut records = 0;
    for slot in plan.slots() {
        if records > 0 {
            out.push(',');
        }
        match &twin {
            Some((twin, slots)) if slot.kind == Kind::Repeat => {
                record::write(twin, repeated(slots, slot), out);
            }
            _ => record::write(plan, slot, out),
        }
        records += 1;
    }
    out.push_str("]}");
    records
}

/// The slot that `slot` repeats: any that is no repeat itself.
fn repeated(slots: &[Slot], slot: Slot) -> Slot {
    let from = usize::try_from(slot.seed % slots.len().max(1) as u64).unwrap_or_default();
    let mut cycle = slots.iter().cycle().skip(from).take(slots.len());
    cycle.find(|other| other.kind != Kind::Repeat).copied().unwrap_or(slot)
}

/// Where CloudTrail puts the file in a bucket.
fn path(plan: &FilePlan) -> PathBuf {
    let (account, region) = (plan.account_id(), plan.region_name());
    let Civil { year, month, day, hour, minute, .. } = Civil::of(plan.delivered);
    let mut name = String::new();
    // INVARIANT: writing to a `String` does not fail.
    let _ = write!(
        name,
        "AWSLogs/{account}/CloudTrail/{region}/{year}/{month:02}/{day:02}/\
         {account}_CloudTrail_{region}_{year}{month:02}{day:02}T{hour:02}{minute:02}Z_"
    );
    base62(&mut name, plan.seed);
    name.push_str(".json.gz");
    PathBuf::from(name)
}
