//! The `handsoff` command. See [`handsoff::args`] for what it takes.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use handsoff::args::{Args, Command, PolicyCommand};
use handsoff::output::WhileRead;
use handsoff::{Exit, case, check, drift, explain, load, replay, tune};

fn main() -> ExitCode {
    let args = Args::parse();
    // Their codes are read by name, also from files.
    handsoff_functions::detectors();
    let mut out = io::BufWriter::with_capacity(1 << 16, WhileRead::new(io::stdout().lock()));
    let result = match &args.command {
        Command::Replay(args) => replay::run(args, &mut out),
        Command::Explain(args) => explain::run(args, &mut out),
        Command::Tune(args) => tune::run(args, &mut out),
        Command::Case { command } => case::run(command, &mut out),
        Command::Drift { command } => drift::run(command, &mut out),
        Command::Grant(args) => case::grant::run(args, &mut out),
        Command::Policy { command: PolicyCommand::Check(args) } => check::run(args, &mut out),
        Command::Policy { command: PolicyCommand::Parameters(args) } => check::parameters(args, &mut out),
        Command::Policy { command: PolicyCommand::Default } => {
            out.write_all(handsoff_core::policy::DEFAULT.as_bytes()).map(|()| Exit::Success)
        }
        Command::Policy { command: PolicyCommand::Schema } => {
            out.write_all(load::SCHEMA.as_bytes()).map(|()| Exit::Success)
        }
    };
    match result.and_then(|exit| out.flush().map(|()| exit)) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: can't write the output: {error}");
            ExitCode::from(Exit::Failure.code())
        }
    }
}
