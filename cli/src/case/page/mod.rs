//! A case as one page of HTML: nothing on it runs, nothing on it is fetched ([`crate::html`]).

mod calls;
mod facts;
mod picture;
mod tables;

use std::io::{self, Write};

use handsoff_case::Manifest;
use maud::{Markup, html};

use super::harmless::shown;
use super::load::Case;
use super::words;
use crate::html::{begin, end, tile};
use crate::numbers::count_of;

const STYLE: &str = include_str!("style.css");

/// Writes the page, a part after the other.
///
/// # Errors
/// When it can't be written.
pub(super) fn write(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let Some(manifest) = &case.manifest else { return Ok(()) };
    let mut put = |markup: Markup| out.write_all(markup.0.as_bytes());
    put(begin(&format!("Break-glass case {}", shown(&manifest.case)), None, STYLE))?;
    put(banner(case))?;
    put(head(case, manifest))?;
    put(facts::violations(manifest))?;
    put(facts::session(case, manifest))?;
    put(picture::section(manifest, &case.calls))?;
    put(calls::changes(&case.calls))?;
    put(calls::reads(&case.calls))?;
    put(facts::left(manifest))?;
    put(facts::roles(manifest))?;
    put(tables::services(&case.calls))?;
    put(tables::resources(&case.calls))?;
    put(tables::denials(&case.calls))?;
    put(tables::interactive(&case.calls))?;
    put(tables::origins(&case.calls))?;
    put(facts::completeness(manifest))?;
    put(facts::proof(case, manifest))?;
    calls::write(&case.calls, &mut put)?;
    put(end(&format!("the case file {}", shown(&manifest.case))))
}

fn banner(case: &Case) -> Markup {
    let Some(difference) = &case.difference else { return html! {} };
    html! {
        div.banner role="alert" {
            strong { "Altered: do not rely on this page" }
            p { "The case file is not what was sealed. The first difference: " code { (shown(&difference.to_string())) } }
        }
    }
}

fn head(case: &Case, manifest: &Manifest) -> Markup {
    let (person, _) = words::person(manifest);
    let calls = &manifest.summary.calls;
    let began = words::time(manifest.started);
    let violations = manifest.violations.len();
    let altered = case.difference.is_some();
    html! {
        header {
            p.eyebrow { "Break-glass case file" }
            h1 { (shown(&manifest.case)) }
            p.lead {
                b { (person) } " used " b { (words::identity(&manifest.identity)) } " in account " b { (shown(&manifest.account)) }
                ", from " b { (began) } "."
            }
            p.chips {
                // What speaks for a session proves nothing when its case was altered: only what speaks against it stays.
                @if altered { span.chip.bad { "Altered: this page proves nothing" } } @else { span.chip.good { "Files unaltered" } }
                @if violations > 0 { span.chip.bad { (count_of(violations as u64, "violation")) } }
                @else if !altered { span.chip.good { "No violations" } }
                @if !altered || words::verdict(manifest) != "approved" { (approval_chip(manifest)) }
                @if manifest.overdue.is_some() { span.chip.bad { "Overdue" } }
                @if manifest.drill { span.chip.note { "Drill, according to its ticket" } }
                @if case.reviews.is_empty() { span.chip.warn { "Not reviewed" } } @else { span.chip.good { "Reviewed" } }
            }
        }
        ul.tiles {
            (tile(calls.all, if calls.all == 1 { "call" } else { "calls" }, ""))
            (tile(calls.writes, "writes", "write"))
            (tile(calls.reads, "reads", "read"))
            (tile(calls.denied, "denied", "denial"))
            (tile(calls.failed, "failed otherwise", "failure"))
            (tile(calls.sign_ins, "sign-ins and steps", "sign-in"))
            (tile(calls.interactive, "interactive", "escalation"))
            (tile(calls.chained, "by assumed roles", "escalation"))
        }
    }
}

fn approval_chip(manifest: &Manifest) -> Markup {
    match words::verdict(manifest) {
        "approved" => html! { span.chip.good { "Approved" } },
        "self-approved" => html! { span.chip.bad { "Self-approved" } },
        "missing" => html! { span.chip.bad { "Not approved" } },
        _ => html! { span.chip.note { "No approval required" } },
    }
}
