//! What the EventBridge rules of `template.yaml` have to let through for a policy: the lists of names in the rules'
//! patterns, what of a policy these leave out, and whether EventBridge takes the patterns.

pub mod complexity;
mod lists;
mod names;
mod patterns;

pub use lists::{Lists, Names};
pub use names::{names, uncovered};
pub use patterns::{LONGEST, Rule, Whose, refused};

/// Error codes that the deny-spike rule keeps out: that something isn't there or is asked for too often doesn't
/// say that somebody lacks a permission. `*` stands for any characters; one at both ends costs complexity.
pub const NO_DENIALS: [&str; 9] = [
    "*NotFound*",
    "*Throttl*",
    "*LimitExceeded*",
    "*AlreadyExists*",
    "*Validation*",
    "NoSuch*",
    "Malformed*",
    "InvalidParameter*",
    "Client.InvalidParameter*",
];
