//! The codes of throw-away: each says all that anybody has to know of it.

use handsoff_core::Code;
use handsoff_core::code::IncidentKind;
use handsoff_core::code::{AlertRule, Row};

/// All of them.
pub const ALL: [Code; 1] = [DOMAIN_TRANSFERRED];

/// A domain was offered to another account.
pub const DOMAIN_TRANSFERRED: Code = Code::new(&Row {
    // The first of this detector's hundred.
    place: 400,
    name: "domain-transferred",
    title: "Domain given to another account",
    next: "Cancel the transfer while it isn't accepted, and ask who agreed to it.",
    alerts: AlertRule::Grave,
    is_violation: true,
    may_be_hidden: Err("a domain that is gone takes its mail and its sites along"),
    ..Row::of("throw-away", IncidentKind::Drift)
});
