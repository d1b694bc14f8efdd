//! What holds for any input. Each target is a function of bytes that panics where something doesn't hold, and gives how
//! much of the input it understood.
//!
//! They run over samples and changed samples: in `cargo test`, a few; by `cargo run -p handsoff-fuzz`, for as long as is
//! asked for; and by cargo-fuzz, which needs a nightly compiler, from `fuzz/libfuzzer`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_panics_doc,
    reason = "a panic is how a target says what it has found"
)]

mod case;
mod document;
mod live;
pub mod mutate;
mod policy;
mod record;
pub mod seeds;
mod stored;

pub use case::case;
pub use document::document;
pub use live::live;
pub use policy::policy;
pub use record::record;
pub use stored::stored;

use handsoff_core::Policy;

/// A target.
pub type Target = fn(&[u8]) -> usize;

/// All targets, by the names of their folders of samples.
pub const TARGETS: [(&str, Target); 6] = [
    ("record", record),
    ("document", document),
    ("live", live),
    ("policy", policy),
    ("stored", stored),
    ("case", case),
];

/// A policy under which records of the samples take every way.
fn sample_policy() -> Policy {
    Policy::parse("handsoff.toml", include_str!("../../events/handsoff.toml")).unwrap()
}
