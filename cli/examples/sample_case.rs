//! Writes made-up case files to try `handsoff case …` with, and to look at its pages: `sample_case DIR`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    missing_docs,
    dead_code,
    reason = "an example may panic; the samples are those of the tests"
)]

#[path = "../tests/sample/mod.rs"]
mod sample;

use std::path::PathBuf;

use sample::{Which, write};

fn main() {
    let dir: PathBuf = std::env::args_os().nth(1).unwrap_or_else(|| "target/cases".into()).into();
    for which in [Which::Normal, Which::Hostile, Which::Long(50_000), Which::Long(5_000), Which::Drill] {
        println!("{}", write(&dir, which).display());
    }
}
