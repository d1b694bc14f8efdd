//! The rows of all codes: each says all that anybody has to know of it.

use handsoff_cloudtrail::Class;

use super::{AlertRule, Counted, Repeats, Row, Scope};

const DRIFT: Row = Row {
    name: "",
    detector: "drift",
    title: "",
    next: "",
    scope: Scope::Call,
    alerts: AlertRule::ByClass,
    counted: Counted::Changes,
    is_violation: false,
    repeats: Repeats::Never,
    class: None,
    may_be_hidden: Err("an entry hides changes only"),
    opens_session: false,
    is_outside_session: false,
    is_routine: false,
    is_fallback: false,
    says_more: false,
};

const GLASS: Row = Row { detector: "break-glass", ..DRIFT };

const SESSION: Row = Row { scope: Scope::Session, ..GLASS };

const DENY: Row = Row {
    detector: "deny-spike",
    counted: Counted::Denials,
    repeats: Repeats::Always,
    may_be_hidden: Err("find out what is denied, and why"),
    ..DRIFT
};

const DRIFT_WRITE: Row = Row {
    name: "drift-write",
    title: "Production changed by hand",
    next: "Ask the person whether they did this. If not: revoke the session, then undo. If so: bring the change into code, or revert it, through the pipeline.",
    repeats: Repeats::Ordinary,
    may_be_hidden: Ok(()),
    is_fallback: true,
    ..DRIFT
};

const WORKLOAD_WRITE: Row = Row {
    name: "workload-write",
    title: "Change by a workload",
    next: "If the workload is meant to do this, list the action under its [[workload]] entry. If not: find out what runs there and whose code it is.",
    repeats: Repeats::Always,
    may_be_hidden: Ok(()),
    ..DRIFT
};

const CONSOLE_SIGN_IN: Row = Row {
    name: "console-sign-in",
    title: "Console sign-in",
    next: "Nobody needs the production console day to day: ask what for.",
    ..DRIFT
};

const TRAIL_TAMPERED: Row = Row {
    name: "trail-tampered",
    title: "Logging or detection attacked",
    next: "Treat as an intrusion until shown otherwise: revoke the principal's sessions, turn logging back on, and read what was done before and since.",
    alerts: AlertRule::Gravest,
    class: Some(Class::Detection),
    is_violation: true,
    may_be_hidden: Err("nothing hides an attack on logging"),
    ..DRIFT
};

const DEPLOY_ROLE_MISUSED: Row = Row {
    name: "deploy-role-misused",
    title: "Deploy role misused",
    next: "Revoke the deploy role's sessions, check the pipeline's runs at that time, and close the way in that was used in the role's trust policy.",
    alerts: AlertRule::Grave,
    is_violation: true,
    may_be_hidden: Err("nothing hides the misuse of a deploy role"),
    ..DRIFT
};

const GLASS_OPENED: Row = Row {
    name: "glass-opened",
    title: "Break-glass session opened",
    next: "Check that there is an approved ticket for this person and time.",
    opens_session: true,
    counted: Counted::SessionsOpened,
    ..GLASS
};

const GLASS_ACTIVITY: Row = Row {
    name: "glass-activity",
    title: "Break-glass activity",
    next: "Compare with the ticket; part of the session's review.",
    is_routine: true,
    is_fallback: true,
    ..GLASS
};

const GLASS_OVERDUE: Row = Row {
    name: "glass-overdue",
    title: "Break-glass session overdue",
    next: "Ask the person to end the session; revoke the role's sessions if they can't be reached.",
    alerts: AlertRule::Once,
    counted: Counted::SessionsOverdue,
    is_violation: true,
    ..GLASS
};

const GLASS_SIGN_IN_FAILED: Row = Row {
    name: "glass-sign-in-failed",
    title: "Break-glass sign-in failed",
    next: "Ask the person whether it was them. If not: somebody is trying the emergency door.",
    is_outside_session: true,
    is_violation: true,
    ..GLASS
};

const ROOT_ACTIVITY: Row = Row {
    name: "root-activity",
    title: "Root user active",
    next: "Call the holders of the root credentials. If none of them did this: change the password, delete access keys, open a case with AWS.",
    opens_session: true,
    is_routine: true,
    is_violation: true,
    ..GLASS
};

const GLASS_UNAPPROVED: Row = Row {
    name: "glass-unapproved",
    title: "Break-glass session unapproved",
    next: "Ask the approvers. If nobody approved it, treat it as an intrusion: revoke the role's sessions.",
    alerts: AlertRule::Once,
    is_violation: true,
    ..SESSION
};

const GLASS_NOT_ON_ROSTER: Row = Row {
    name: "glass-not-on-roster",
    title: "Break-glass by someone not on the roster",
    next: "Ask the person and whoever keeps the roster; revoke the role's sessions if neither can say why.",
    alerts: AlertRule::Once,
    is_violation: true,
    ..SESSION
};

const GLASS_NO_TICKET: Row = Row {
    name: "glass-no-ticket",
    title: "Break-glass session without a ticket",
    next: "Ask the person for the ticket, and put it on record with the review.",
    alerts: AlertRule::Once,
    is_violation: true,
    ..SESSION
};

const GLASS_NO_MFA: Row = Row {
    name: "glass-no-mfa",
    title: "Break-glass session without MFA",
    next: "Ask whether it was them. If so: have the identity require a second factor; if not: revoke its sessions and keys.",
    alerts: AlertRule::Once,
    is_violation: true,
    ..SESSION
};

const GLASS_SELF_APPROVED: Row = Row {
    name: "glass-self-approved",
    title: "Break-glass session approved by its own user",
    next: "Have somebody else approve or end the session, and find out how the approval was given.",
    alerts: AlertRule::Once,
    is_violation: true,
    ..SESSION
};

const GLASS_ESCALATION: Row = Row {
    name: "glass-escalation",
    title: "Break-glass session escalates",
    next: "Compare with the ticket at once: what was made outlives the session. If it isn't needed, remove it.",
    alerts: AlertRule::Grave,
    ..GLASS
};

const GLASS_CLOSED: Row = Row {
    name: "glass-closed",
    title: "Break-glass session closed",
    next: "Keep this message: its digest proves the case file. Have somebody else than the session's person review it.",
    scope: Scope::SessionEnd,
    ..SESSION
};

const GLASS_DRILL_DUE: Row = Row {
    name: "glass-drill-due",
    title: "Break-glass drill due",
    next: "Run a drill: a door that was never opened may not open at night.",
    scope: Scope::Drill,
    ..SESSION
};

const DENY_SPIKE: Row = Row {
    name: "deny-spike",
    title: "Spike of denied calls",
    next: "See which call is denied and who runs it: a broken deployment, or credentials in the wrong hands.",
    is_fallback: true,
    ..DENY
};

const DENY_PROBING: Row = Row {
    name: "deny-probing",
    title: "Probing for permissions",
    next: "Somebody tries what these credentials can do. Ask their owner; if it wasn't them, revoke the credentials now.",
    says_more: true,
    ..DENY
};

/// By code, in the order of [`super::Code`].
pub(super) static ROWS: [Row; 20] = [
    DRIFT_WRITE,
    WORKLOAD_WRITE,
    CONSOLE_SIGN_IN,
    TRAIL_TAMPERED,
    DEPLOY_ROLE_MISUSED,
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
    DENY_SPIKE,
    DENY_PROBING,
];
