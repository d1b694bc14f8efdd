//! The codes of deny-spike: each says all that anybody has to know of it.

use handsoff_core::Code;
use handsoff_core::code::IncidentKind;
use handsoff_core::code::{Counted, Repeats, Row};

/// All of them.
pub const ALL: [Code; 9] = [
    DENY_SPIKE,
    DENY_PROBING,
    DENIED_ATTACK,
    DENY_HUNTING,
    DENY_WALL,
    LOGIN_FAILURES,
    DEPLOY_DENIED,
    AUTH_FAILURE_SPIKE,
    LAUNCH_REFUSED,
];

/// Those that one call is by itself.
pub(crate) const ALONE: [Code; 2] = [DENIED_ATTACK, DEPLOY_DENIED];

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

/// One denied or failed call that says enough by itself.
pub const DENIED_ATTACK: Code = Code::new(&Row {
    place: 302,
    name: "denied-attack",
    title: "Denied attempt to gain access or permissions",
    next: "Ask the caller what they tried, and why. If it wasn't them, revoke the credentials now, and look at what else was \
           done with them and from the same address.",
    says_more: true,
    ..DENY
});

/// One action of one principal that was denied on many targets.
pub const DENY_HUNTING: Code = Code::new(&Row {
    place: 303,
    name: "deny-hunting",
    title: "One action tried on many targets",
    next: "Look at which targets weren't denied: somebody is trying one after the other. Ask the owner of the credentials; if it \
           wasn't them, revoke them now, and change what they opened.",
    says_more: true,
    ..DENY
});

/// A guardrail that denies several principals.
pub const DENY_WALL: Code = Code::new(&Row {
    place: 304,
    name: "deny-wall",
    title: "A guardrail denies many calls",
    next: "Look at when the policy was changed last, and by whom. If it denies what it was not meant to, correct it; otherwise ask \
           the principals what they are trying.",
    ..DENY
});

/// Sign-ins to the console that failed.
pub const LOGIN_FAILURES: Code = Code::new(&Row {
    place: 305,
    name: "login-failures",
    title: "Many failed sign-ins",
    next: "Look for a sign-in from the same address that succeeded: if there is one, disable that user's password and keys now. \
           Otherwise make sure that each of these users has MFA.",
    ..DENY
});

/// The pipeline lacks a permission.
pub const DEPLOY_DENIED: Code = Code::new(&Row {
    place: 306,
    name: "deploy-denied",
    title: "The pipeline lacks a permission",
    next: "If a reviewed change needs the action, add the statement to the deploy role's policy. If none does, find out what ran.",
    ..DENY
});

/// Calls whose authentication failed.
pub const AUTH_FAILURE_SPIKE: Code = Code::new(&Row {
    place: 307,
    name: "auth-failure-spike",
    title: "Many calls failed to authenticate",
    next: "See which program calls with credentials that have expired or are wrong, and from where: a job that wasn't restarted, or \
           somebody who tries keys.",
    ..DENY
});

/// Launches of machines that were refused in several sizes or Regions.
pub const LAUNCH_REFUSED: Code = Code::new(&Row {
    place: 308,
    name: "launch-refused",
    title: "Launches refused in several sizes or Regions",
    next: "Look for launches that succeeded, in all Regions, and stop what nobody knows. Ask the owner of the credentials; if it wasn't \
           them, revoke the credentials now: somebody is looking for machines to compute on at your expense.",
    says_more: true,
    ..DENY
});
