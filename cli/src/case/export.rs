//! `handsoff case export`: a case for an auditor, a program or a spreadsheet.

use std::io::{self, Write};
use std::path::Path;

use handsoff_case::{Observation, Review};
use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::disk::Disk;
use super::harmless::{place, shown};
use super::load::{Case, load};
use super::{event, page, words};
use crate::Exit;
use crate::args::{CaseExport, ExportFormat};
use crate::output::{error, harmless};

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub(super) fn run(args: &CaseExport, out: &mut dyn Write) -> io::Result<Exit> {
    let disk = Disk(args.folder.clone());
    if let Err(why) = disk.has_case() {
        error(&why.to_string());
        return Ok(Exit::Failure);
    }
    let case = load(&disk);
    if let Some(difference) = &case.difference {
        let refused = !args.unverified || case.manifest.is_none();
        error(&format!(
            "{}: ALTERED: {}{}",
            place(&args.folder),
            shown(&difference.to_string()),
            match (refused, args.unverified) {
                (false, _) => "\nexported unverified",
                (true, true) => "\nnot exported: there is no manifest",
                (true, false) => "\nnot exported; --unverified exports it anyway",
            },
        ));
        if refused {
            return Ok(Exit::Failure);
        }
    }
    for odd in &case.odd_reviews {
        error(&shown(odd));
    }
    match &args.output {
        None => write(&case, args.format, out)?,
        Some(file) => {
            if let Err(why) = to_file(&case, args.format, file) {
                error(&format!("{}: can't be written: {why}", place(file)));
                return Ok(Exit::Failure);
            }
        }
    }
    Ok(Exit::Success)
}

fn to_file(case: &Case, format: ExportFormat, file: &Path) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, std::fs::File::create(file)?);
    write(case, format, &mut out)?;
    out.flush()
}

fn write(case: &Case, format: ExportFormat, out: &mut dyn Write) -> io::Result<()> {
    match format {
        ExportFormat::Html => page::write(case, out),
        ExportFormat::Json => {
            event::json(&Document(case), out)?;
            out.write_all(b"\n")
        }
        ExportFormat::Csv => csv(&case.calls, out),
    }
}

/// The whole case as one JSON document. `unverified` is there only when it is so, so that nobody overlooks it.
struct Document<'c>(&'c Case);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let Case { manifest, digest, difference, reviews, calls, .. } = self.0;
        let mut map = serializer.serialize_map(None)?;
        if let Some(difference) = difference {
            map.serialize_entry("unverified", &difference.to_string())?;
        }
        map.serialize_entry("manifest", manifest)?;
        map.serialize_entry("digest", digest)?;
        map.serialize_entry::<_, Option<&Review>>("review", &reviews.last())?;
        map.serialize_entry("calls", &Calls(calls))?;
        map.end()
    }
}

struct Calls<'c>(&'c [Observation]);

impl Serialize for Calls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut calls = serializer.serialize_seq(Some(self.0.len()))?;
        for call in self.0 {
            calls.serialize_element(call)?;
        }
        calls.end()
    }
}

const COLUMNS: [&str; 25] = [
    "n",
    "time",
    "action",
    "access",
    "did",
    "ended",
    "error",
    "by",
    "access_key",
    "chained",
    "interactive",
    "via",
    "source_ip",
    "user_agent",
    "account",
    "region",
    "resources",
    "made",
    "code",
    "severity",
    "reason",
    "seen",
    "event_id",
    "key",
    "agent",
];

fn csv(calls: &[Observation], out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS)?;
    for (index, call) in calls.iter().enumerate() {
        let seen: Vec<String> = call.seen.iter().map(name).collect();
        let row = [
            (index + 1).to_string(),
            call.time.map(|time| time.to_string()).unwrap_or_default(),
            shown(&call.action),
            shown(&call.access),
            words::did(call.did).to_owned(),
            name(&call.ended),
            call.error.as_deref().map(shown).unwrap_or_default(),
            shown(&call.by),
            call.access_key.as_deref().map(shown).unwrap_or_default(),
            call.chained.to_string(),
            call.interactive.to_string(),
            shown(&call.via),
            shown(&call.source_ip),
            shown(&call.user_agent),
            shown(&call.account),
            shown(&call.region),
            joined(&call.resources),
            joined(&call.made),
            call.code.as_str().to_owned(),
            call.severity.as_str().to_owned(),
            shown(&call.reason),
            seen.join(" "),
            shown(&call.event_id),
            shown(&call.key),
            call.agent.as_deref().map(shown).unwrap_or_default(),
        ];
        writer.write_record(row.iter().map(|cell| harmless(cell)))?;
    }
    writer.flush()
}

/// The name that an enumeration has in JSON.
fn name(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

fn joined(texts: &[String]) -> String {
    texts.iter().map(|text| shown(text)).collect::<Vec<_>>().join(" ")
}
