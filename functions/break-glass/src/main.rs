//! The break-glass function.

use handsoff_aws::{Error, Settings, detect};
use handsoff_break_glass::live::BreakGlass;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::read()?;
    detect(&settings, &BreakGlass::new(&settings.policy, settings.lease)).await
}
