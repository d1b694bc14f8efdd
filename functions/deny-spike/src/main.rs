//! The deny-spike function.

use handsoff_aws::{Error, Settings, detect};
use handsoff_deny_spike::live::DenySpike;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::read()?;
    detect(&settings, &DenySpike::new(&settings.policy, settings.lease)).await
}
