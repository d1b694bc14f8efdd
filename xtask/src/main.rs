//! `cargo xtask COMMAND`: makes or compares what is committed and has parts.

use std::path::Path;
use std::process::{Command, ExitCode};

use xtask::{Error, docs, made::Made, samples, template};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  template [--check]  makes template.yaml of shared/template/ and the detectors' parts
  docs [--check]      makes docs/findings.md of docs/findings/
  schema [--check]    makes policy/handsoff.schema.json of the policy's types in shared/core/
  samples             lists the samples of each code, and fails for a code that has none
  check [--long]      runs ./check

With --check nothing is written: it fails with file and line where what is committed differs first.";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["template", rest @ ..] => made(&root, template::make(&root), rest),
        ["docs", rest @ ..] => made(&root, docs::make(&root), rest),
        ["schema", rest @ ..] => schema(&root, rest),
        ["samples"] => samples::list(&root).map(|codes| {
            for (code, samples) in codes {
                println!("{code}: {}", samples.join(" "));
            }
            ExitCode::SUCCESS
        }),
        ["check", rest @ ..] => run(&root.join("check"), rest),
        _ => Ok(usage()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

fn made(root: &Path, made: Result<Made, Error>, args: &[&str]) -> Result<ExitCode, Error> {
    match args {
        [] => made?.write(root)?,
        ["--check"] => made?.check(root)?,
        _ => return Ok(usage()),
    }
    Ok(ExitCode::SUCCESS)
}

/// A test of `handsoff-core` makes the schema, and compares: the types that it is made of have one in tests alone.
fn schema(root: &Path, args: &[&str]) -> Result<ExitCode, Error> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let test = ["test", "--quiet", "--package", "handsoff-core", "--lib", "policy::schema::"];
    cargo.current_dir(root).args(test);
    match args {
        [] => cargo.env("HANDSOFF_SCHEMA", "write"),
        ["--check"] => cargo.env_remove("HANDSOFF_SCHEMA"),
        _ => return Ok(usage()),
    };
    ended(&mut cargo, Path::new("cargo"))
}

fn run(program: &Path, args: &[&str]) -> Result<ExitCode, Error> {
    ended(Command::new(program).args(args), program)
}

fn ended(command: &mut Command, program: &Path) -> Result<ExitCode, Error> {
    let status = command.status().map_err(|why| Error::File { path: program.to_owned(), why })?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
