//! One finding a line, for machines.

use std::io::{self, Write};

use handsoff_cloudtrail::Class;
use handsoff_core::{Reported, Severity};

/// Prints findings and verdicts as JSON, one a line. The fields are described in `docs/output.md`.
///
/// # Errors
/// When they can't be read back, or written.
pub fn jsonl(
    findings: impl Iterator<Item = io::Result<Reported>>,
    min: Severity,
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in severe(findings, min) {
        serde_json::to_writer(&mut *out, &finding?)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Those of a severity or above, and errors.
fn severe(
    findings: impl Iterator<Item = io::Result<Reported>>,
    min: Severity,
) -> impl Iterator<Item = io::Result<Reported>> {
    findings
        .filter(move |finding| finding.as_ref().map_or(true, |finding| finding.as_ref().severity() >= min))
}

/// The columns of the CSV output, in the order of the JSON output.
const COLUMNS: [&str; 22] = [
    "code",
    "severity",
    "incident",
    "event_id",
    "event_time",
    "account",
    "region",
    "action",
    "access",
    "class",
    "error",
    "principal_kind",
    "principal_arn",
    "principal_name",
    "principal_human",
    "via",
    "source_ip",
    "user_agent",
    "mfa",
    "resources",
    "reason",
    "next",
];

/// Prints findings and verdicts as CSV, safe to open in a spreadsheet.
///
/// # Errors
/// When they can't be read back, or written.
pub fn csv(
    findings: impl Iterator<Item = io::Result<Reported>>,
    min: Severity,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);

    writer.write_record(COLUMNS)?;
    for finding in severe(findings, min) {
        let reported = finding?;
        let it = reported.as_ref();
        let (who, call) = (it.principal(), it.call());
        let resources = it.resources().join(" ");
        let mfa = it.mfa().map(|mfa| mfa.to_string()).unwrap_or_default();
        let row = [
            it.code().as_str(),
            it.severity().as_str(),
            it.incident(),
            it.event_id(),
            it.event_time().unwrap_or_default(),
            it.account(),
            it.region(),
            it.action(),
            it.access(),
            call.and_then(|call| call.class).map_or("", Class::as_str),
            call.and_then(|call| call.error.as_deref()).unwrap_or_default(),
            who.kind.as_str(),
            &who.arn,
            &who.name,
            who.human.as_deref().unwrap_or_default(),
            it.via(),
            it.source_ip(),
            it.user_agent(),
            &mfa,
            &resources,
            it.reason(),
            it.next(),
        ];
        writer.write_record(row.map(harmless))?;
    }
    writer.flush()
}

/// A cell that no spreadsheet takes for a formula: OWASP's "CSV Injection" names the first characters.
pub(crate) fn harmless(cell: &str) -> String {
    let starts = cell.trim_start().chars().next();
    if matches!(starts, Some('=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠'))
        || cell.starts_with(['\t', '\r', '\n'])
    {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_starts_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "|cmd", "＝1"] {
            assert!(harmless(formula).starts_with('\''), "{formula}");
        }
        assert_eq!(harmless("arn:aws:iam::1:user/a"), "arn:aws:iam::1:user/a");
        assert_eq!(harmless(""), "");
    }
}
