//! The live world: the ports' AWS adapters, and what a function's payload is cut into.
//!
//! Clients are built by the first call that needs them. Nearly all records lead to nothing, and their verdict
//! waits for no client: reading the system's certificates alone takes longer than a thousand verdicts.

mod archive;
mod dynamodb;
mod intake;
mod lookup;
mod serve;
mod settings;
mod world;

pub use lambda_runtime::Error;
pub use serve::{serve, sweep};
pub use settings::{Settings, SettingsError, number, text};
pub use world::Aws;
