//! The break-glass function.

use handsoff_aws::{Error, Settings, serve};
use handsoff_break_glass::live::BreakGlassFunction;
use handsoff_functions::engine;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::read()?;
    serve(&settings, &BreakGlassFunction::new(engine(&settings.policy), settings.lease)).await
}
