//! The codes of drift: each says all that anybody has to know of it.

use handsoff_cloudtrail::Class;
use handsoff_core::Code;
use handsoff_core::code::IncidentKind;
use handsoff_core::code::{AlertRule, Repeats, Row};

/// All of them.
pub const ALL: [Code; 19] = [
    DRIFT_WRITE,
    WORKLOAD_WRITE,
    CONSOLE_SIGN_IN,
    TRAIL_TAMPERED,
    DEPLOY_ROLE_MISUSED,
    DEPLOY_OUT_OF_BOUNDS,
    WORKLOAD_ROLE_ASSUMED,
    FOREIGN_ACCESS,
    PERMISSION_SET_CHANGED,
    SECRET_READ,
    INTERACTIVE_ACCESS,
    IMAGE_NOT_APPROVED,
    LONG_LIVED_KEY,
    DEPLOY_UNPROVEN,
    LOGIN_WITHOUT_MFA,
    WRITE_WITHOUT_MFA,
    MASS_DELETION,
    GUARDRAIL_CHANGED,
    TRUST_CHANGED,
];

const DRIFT: Row = Row::of("drift", IncidentKind::Drift);

/// A change by an identity that isn't a deploy role.
pub const DRIFT_WRITE: Code = Code::new(&Row {
    place: 100,
    name: "drift-write",
    title: "Production changed by hand",
    next: "Ask the person whether they did this. If not: revoke the session, then undo. If so: bring the change into code, or revert it, through the pipeline.",
    repeats: Repeats::Ordinary,
    may_be_hidden: Ok(()),
    is_fallback: true,
    is_by_hand: true,
    ..DRIFT
});

/// A change by a role that code runs as, not covered by its `[[workload]]` entry.
pub const WORKLOAD_WRITE: Code = Code::new(&Row {
    place: 101,
    name: "workload-write",
    title: "Change by a workload",
    next: "If the workload is meant to do this, list the action under its [[workload]] entry. If not: find out what runs there and whose code it is.",
    repeats: Repeats::Always,
    may_be_hidden: Ok(()),
    ..DRIFT
});

/// Somebody signed in to the console, or switched to a role in it.
pub const CONSOLE_SIGN_IN: Code = Code::new(&Row {
    place: 102,
    name: "console-sign-in",
    title: "Console sign-in",
    next: "No daily task needs the production console: ask the person what it was for.",
    ..DRIFT
});

/// A call that turns off or blinds logging, another detector or handsoff itself; failed attempts too.
pub const TRAIL_TAMPERED: Code = Code::new(&Row {
    place: 103,
    name: "trail-tampered",
    title: "Logging or detection attacked",
    next: "Treat as an intrusion until shown otherwise: revoke the principal's sessions, turn logging back on, and read what was done before and since.",
    alerts: AlertRule::Gravest,
    class: Some(Class::Detection),
    is_violation: true,
    may_be_hidden: Err("no entry can hide an attack on logging"),
    is_by_hand: true,
    ..DRIFT
});

/// A deploy role used otherwise than by its pipeline.
pub const DEPLOY_ROLE_MISUSED: Code = Code::new(&Row {
    place: 104,
    name: "deploy-role-misused",
    title: "Deploy role misused",
    next: "Revoke the deploy role's sessions, check the pipeline's runs at that time, and remove the access \
           that was used from the role's trust policy.",
    alerts: AlertRule::Grave,
    is_violation: true,
    may_be_hidden: Err("no entry can hide the misuse of a deploy role"),
    is_by_hand: true,
    ..DRIFT
});

/// A change by the pipeline that its entry doesn't allow.
pub const DEPLOY_OUT_OF_BOUNDS: Code = Code::new(&Row {
    place: 105,
    name: "deploy-out-of-bounds",
    title: "Pipeline out of bounds",
    next: "Look for the reviewed change that did this. If there is one, list it under `may_change` of the \
           pipeline's entry. If there is none, treat it as an intrusion: stop the pipeline and revoke its sessions.",
    alerts: AlertRule::Once,
    is_violation: true,
    may_be_hidden: Err("an exception is for people; list the change under `may_change`"),
    ..DRIFT
});

/// A person who assumed a role that code runs as.
pub const WORKLOAD_ROLE_ASSUMED: Code = Code::new(&Row {
    place: 106,
    name: "workload-role-assumed",
    title: "Workload's role assumed by a person",
    next: "Ask the person what it was for, and read what the session did. People don't belong in the role's trust policy: take \
           them out of it, or the role out of its [[workload]] entry.",
    ..DRIFT
});

/// Another account that assumed a role, or that a resource was shared with.
pub const FOREIGN_ACCESS: Code = Code::new(&Row {
    place: 107,
    name: "foreign-access",
    title: "Access by another account",
    next: "If the account is yours, or a provider's whom you let in, name it under [accounts]. If not: take it out of the \
           role's trust policy, revoke the role's sessions, and read what they did.",
    repeats: Repeats::ByResource,
    ..DRIFT
});

/// A permission set that IAM Identity Center changed in the account.
pub const PERMISSION_SET_CHANGED: Code = Code::new(&Row {
    place: 108,
    name: "permission-set-changed",
    title: "Permission set changed",
    next: "Find the call in the management account's trail, by its time and the permission set's name, and the reviewed \
           change behind it. If there is none, undo it there.",
    ..DRIFT
});

/// A person who read a secret.
pub const SECRET_READ: Code = Code::new(&Row {
    place: 109,
    name: "secret-read",
    title: "Secret read by a person",
    next: "Ask the person what it was for. Unless it was agreed: rotate the secret, and look for its use elsewhere.",
    repeats: Repeats::Ordinary,
    may_be_hidden: Ok(()),
    ..DRIFT
});

/// Somebody got into a machine, container or cluster by hand.
pub const INTERACTIVE_ACCESS: Code = Code::new(&Row {
    place: 110,
    name: "interactive-access",
    title: "Access to a machine by hand",
    next: "Ask the person what it was for, and read the session's own log if there is one: CloudTrail has nothing of what was \
           typed. If it wasn't them: end the session, revoke the credentials, and treat the machine and its role as theirs.",
    repeats: Repeats::Ordinary,
    may_be_hidden: Ok(()),
    is_by_hand: true,
    ..DRIFT
});

/// A machine image that `[images]` doesn't approve, launched by anybody.
pub const IMAGE_NOT_APPROVED: Code = Code::new(&Row {
    place: 111,
    name: "image-not-approved",
    title: "Unapproved image launched",
    next: "Find out whose image it is and who chose it. If it is meant to run, list it under [images]. If not: stop what runs from \
           it, keep a snapshot for the investigation, and treat the role of these machines as theirs.",
    alerts: AlertRule::Once,
    repeats: Repeats::ByResource,
    may_be_hidden: Err("an exception is for people; list the image under [images]"),
    is_by_people: true,
    ..DRIFT
});

/// A credential of an IAM user that doesn't end by itself was made, or used from a new network.
pub const LONG_LIVED_KEY: Code = Code::new(&Row {
    place: 112,
    name: "long-lived-key",
    title: "Credential without an end made, or used from a new network",
    next: "Ask the person who it is for. If nobody needs it, or nobody asked for it: delete it, and read what was done with it. \
           Otherwise use a role instead, whose sessions end.",
    repeats: Repeats::Never,
    may_be_hidden: Ok(()),
    is_by_hand: true,
    ..DRIFT
});

/// A deploy session that changed something, and of which no record shows the beginning.
pub const DEPLOY_UNPROVEN: Code = Code::new(&Row {
    place: 116,
    name: "deploy-unproven",
    title: "Deploy session of unknown beginning",
    next: "Look for the pipeline's run at that time, and for who assumed the role: `AssumeRole` calls in other Regions, and whether \
           the trail or the rules were off. If there is none, treat it as an intrusion: revoke the role's sessions.",
    alerts: AlertRule::Once,
    repeats: Repeats::Always,
    may_be_hidden: Err(
        "an exception is for people; an entry whose sessions begin unseen says `unproven = true`",
    ),
    ..DRIFT
});

/// An IAM user who signed in to the console without MFA.
pub const LOGIN_WITHOUT_MFA: Code = Code::new(&Row {
    place: 113,
    name: "login-without-mfa",
    title: "Console sign-in without MFA",
    next: "Ask the person whether they signed in: a password alone may be anybody's. If it wasn't them: delete the user's password \
           and read what was done since. If it was: have them set up MFA, or sign in through IAM Identity Center.",
    ..DRIFT
});

/// A change by an IAM user in a session that provably began without MFA.
pub const WRITE_WITHOUT_MFA: Code = Code::new(&Row {
    place: 114,
    name: "write-without-mfa",
    title: "Production changed by hand, without MFA",
    next: "Ask the person whether they did this: a password or key alone may be anybody's. If not: revoke the user's sessions and \
           credentials, then undo. If so: bring the change into code through the pipeline, and have the user's rights require MFA.",
    repeats: Repeats::Ordinary,
    may_be_hidden: Ok(()),
    is_by_hand: true,
    ..DRIFT
});

/// Much data that a person deleted.
pub const MASS_DELETION: Code = Code::new(&Row {
    place: 115,
    name: "mass-deletion",
    title: "Much data deleted by hand",
    next: "Ask the person what this was for. If it wasn't them: revoke their sessions and keys now, and restore the data from versions \
           or backups before these end. If it was: let a program do it, with a role of its own.",
    alerts: AlertRule::Once,
    may_be_hidden: Ok(()),
    ..DRIFT
});

/// A change of what keeps others in bounds, by a person or a workload.
pub const GUARDRAIL_CHANGED: Code = Code::new(&Row {
    place: 117,
    name: "guardrail-changed",
    title: "Guardrail changed by hand",
    next: "Ask the person whether they did this, and undo it until that is clear: what it kept others from is possible now. Then read \
           what was done since. If it is meant: bring it into code, through the pipeline.",
    repeats: Repeats::Ordinary,
    may_be_hidden: Ok(()),
    is_by_hand: true,
    ..DRIFT
});

/// A change of who may assume a role, or of a provider of identities, by a person or a workload.
pub const TRUST_CHANGED: Code = Code::new(&Row {
    place: 118,
    name: "trust-changed",
    title: "Trust changed by hand",
    next: "Ask the person whom this lets in, and undo it until that is clear. Then look for sessions that began by it: `AssumeRole` \
           calls of the role, or of the provider's identities. If it is meant: bring it into code, through the pipeline.",
    repeats: Repeats::Ordinary,
    may_be_hidden: Ok(()),
    is_by_hand: true,
    ..DRIFT
});
