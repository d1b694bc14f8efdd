//! Runs one function as Lambda would, and measures it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use handsoff_bench::emulate::{Measured, Plan, Round, measure};
use handsoff_bench::error::Error;

/// Start a Lambda function under an emulated Runtime API, hand it events, and say what it took, as one JSON line.
#[derive(Debug, Parser)]
#[command(name = "handsoff-emulate", version)]
struct Args {
    /// The function's binary
    bootstrap: PathBuf,
    /// A variable of its environment, which is empty but for what Lambda sets
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Hand out the payload in FILE so many times; can be given several times
    #[arg(long, value_name = "NAME:TIMES:FILE", value_parser = send)]
    send: Vec<Send>,
    /// The port on loopback for the AWS calls [default: any]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    aws_port: u16,
    /// How many seconds the function may take to its first poll, and over each payload's turns
    #[arg(long, default_value_t = 60)]
    patience: u64,
}

#[derive(Clone, Debug)]
struct Send {
    name: String,
    times: usize,
    file: PathBuf,
}

/// Why the value of an option can't be read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum OptionError {
    #[error("it has no `=`")]
    Variable,
    #[error("it should be NAME:TIMES:FILE")]
    Send,
    #[error("TIMES is no number")]
    Times,
}

fn variable(text: &str) -> Result<(String, String), OptionError> {
    let (name, value) = text.split_once('=').ok_or(OptionError::Variable)?;
    Ok((name.to_owned(), value.to_owned()))
}

fn send(text: &str) -> Result<Send, OptionError> {
    let mut parts = text.splitn(3, ':');
    let mut part = || parts.next().ok_or(OptionError::Send);
    let (name, times, file) = (part()?.to_owned(), part()?, part()?.into());
    Ok(Send { name, times: times.parse().map_err(|_| OptionError::Times)?, file })
}

fn main() -> ExitCode {
    match run(Args::parse()).and_then(|measured| Ok(serde_json::to_string(&measured)?)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<Measured, Error> {
    let rounds = args.send.iter().map(|Send { name, times, file }| {
        Ok(Round { name: name.clone(), times: *times, payload: read(file)?.into() })
    });
    measure(&Plan {
        rounds: rounds.collect::<Result<_, Error>>()?,
        bootstrap: args.bootstrap,
        environment: args.env,
        aws_port: args.aws_port,
        patience: Duration::from_secs(args.patience),
    })
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    fs::read(file).map_err(|source| Error::Io { doing: "read", path: file.to_owned(), source })
}
