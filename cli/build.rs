//! Says at compile time whether the evasions of the red team are here, so that without them their test is `ignored`, and not
//! `ok`: `#[cfg_attr(not(evasions), ignore = "needs the evasions of the red team")]`.

use std::path::PathBuf;

fn main() {
    println!("cargo:rustc-check-cfg=cfg(evasions)");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=HANDSOFF_EVASIONS");
    let folder = std::env::var_os("HANDSOFF_EVASIONS")
        .map_or_else(|| PathBuf::from("../../shared/evasions"), PathBuf::from);
    let index = folder.join("index.jsonl");
    if index.is_file() {
        println!("cargo:rustc-cfg=evasions");
        // When it goes away. When it comes, nothing says so: to name a file that isn't there builds anew each time.
        println!("cargo:rerun-if-changed={}", index.display());
    }
}
