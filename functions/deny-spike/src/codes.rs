//! The codes of deny-spike: each says all that anybody has to know of it.

use handsoff_core::Code;
use handsoff_core::code::IncidentKind;
use handsoff_core::code::{Counted, Repeats, Row};

/// All of them.
pub const ALL: [Code; 2] = [DENY_SPIKE, DENY_PROBING];

const DENY: Row = Row {
    counted: Counted::Denials,
    repeats: Repeats::Always,
    may_be_hidden: Err("find out what is denied, and why"),
    ..Row::of("deny-spike", IncidentKind::Denials)
};

/// Many denied calls of one principal.
pub const DENY_SPIKE: Code = Code::new(&Row {
    place: 300,
    name: "deny-spike",
    title: "Spike of denied calls",
    next: "See which call is denied and who runs it: a broken deployment, or credentials in the wrong hands.",
    is_fallback: true,
    ..DENY
});

/// Denied calls of one principal to many different actions.
pub const DENY_PROBING: Code = Code::new(&Row {
    place: 301,
    name: "deny-probing",
    title: "Probing for permissions",
    next: "Somebody is testing what these credentials can do. Ask their owner; if it wasn't them, revoke \
           the credentials now.",
    says_more: true,
    ..DENY
});
