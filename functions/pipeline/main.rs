//! The pipeline function.

use handsoff_aws::{Error, Settings, serve};
use handsoff_functions::engine;
use handsoff_pipeline::live::PipelineFunction;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::read()?;
    serve(&settings, &PipelineFunction::new(engine(&settings.policy), settings.lease)).await
}
