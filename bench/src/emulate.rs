//! A Lambda environment without Lambda: serves the Runtime API, and the AWS calls that the functions make, to the
//! real binary of a function, and measures it.
//!
//! Both sides of a comparison meet the same emulator, so what it costs by itself is the same for both.

mod aws;
mod http;
mod listen;
mod process;
mod round;
mod runtime_api;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::error::Error;
use aws::Aws;
pub use process::Memory;
use process::Process;
pub use round::Round;
use runtime_api::RuntimeApi;

/// What to start, and what to hand it.
#[derive(Debug)]
pub struct Plan {
    /// The function's binary.
    pub bootstrap: PathBuf,
    /// Its environment. Wins over what the emulator sets.
    pub environment: Vec<(String, String)>,
    /// What it is handed, in this order.
    pub rounds: Vec<Round>,
    /// The port of the AWS calls on loopback; 0 for any that is free.
    pub aws_port: u16,
    /// How long it may take to poll for the first time, and over each round.
    pub patience: Duration,
}

/// What was measured of one process.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// From before the process is made to its first poll for an event.
    pub first_poll_ms: f64,
    /// How much of that it ran on a CPU, which other processes change least.
    pub first_poll_cpu_ms: f64,
    /// Its memory then.
    pub memory: Memory,
    /// What came of each round.
    pub rounds: Vec<Taken>,
}

/// What was measured of one round. A latency is from before an event is written to after its response was read.
#[derive(Debug, Serialize)]
pub struct Taken {
    /// The round's name.
    pub name: String,
    /// The first event's latency.
    pub first_us: f64,
    /// The least of all.
    pub min_us: f64,
    /// The median of all.
    pub median_us: f64,
    /// What one in a hundred takes longer than.
    pub p99_us: f64,
    /// The memory after the round.
    pub memory: Memory,
    /// The last response.
    pub response: String,
    /// The AWS calls for the last event.
    pub calls: BTreeMap<String, usize>,
}

/// Starts a function, hands it all rounds and ends it.
///
/// # Errors
/// When it can't be started, ends by itself, reports an error, or is late.
pub fn measure(plan: &Plan) -> Result<Measured, Error> {
    let aws = Aws::serve(plan.aws_port)?;
    let api = RuntimeApi::serve(aws.clone())?;
    let environment = environment(plan, &aws, &api);
    let mut process = Process::start(&plan.bootstrap, &environment)?;
    let polled = api.wait(plan.patience, &mut process)?;
    let mut measured = Measured {
        first_poll_ms: polled.saturating_duration_since(process.since).as_secs_f64() * 1e3,
        first_poll_cpu_ms: process.cpu()?,
        memory: process.memory()?,
        rounds: Vec::new(),
    };
    for round in &plan.rounds {
        api.hand_out(round);
        api.wait(plan.patience, &mut process)?;
        let (latencies, response) = api.taken();
        measured.rounds.push(Taken {
            name: round.name.clone(),
            first_us: latencies.first(),
            min_us: latencies.least(),
            median_us: latencies.share(50),
            p99_us: latencies.share(99),
            memory: process.memory()?,
            response,
            calls: aws.calls(),
        });
    }
    Ok(measured)
}

/// What Lambda sets, as far as anybody reads it, and where the emulator is.
fn environment(plan: &Plan, aws: &Aws, api: &RuntimeApi) -> Vec<(String, String)> {
    let name =
        plan.bootstrap.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let set = [
        ("AWS_LAMBDA_RUNTIME_API", api.address().to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        ("AWS_SESSION_TOKEN", "example".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{}", aws.address())),
    ];
    let set = set.into_iter().map(|(name, value)| (name.to_owned(), value));
    set.chain(plan.environment.iter().cloned()).collect()
}
