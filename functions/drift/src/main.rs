//! The drift function.

use handsoff_aws::{Error, Settings, detect, text};
use handsoff_drift::live::{Canary, Drift};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::read()?;
    let canary = Canary {
        role: text("HANDSOFF_CANARY_ROLE").unwrap_or_default(),
        table: text("HANDSOFF_CANARY_TABLE").unwrap_or_default(),
    };
    detect(&settings, &Drift::new(&settings.policy, settings.lease, canary)).await
}
