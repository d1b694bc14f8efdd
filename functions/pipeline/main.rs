//! The pipeline function.

use handsoff_aws::{Error, Settings, serve};
use handsoff_functions::{DetectorFunction, engine};
use handsoff_pipeline::Pipeline;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::read()?;
    serve(&settings, &DetectorFunction::new(engine(&settings.policy), &Pipeline, settings.lease)).await
}
