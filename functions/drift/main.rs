//! The drift function.

use handsoff_aws::{Error, Settings, serve, text};
use handsoff_drift::live::{Canary, DriftFunction};
use handsoff_functions::engine;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::read()?;
    let canary = Canary {
        role: text("HANDSOFF_CANARY_ROLE").unwrap_or_default(),
        table: text("HANDSOFF_CANARY_TABLE").unwrap_or_default(),
    };
    serve(&settings, &DriftFunction::new(engine(&settings.policy), settings.lease, canary)).await
}
