//! The function that `cargo lambda new` writes, answering with what it was handed, on one thread as ours are.

use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // Without it there is no log; what it costs is shown beside.
    if std::env::var_os("HELLO_WITHOUT_LOG").is_none() {
        tracing::init_default_subscriber();
    }
    run(service_fn(async |event: LambdaEvent<Value>| Ok::<_, Error>(event.payload))).await
}
