//! What the pages have in common: their head, their sections, their time axis.
//!
//! Nothing on a page runs, nothing on it is fetched. Much of what stands on one was chosen by those whom it is about. Maud
//! escapes every value; besides, no value of a record is ever in a style, a link, the name of a class or an attribute:
//! only texts do, and numbers made here.

mod scale;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::numbers::thousands;

pub(crate) use scale::Scale;

const STYLE: &str = include_str!("style.css");

/// What a page may do: be styled by itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A page up to the beginning of its body, which it is written into part by part, so that a long one isn't held as one
/// text. `style` is what it has beyond the common one, `generator` what made it.
pub(crate) fn begin(title: &str, generator: Option<&'static str>, style: &'static str) -> Markup {
    html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            @if let Some(generator) = generator { meta name="generator" content=(generator); }
            meta http-equiv="Content-Security-Policy" content=(POLICY);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            meta name="color-scheme" content="light dark";
            title { (title) }
            style { (PreEscaped(STYLE)) (PreEscaped(style)) }
        }
        (PreEscaped("<body>"))
    }
}

/// The end of a page: where it comes from.
pub(crate) fn end(from: &str) -> Markup {
    html! {
        footer { "Made by handsoff " (env!("CARGO_PKG_VERSION")) " from " (from) ". All times are UTC." }
        (PreEscaped("</body></html>\n"))
    }
}

/// A number. `kind` is one of the page's own classes.
pub(crate) fn tile(number: u64, what: &str, kind: &'static str) -> Markup {
    let zero = if number == 0 { "none" } else { "some" };
    html! { li.tile.(kind).(zero) { b { (thousands(number)) } span { (what) } } }
}

/// A section with its heading. Sections without anything in them say so, so that nobody has to wonder.
pub(crate) fn section(title: &str, note: &str, body: &Markup) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if !note.is_empty() { p.note { (note) } }
            (body)
        }
    }
}

/// What may be wider than the screen: it scrolls by itself, and says so where it has to.
pub(crate) fn wide(body: &Markup) -> Markup {
    html! {
        p.hint aria-hidden="true" { "Wider than the screen: scroll it sideways" }
        div.scroll { (body) }
    }
}

/// That there is nothing.
pub(crate) fn nothing(text: &str) -> Markup {
    html! { p.nothing { (text) } }
}

/// That there is more than what is listed.
pub(crate) fn beyond(number: usize, what: &str) -> Markup {
    html! { @if number > 0 { p.note { "And " (thousands(number as u64)) " more " (what) "." } } }
}
