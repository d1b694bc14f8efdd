//! Calls that failed for another reason than a missing permission, and told the caller something all the same: that it may
//! do what it asked, or what there is in the account.
//!
//! Each by itself is ordinary. They count beside denied calls where it is about breadth, different actions or targets, and
//! not where it is about how many: controllers make the same dry run all day. A deploy role's never count, for
//! infrastructure as code meets names that are taken.

use handsoff_core::{Call, Kind, Outcome, group};

use crate::{launches, seen};

/// What a failed call told its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RevealingFailure {
    /// "Checks whether you have the required permissions for the action": this caller has them (EC2 API reference, common
    /// request parameters).
    DryRun,
    /// There is no role or user of that name (IAM API reference, `NoSuchEntity`).
    NoSuchName,
    /// There is a role, user or password of that name (IAM API reference, `EntityAlreadyExists`).
    NameTaken,
    /// A principal that a policy names isn't there, of whatever account ("Troubleshoot IAM policies", IAM user guide).
    NoSuchPrincipal,
    /// How many accelerators of a size may be launched in a Region ("Error codes for the Amazon EC2 API").
    Quota,
    /// The Region is off ("Error codes for the Amazon EC2 API", `OptInRequired`; STS API reference, `RegionDisabledException`).
    RegionOff,
    /// A launch that was refused, and tells less: it counts with other launches alone.
    LaunchRefused,
}

impl RevealingFailure {
    /// What a call told; `None` for all that is ordinary, and for whose calls don't count.
    pub(crate) fn of(call: &Call<'_>) -> Option<Self> {
        if !matches!(call.principal.kind, Kind::Human | Kind::Unknown | Kind::Workload) || call.is_tool_call()
        {
            return None;
        }
        let what = match &call.outcome {
            Outcome::DryRun => Self::DryRun,
            Outcome::Failed(code) => Self::of_failed(call, code)?,
            _ => return None,
        };
        // What a console's page asks for by itself, nobody guesses.
        (!seen::is_browsing(call)).then_some(what)
    }

    fn of_failed(call: &Call<'_>, code: &str) -> Option<Self> {
        let (service, name) = (&*call.action.service, &*call.action.name);
        // EC2 puts it before its codes.
        let code = code.strip_prefix("Client.").unwrap_or(code);
        match (service, name) {
            _ if code.starts_with("MalformedPolicy") => {
                let message = call.record.error_message.text()?;
                message.to_ascii_lowercase().contains("invalid principal").then_some(Self::NoSuchPrincipal)
            }
            _ if ["OptInRequired", "RegionDisabledException"].contains(&code) => Some(Self::RegionOff),
            ("iam", "GetRole" | "GetUser" | "UpdateAssumeRolePolicy") => {
                code.starts_with("NoSuchEntity").then_some(Self::NoSuchName)
            }
            ("iam", "CreateRole" | "CreateUser" | "CreateLoginProfile") => {
                code.starts_with("EntityAlreadyExists").then_some(Self::NameTaken)
            }
            _ => {
                let refusal = launches::refusal(&call.action, code)?;
                let asked = launches::of(call)?;
                let is_quota = refusal.ends_with("Exceeded");
                let of_accelerators = is_quota && launches::has_accelerators(&asked);
                Some(if of_accelerators { Self::Quota } else { Self::LaunchRefused })
            }
        }
    }

    /// In words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::DryRun => "A dry run: it shows that the caller may do it",
            Self::NoSuchName => "Nothing has that name: it shows which roles and users there are",
            Self::NameTaken => "The name is taken: it shows which roles and users there are",
            Self::NoSuchPrincipal => {
                "A policy names a principal that isn't there: it shows which ones there are"
            }
            Self::Quota => {
                "Over the quota of this size: it shows how many accelerators can be launched, and where"
            }
            Self::RegionOff => "The Region is off: it shows which ones are on",
            Self::LaunchRefused => "The launch was refused: over a quota, or the account may not launch",
        }
    }

    /// What tells one attempt of it from others of the same action.
    pub(crate) fn target(self, call: &Call<'_>) -> Option<String> {
        let record = &call.record;
        let region = || record.aws_region.text().map(std::borrow::Cow::into_owned);
        let found = match self {
            Self::RegionOff => region(),
            Self::Quota => Some(launches::asked(record)),
            Self::LaunchRefused => return None,
            // The whole document, which the caller may fill with anything.
            Self::NoSuchPrincipal => ["policyDocument", "bucketPolicy", "policy"]
                .into_iter()
                .filter_map(|key| record.request_parameters.get(key))
                .find(|document| !document.is_absent())
                .map(|document| group::digest(&[document.as_str()])),
            Self::DryRun | Self::NoSuchName | Self::NameTaken => seen::target(call),
        };
        // AWS's sentence names it, where the request isn't shown.
        let named = || record.error_message.text().map(std::borrow::Cow::into_owned);
        found.or_else(|| named().filter(|_| self != Self::DryRun))
    }
}
