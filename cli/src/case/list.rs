//! `handsoff case list`: all cases below a folder.

use std::cmp::Reverse;
use std::io::{self, Write};
use std::path::PathBuf;

use comfy_table::CellAlignment;
use handsoff_case::manifest::MANIFEST;
use handsoff_case::verify::{self, Difference, Folder};
use handsoff_case::{Manifest, Review, review};
use handsoff_cloudtrail::Time;
use serde::Serialize;
use walkdir::WalkDir;

use super::disk::{Disk, ReadReviewError};
use super::harmless::{place, shown};
use super::{event, load, words};
use crate::Exit;
use crate::args::{CaseList, ListFormat};
use crate::numbers::{count_of, thousands};
use crate::output::{self, cut, error};

/// How far below the folder a case may be: `111122223333/cases/CASE/sealed-…`, and some to spare.
const DEEPEST: usize = 8;

/// A case, as a line of the list. The fields are described in `docs/cases.md`.
#[derive(Debug, Serialize)]
struct Listed {
    folder: String,
    case: String,
    started: Option<Time>,
    person: Option<String>,
    known_by: Option<handsoff_case::facts::KnownBy>,
    account: String,
    identity: String,
    ticket: Option<String>,
    approval: &'static str,
    calls: u64,
    violations: Vec<&'static str>,
    drill: bool,
    reviewed: bool,
    reviewers: Vec<String>,
    digest: String,
}

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub(super) fn run(args: &CaseList, out: &mut dyn Write) -> io::Result<Exit> {
    let (mut listed, mut problems) = (Vec::new(), Vec::new());
    for folder in folders(args, &mut problems) {
        match read(folder, &mut problems) {
            Ok(case) => listed.push(case),
            Err(why) => problems.push(why.to_string()),
        }
    }
    listed.sort_by(|one, other| {
        let key = |it: &Listed| (Reverse(it.started), it.case.clone(), it.folder.clone());
        key(one).cmp(&key(other))
    });
    match args.format {
        ListFormat::Text => table(&listed, out)?,
        ListFormat::Jsonl => {
            for case in &listed {
                event::json(case, out)?;
                out.write_all(b"\n")?;
            }
        }
    }
    out.flush()?;
    for problem in &problems {
        error(problem);
    }
    Ok(if problems.is_empty() { Exit::Success } else { Exit::Failure })
}

/// All folders that have a manifest.
fn folders(args: &CaseList, problems: &mut Vec<String>) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for entry in WalkDir::new(&args.folder).max_depth(DEEPEST).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_name() == MANIFEST && !entry.file_type().is_dir() => {
                folders.extend(entry.path().parent().map(PathBuf::from));
            }
            Ok(_) => {}
            Err(error) => {
                let path = place(error.path().unwrap_or(&args.folder));
                let why = error.io_error().map_or_else(|| "can't be read".to_owned(), ToString::to_string);
                problems.push(format!("{path}: {}", shown(&why)));
            }
        }
    }
    folders
}

/// Why a folder isn't listed.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error("{place}/{}", shown(&.difference.to_string()))]
    Altered { place: String, difference: Difference },
}

fn read(folder: PathBuf, problems: &mut Vec<String>) -> Result<Listed, ListError> {
    let disk = Disk(folder);
    let path = place(&disk.0);
    let at = |what: String| format!("{path}/{}", shown(&what));
    let (manifest, digest) = verify::manifest(&disk)
        .map_err(|difference| ListError::Altered { place: path.clone(), difference })?;
    let (mut reviews, odd) = load::reviews(&disk, &manifest, &digest);
    problems.extend(odd.into_iter().map(at));
    if disk.names().is_ok_and(|names| names.contains(review::FILE)) {
        match own_review(&disk, &manifest, &digest) {
            Ok(review) => reviews.push(review),
            Err(why) => problems.push(at(format!("{}: {why}", review::FILE))),
        }
    }
    Ok(listed(path, &manifest, digest, &reviews))
}

fn own_review(disk: &Disk, manifest: &Manifest, digest: &str) -> Result<Review, ReadReviewError> {
    let bytes = disk.read(review::FILE)?;
    let review = Review::read(&String::from_utf8_lossy(&bytes))?;
    review.of(manifest, digest)?;
    Ok(review)
}

fn listed(folder: String, manifest: &Manifest, digest: String, reviews: &[Review]) -> Listed {
    Listed {
        folder,
        case: shown(&manifest.case),
        started: manifest.started,
        person: manifest.person.as_ref().map(|person| shown(&person.name)),
        known_by: manifest.person.as_ref().map(|person| person.known_by),
        account: shown(&manifest.account),
        identity: shown(&manifest.identity),
        ticket: manifest.ticket.as_ref().map(|ticket| shown(&ticket.id)),
        approval: words::verdict(manifest),
        calls: manifest.summary.calls.all,
        violations: manifest.violations.iter().map(|violation| violation.code.as_str()).collect(),
        drill: manifest.drill,
        reviewed: !reviews.is_empty(),
        reviewers: reviews.iter().map(|review| shown(&review.reviewer)).collect(),
        digest,
    }
}

const COLUMNS: [&str; 11] = [
    "case",
    "began (UTC)",
    "person",
    "identity",
    "ticket",
    "approval",
    "calls",
    "wrong",
    "drill",
    "reviewed",
    "folder",
];

/// The longest of each column; the rest is cut. A case's name is 30 long; the folder, which is copied from here, stands
/// last and whole.
const LONGEST: [usize; 11] = [30, 16, 22, 18, 14, 13, 9, 5, 5, 8, usize::MAX];

fn table(listed: &[Listed], out: &mut dyn Write) -> io::Result<()> {
    if listed.is_empty() {
        return writeln!(out, "no case");
    }
    let mut table = output::table(COLUMNS.map(str::to_uppercase));
    table.add_rows(listed.iter().map(cells));
    for number in [6, 7] {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "{}", table.trim_fmt())?;
    let open = listed.iter().filter(|case| !case.reviewed).count() as u64;
    writeln!(
        out,
        "{}, {} not reviewed. This list doesn't verify cases: handsoff case verify FOLDER",
        count_of(listed.len() as u64, "case"),
        thousands(open)
    )
}

fn cells(case: &Listed) -> [String; 11] {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let yes = |yes: bool| if yes { "yes" } else { "-" }.to_owned();
    let mut cells = [
        case.case.clone(),
        case.started.map_or_else(|| "-".into(), |time| time.format("%Y-%m-%d %H:%M")),
        text(&case.person),
        words::identity(&case.identity),
        text(&case.ticket),
        case.approval.to_owned(),
        thousands(case.calls),
        if case.violations.is_empty() { "-".into() } else { case.violations.len().to_string() },
        yes(case.drill),
        if case.reviewed { "yes".into() } else { "NO".into() },
        case.folder.clone(),
    ];
    for (cell, longest) in cells.iter_mut().zip(LONGEST) {
        *cell = cut(cell, longest);
    }
    cells
}
