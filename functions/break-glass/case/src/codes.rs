//! The codes of break-glass, on calls and on sessions: each says all that anybody has to know of it.

use handsoff_core::Code;
use handsoff_core::code::IncidentKind;
use handsoff_core::code::{AlertRule, Counted, Row, Scope};

/// All of them.
pub const ALL: [Code; 13] = [
    GLASS_OPENED,
    GLASS_ACTIVITY,
    GLASS_OVERDUE,
    GLASS_SIGN_IN_FAILED,
    ROOT_ACTIVITY,
    GLASS_UNAPPROVED,
    GLASS_NOT_ON_ROSTER,
    GLASS_NO_TICKET,
    GLASS_NO_MFA,
    GLASS_SELF_APPROVED,
    GLASS_ESCALATION,
    GLASS_CLOSED,
    GLASS_DRILL_DUE,
];

const GLASS: Row = Row { is_by_hand: true, is_urgent: true, ..Row::of("break-glass", IncidentKind::Glass) };

const SESSION: Row = Row { scope: Scope::Session, ..GLASS };

/// An emergency identity was assumed, or signed in.
pub const GLASS_OPENED: Code = Code::new(&Row {
    place: 200,
    name: "glass-opened",
    title: "Break-glass session opened",
    next: "Check that there is an approved ticket for this person and time.",
    opens_session: true,
    counted: Counted::SessionsOpened,
    ..GLASS
});

/// A call by an emergency identity.
pub const GLASS_ACTIVITY: Code = Code::new(&Row {
    place: 201,
    name: "glass-activity",
    title: "Break-glass activity",
    next: "Compare with the ticket; part of the session's review.",
    is_routine: true,
    is_fallback: true,
    ..GLASS
});

/// A call by an emergency identity after its allowed time.
pub const GLASS_OVERDUE: Code = Code::new(&Row {
    place: 202,
    name: "glass-overdue",
    title: "Break-glass session overdue",
    next: "Ask the person to end the session; revoke the role's sessions if they can't be reached.",
    alerts: AlertRule::Once,
    counted: Counted::SessionsOverdue,
    is_violation: true,
    ..GLASS
});

/// Somebody tried to assume an emergency identity, or to sign in as one, and failed.
pub const GLASS_SIGN_IN_FAILED: Code = Code::new(&Row {
    place: 203,
    name: "glass-sign-in-failed",
    title: "Break-glass sign-in failed",
    next: "Ask the person whether it was them. If not: somebody is trying to get emergency access.",
    is_outside_session: true,
    is_violation: true,
    ..GLASS
});

/// A call by the root user, sign-ins included.
pub const ROOT_ACTIVITY: Code = Code::new(&Row {
    place: 204,
    name: "root-activity",
    title: "Root user active",
    next: "Call the holders of the root credentials. If none of them did this: change the password, delete access keys, open a case with AWS.",
    opens_session: true,
    is_routine: true,
    is_violation: true,
    ..GLASS
});

/// A break-glass session without an approval that covers it.
pub const GLASS_UNAPPROVED: Code = Code::new(&Row {
    place: 205,
    name: "glass-unapproved",
    title: "Break-glass session unapproved",
    next: "Ask the approvers. If nobody approved it, treat it as an intrusion: revoke the role's sessions.",
    alerts: AlertRule::Once,
    is_violation: true,
    ..SESSION
});

/// A break-glass session of a person who isn't on the roster.
pub const GLASS_NOT_ON_ROSTER: Code = Code::new(&Row {
    place: 206,
    name: "glass-not-on-roster",
    title: "Break-glass by someone not on the roster",
    next: "Ask the person and the owner of the roster; revoke the role's sessions if neither can explain it.",
    alerts: AlertRule::Once,
    is_violation: true,
    ..SESSION
});

/// A break-glass session that names no ticket.
pub const GLASS_NO_TICKET: Code = Code::new(&Row {
    place: 207,
    name: "glass-no-ticket",
    title: "Break-glass session without a ticket",
    next: "Ask the person for the ticket, and put it on record with the review.",
    alerts: AlertRule::Once,
    is_violation: true,
    ..SESSION
});

/// A break-glass session that was begun without a second factor.
pub const GLASS_NO_MFA: Code = Code::new(&Row {
    place: 208,
    name: "glass-no-mfa",
    title: "Break-glass session without MFA",
    next: "Ask whether it was them. If so: make the identity require MFA; if not: revoke its sessions and \
           keys.",
    alerts: AlertRule::Once,
    is_violation: true,
    ..SESSION
});

/// A break-glass session whose approver is who asked for it, or who used it.
pub const GLASS_SELF_APPROVED: Code = Code::new(&Row {
    place: 209,
    name: "glass-self-approved",
    title: "Break-glass session approved by its own user",
    next: "Have another person approve the session, or end it, and find out how the approval was given.",
    alerts: AlertRule::Once,
    is_violation: true,
    ..SESSION
});

/// An emergency identity changed permissions, or made a role, user or key.
pub const GLASS_ESCALATION: Code = Code::new(&Row {
    place: 210,
    name: "glass-escalation",
    title: "Break-glass session escalates",
    next: "Compare with the ticket at once: what was created outlives the session. If it isn't needed, \
           remove it.",
    alerts: AlertRule::Grave,
    ..GLASS
});

/// A break-glass session is over, and its case file is sealed.
pub const GLASS_CLOSED: Code = Code::new(&Row {
    place: 211,
    name: "glass-closed",
    title: "Break-glass session closed",
    next: "Keep this message: its digest proves the case file. Have another person than the session's user \
           review it.",
    scope: Scope::SessionEnd,
    ..SESSION
});

/// An emergency identity that nobody has exercised for too long.
pub const GLASS_DRILL_DUE: Code = Code::new(&Row {
    place: 212,
    name: "glass-drill-due",
    title: "Break-glass drill due",
    next: "Run a drill: emergency access that is never tested may not work when it is needed.",
    scope: Scope::Drill,
    ..SESSION
});
