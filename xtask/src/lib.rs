//! Makes what is committed and has parts: `template.yaml`, and `docs/findings.md`.

pub mod block;
mod configure;
pub mod detectors;
mod difference;
pub mod docs;
mod error;
mod files;
pub mod made;
pub mod samples;
pub mod template;

pub use error::Error;
