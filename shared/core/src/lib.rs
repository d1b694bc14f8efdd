//! What the detectors share: the policy, one classification of every record, findings, incidents and alerts.
//!
//! Pure: no I/O, no clock. A record goes through [`Call::classify`] once, belongs to the one [`Detector`] that
//! [`Engine::owner`] names, and that turns it into a [`Finding`] or not. What the deployed functions do with findings is
//! `shared/runtime`.

pub mod alert;
mod attack;
mod call;
mod class;
pub mod code;
pub mod copies;
pub mod deploy_sessions;
pub mod deputy;
pub mod detector;
mod disposition;
pub mod earlier;
pub mod engine;
mod fast_path;
pub mod finding;
pub mod group;
pub mod incident;
pub mod instructions;
mod links;
mod milestone;
mod note;
pub mod origins;
pub mod person;
pub mod policy;
mod principal;
mod reported;
pub mod rules;
pub mod session_id;
mod session_verdict;
mod severity;
pub mod show;
pub mod story;
mod thread;
mod ties;
mod trace;

pub use attack::Attack;
pub use call::{Call, Outcome, Target};
pub use code::Code;
pub use detector::{Detector, Detectors, Verdict};
pub use disposition::Disposition;
pub use engine::{Engine, Owner};
pub use fast_path::FastPath;
pub use finding::{Finding, Key};
pub use incident::Incident;
pub use policy::Policy;
pub use principal::{Kind, Principal, is_customers_service};
pub use reported::{Hidden, Reported, ReportedRef};
pub use session_verdict::{Client, SessionVerdict};
pub use severity::Severity;
pub use story::Story;
pub use trace::{Step, Trace};
