//! A case as it was read: verified, or as much of it as can be shown.

use std::cmp::Reverse;

use handsoff_case::manifest::{MANIFEST, sha256};
use handsoff_case::verify::{Difference, Folder, verify};
use handsoff_case::{Manifest, Observation, Review};
use serde::Deserialize;

use super::disk::Disk;

/// A case.
#[derive(Debug)]
pub(super) struct Case {
    /// What it says of the session; `None` only when it isn't verified.
    pub(super) manifest: Option<Manifest>,
    /// The manifest's SHA-256; empty without a manifest.
    pub(super) digest: String,
    /// The first difference from what was sealed, if there is one.
    pub(super) difference: Option<Difference>,
    /// The reviews that are of this case as it is, the oldest first.
    pub(super) reviews: Vec<Review>,
    /// What is wrong with reviews that lie beside it.
    pub(super) odd_reviews: Vec<String>,
    /// All calls, in the order of the case.
    pub(super) calls: Vec<Observation>,
}

/// Reads a case, and verifies it while at it.
pub(super) fn load(disk: &Disk) -> Case {
    let mut calls = Vec::new();
    let verified = verify(disk, None, |call| calls.push(call));
    let (manifest, digest, difference, own) = match verified {
        Ok(found) => (Some(found.manifest), found.digest, None, found.review),
        Err(difference) => {
            let (manifest, digest) = manifest(disk);
            calls = lines(disk);
            (manifest, digest, Some(difference), None)
        }
    };
    let (mut reviews, odd_reviews) = match &manifest {
        Some(manifest) => reviews(disk, manifest, &digest),
        None => (Vec::new(), Vec::new()),
    };
    reviews.extend(own);
    reviews.sort_by(|one, other| (one.time, &one.reviewer).cmp(&(other.time, &other.reviewer)));
    reviews.dedup();
    Case { manifest, digest, difference, reviews, odd_reviews, calls }
}

/// The reviews beside a case that are of it as it is, and what is wrong with the others.
pub(super) fn reviews(disk: &Disk, manifest: &Manifest, digest: &str) -> (Vec<Review>, Vec<String>) {
    let (mut good, mut odd) = (Vec::new(), Vec::new());
    for (name, review) in disk.reviews() {
        match review.and_then(|review| Ok(review.of(manifest, digest).map(|()| review)?)) {
            Ok(review) => good.push(review),
            Err(why) => odd.push(format!("{name}: {why}")),
        }
    }
    (good, odd)
}

/// Whatever of a manifest can be read, though it isn't what was sealed.
fn manifest(disk: &Disk) -> (Option<Manifest>, String) {
    let Ok(bytes) = disk.read(MANIFEST) else { return (None, String::new()) };
    (serde_json::from_slice(&bytes).ok(), sha256(&bytes))
}

#[derive(Deserialize)]
struct Line {
    call: Observation,
}

/// Whatever lines can be read, of all files that are called like ones of lines.
fn lines(disk: &Disk) -> Vec<Observation> {
    let mut calls: Vec<Observation> = Vec::new();
    for name in disk.names().unwrap_or_default() {
        if !name.starts_with("calls-") {
            continue;
        }
        let bytes = disk.read(&name).unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n');
        calls
            .extend(lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok()).map(|line| line.call));
    }
    calls.sort_by_cached_key(|call| (Reverse(call.time.is_none()), call.sort()));
    calls
}
