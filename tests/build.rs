//! Says at compile time whether the corpus of real records is here, so that without it a test that needs it is `ignored`,
//! and not `ok`: `#[cfg_attr(not(corpus), ignore = "needs the corpus of real records")]`.

use std::path::PathBuf;

fn main() {
    println!("cargo:rustc-check-cfg=cfg(corpus)");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=HANDSOFF_DATA");
    // As `corpus` of src/lib.rs.
    let folder =
        std::env::var_os("HANDSOFF_DATA").map_or_else(|| PathBuf::from("../../shared/data"), PathBuf::from);
    let records = folder.join("invictus-ir/records.jsonl");
    if records.is_file() {
        println!("cargo:rustc-cfg=corpus");
        // When it goes away. When it comes, nothing says so: to name a file that isn't there builds anew each time.
        println!("cargo:rerun-if-changed={}", records.display());
    }
}
