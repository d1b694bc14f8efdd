//! The deny-spike function.

use handsoff_aws::{Error, Settings, serve};
use handsoff_deny_spike::live::DenySpikeFunction;
use handsoff_functions::engine;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::read()?;
    serve(&settings, &DenySpikeFunction::new(engine(&settings.policy), settings.lease)).await
}
