//! The sections that the manifest says: who, why, what is wrong, what remains, and what proves it.

use handsoff_case::Manifest;
use handsoff_case::session::Approval;
use handsoff_case::summary::Only;
use maud::{Markup, html};

use super::super::harmless::{shown, shown_lines};
use super::super::load::Case;
use super::super::words;
use crate::html::{beyond, nothing, section, wide};
use crate::numbers::{count_of, thousands};

/// Who, why and when.
pub(super) fn session(case: &Case, manifest: &Manifest) -> Markup {
    html! {
        div.columns {
            (section("Who", "", &who(manifest)))
            (section("Why, and by whose approval", "", &why(manifest)))
            (section("When", "", &when(manifest)))
            (section("Review", "", &review(case)))
        }
    }
}

fn who(manifest: &Manifest) -> Markup {
    let (person, known_by) = words::person(manifest);
    html! {
        dl {
            dt { "Person" } dd { b { (person) } @if let Some(by) = known_by { br; span.soft { (by.meaning()) } } }
            dt { "Identity" } dd { code { (shown(&manifest.identity)) } }
            dt { "Account" } dd { (shown(&manifest.account)) }
            @if let Some(name) = &manifest.session_name { dt { "Session name" } dd { code { (shown(name)) } } }
            @if let Some(source) = &manifest.source_identity { dt { "Source identity" } dd { code { (shown(source)) } } }
            @for by in &manifest.taken_by { dt { "Assumed by" } dd { code { (shown(by)) } } }
            dt { "MFA" } dd { (manifest.mfa.meaning()) }
            @if let Some(line) = &manifest.line { dt { "Policy" } dd { (shown(line)) } }
        }
    }
}

fn why(manifest: &Manifest) -> Markup {
    let bad = matches!(words::verdict(manifest), "missing" | "self-approved");
    html! {
        dl {
            dt { "Ticket" } dd { (words::ticket(manifest.ticket.as_ref())) }
            @if manifest.drill { dt { "Drill" } dd { "its ticket says so; the person who opens a session can choose that" } }
            dt { "Approval" } dd.bad[bad] { (words::approval(manifest)) }
            @if let Some(grant) = words::grant(manifest) {
                dt { @if matches!(manifest.approval, Approval::Missing { .. }) { "Nearest grant" } @else { "Grant" } }
                dd { (shown(&grant.ticket)) }
                dt { "Requested by" } dd { (shown(&grant.requester)) }
                @if matches!(manifest.approval, Approval::Missing { .. }) { dt { "Approved by" } dd { (shown(&grant.approver)) } }
                dt { "For" } dd { code { (shown(&grant.role)) } " in " (shown(&grant.account)) }
                dt { "Valid" } dd { (words::span(Some(grant.from), Some(grant.until))) }
                dt { "Given" } dd { (words::time(Some(grant.issued))) ", sent from account " (shown(&grant.sent_from)) }
            }
        }
    }
}

fn when(manifest: &Manifest) -> Markup {
    html! {
        dl {
            dt { "Began" } dd { (words::time(manifest.started)) }
            dt { "Window ended" } dd {
                @if manifest.window_end.is_some() { (words::time(manifest.window_end)) } @else { "no window is known" }
            }
            dt { "Ended" } dd {
                (words::end(manifest))
            }
            @if let Some(over) = manifest.overdue {
                dt { "Overdue" } dd.bad { "calls continued for " (words::overdue(over)) " after the window" }
            }
            dt { "First call" } dd { (words::time(manifest.summary.first)) }
            dt { "Last call" } dd { (words::time(manifest.summary.last)) }
        }
    }
}

fn review(case: &Case) -> Markup {
    html! {
        @if case.reviews.is_empty() { (nothing("Nobody has reviewed this case yet.")) }
        @for review in &case.reviews {
            dl {
                dt { "Reviewed by" } dd { b { (shown(&review.reviewer)) } br; span.soft { (words::time(Some(review.time))) } }
                dt { "Found" } dd { @for line in shown_lines(&review.note) { p { (line) } } }
            }
        }
    }
}

/// What is wrong with the session as a whole.
pub(super) fn violations(manifest: &Manifest) -> Markup {
    let body = html! {
        @if manifest.violations.is_empty() { (nothing("None of the session as a whole. What single calls did is listed below.")) }
        @else {
            ul.violations {
                @for violation in &manifest.violations {
                    li {
                        span.chip.bad { (violation.severity.as_str()) } " "
                        b { (violation.code.title()) } " " code.soft { (violation.code.as_str()) }
                        p { (shown(&violation.reason)) }
                        p.soft { (violation.code.next_step()) }
                    }
                }
            }
        }
    };
    section("Violations", "", &body)
}

/// What it made and didn't remove again.
pub(super) fn left(manifest: &Manifest) -> Markup {
    let summary = &manifest.summary;
    let body = html! {
        @if summary.left.is_empty() { (nothing("Nothing.")) }
        @else {
            (wide(&html! {
                table.left {
                    thead { tr { th.time { "Time" } th.action { "By" } th { "What" } } }
                    tbody {
                        @for made in &summary.left {
                            tr {
                                td.time { (words::time(made.time)) }
                                td.action { code { (shown(&made.action)) } }
                                td { (names(&made.what)) }
                            }
                        }
                    }
                }
            }))
            (beyond(usize::try_from(summary.more_left).unwrap_or(usize::MAX), "of them: see all calls"))
        }
    };
    section("Created and not removed", "Derived from the names of actions; check the account itself.", &body)
}

/// Names, one a line.
pub(super) fn names(names: &[String]) -> Markup {
    html! {
        @if names.is_empty() { span.soft { "not in the records" } }
        @for name in names { code.name { (shown(name)) } }
    }
}

/// The roles that it took on.
pub(super) fn roles(manifest: &Manifest) -> Markup {
    let body = html! {
        @if manifest.roles_taken.is_empty() { (nothing("None.")) }
        @else {
            (wide(&html! {
                table.roles {
                    thead { tr { th.time { "Time" } th { "Role" } th.key { "Access key" } } }
                    tbody {
                        @for taken in &manifest.roles_taken {
                            tr {
                                td.time { (words::time(taken.at)) }
                                td { code { (shown(&taken.role)) } }
                                td.key { code { (shown(&taken.access_key)) } }
                            }
                        }
                    }
                }
            }))
        }
    };
    section("Roles and sessions assumed", "", &body)
}

/// Whether all that was done is here, as far as that can be known.
pub(super) fn completeness(manifest: &Manifest) -> Markup {
    let sources = &manifest.summary.sources;
    let body = html! {
        dl.wide {
            dt { "Learned from" }
            dd {
                @if sources.told.is_empty() { "nothing: there are no calls" }
                @for (seen, number) in &sources.told { p { (count_of(*number, "call")) " from " (words::source(*seen)) } }
            }
            dt { "LookupEvents" }
            dd { @match &manifest.lookup {
                None => "was not queried: this case comes from saved logs",
                Some(lookup) => {
                    p.bad[!lookup.complete] { @if lookup.complete { "answered all queries" } @else { "did NOT answer all queries" }
                        @if let Some(problem) = &lookup.problem { ": " (shown(problem)) } }
                    p.soft {
                        "queried: " @for (index, asked) in lookup.asked.iter().enumerate() { @if index > 0 { ", " } code { (shown(asked)) } }
                        " in " (lookup.regions.iter().map(|region| shown(region)).collect::<Vec<_>>().join(", "))
                    }
                }
            } }
            @if manifest.lookup.is_some() {
                dt { "Only in EventBridge" } dd { (only(&sources.only_eventbridge)) }
                dt { "Only in LookupEvents" } dd { (only(&sources.only_lookup)) }
            }
            @if sources.feed_ended.is_some() {
                dt { "Last from EventBridge" }
                dd { (words::time(sources.feed_ended))
                    @if sources.after_feed > 0 { p.bad { (count_of(sources.after_feed, "call")) " of the session came after that, found only by LookupEvents" } } }
            }
        }
    };
    let note = "CloudTrail doesn't record everything: what was typed on machines, and data events that no trail records, are not here.";
    section("Completeness", note, &body)
}

fn only(only: &Only) -> Markup {
    html! {
        @if only.count == 0 { "none" }
        @else {
            (count_of(only.count, "call")) ": "
            @for (index, event) in only.events.iter().take(20).enumerate() { @if index > 0 { ", " } code { (shown(event)) } }
            @if only.count > 20 { ", and " (thousands(only.count - 20)) " more" }
        }
    }
}

/// What proves the case, and how.
pub(super) fn proof(case: &Case, manifest: &Manifest) -> Markup {
    let body = html! {
        p { "SHA-256 of " code { "manifest.json" } ":" }
        p.digest { (shown(&case.digest)) }
        p {
            @if case.difference.is_none() {
                "When this page was made, the files of the case matched each other and this digest. That it is the case that was sealed "
                "is proven by the closing alert, which carried the digest out of the account when the session was over: compare the two."
            } @else {
                "The files of the case did not match each other when this page was made."
            }
        }
        p { "To verify a copy of the case, offline:" }
        pre { "handsoff case verify FOLDER --digest " (shown(&case.digest)) }
        (wide(&html! {
            table.files {
                thead { tr { th { "File" } th.number { "Lines" } th.hash { "SHA-256" } } }
                tbody {
                    @for segment in &manifest.segments {
                        tr {
                            td { code { (shown(&segment.file)) } }
                            td.number { (thousands(segment.lines)) }
                            td.hash { code { (shown(&segment.sha256)) } }
                        }
                    }
                }
            }
        }))
        p.soft { "Chain value of the last line: " code { (shown(&manifest.head)) } }
    };
    section("Proof", "", &body)
}
