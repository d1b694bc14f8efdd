//! The review of a case: who looked at it, and what they found.

use handsoff_cloudtrail::Time;
use handsoff_core::show::{clean, unquoted};
use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;
use crate::session::Approval;
use handsoff_core::person::{ROOT, is_root, may_be};

/// The `detail-type` of the event that carries a review.
pub const REVIEW: &str = "Break-Glass Review";

/// The review's name in a case's folder.
pub const FILE: &str = "review.json";

/// A review: the `detail` of its event, and what stands in `review.json`. Unknown keys are mistakes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The case.
    pub case: String,
    /// The digest of the manifest that was looked at.
    pub digest: String,
    /// Who looked at it.
    pub reviewer: String,
    /// What they found.
    pub note: String,
    /// When.
    pub time: Time,
}

impl Review {
    /// Reads the `detail` of an event, or a `review.json`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let review: Self =
            serde_json::from_str(text).map_err(|error| format!("no review: {}", unquoted(&error)))?;
        review.check().map(|()| review)
    }

    fn check(&self) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("no review: {what}"));
        if !self.case.starts_with("glass-") || self.case.len() > 64 || clean(&self.case, 64) != self.case {
            return wrong("`case` has to be a case's name, glass-…");
        }
        if self.digest.len() != 64 || !self.digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return wrong("`digest` has to be the 64 hexadecimal digits of the manifest's SHA-256");
        }
        if self.reviewer.trim().is_empty()
            || self.reviewer.len() > 256
            || clean(&self.reviewer, 256) != self.reviewer
        {
            return wrong("`reviewer` has to be a text of 1 to 256 printable characters");
        }
        if self.note.trim().is_empty() || self.note.len() > 10_000 {
            return wrong("`note` has to say something, in at most 10,000 bytes");
        }
        Ok(())
    }

    /// Whether it is a review of this case as it is, by somebody else than its person.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(&self, manifest: &Manifest, digest: &str) -> Result<(), String> {
        if self.case != manifest.case {
            return Err(format!("the review is of {}, and this is {}", self.case, manifest.case));
        }
        if !self.digest.eq_ignore_ascii_case(digest) {
            return Err(format!("the review is of digest {}, and this case has {digest}", self.digest));
        }
        let people = manifest.people.iter().map(|person| &*person.name);
        let requester = match &manifest.approval {
            Approval::Approved { grant } | Approval::SelfApproved { grant } => Some(&*grant.requester),
            Approval::Missing { .. } => None,
        };
        let root = is_root(&manifest.identity).then_some(ROOT);
        is_somebody_else(&self.reviewer, people.chain(requester).chain(root))
    }
}

/// Whether a reviewer is none of those that the session may have been.
///
/// # Errors
/// That they are.
pub fn is_somebody_else<'s>(
    reviewer: &str,
    mut suspects: impl Iterator<Item = &'s str>,
) -> Result<(), String> {
    match suspects.find(|suspect| may_be(suspect, reviewer)) {
        Some(person) => {
            let person = clean(person, 256);
            Err(format!(
                "{reviewer} may be the person of the session, {person}: somebody else has to review it"
            ))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use handsoff_core::Policy;

    use super::*;
    use crate::facts::Facts;
    use crate::session::Session;

    /// No record says who root is: the deployed functions ask the session for those who may not review it.
    #[test]
    fn root_reviews_no_session_of_root() {
        let policy = Policy::built_in();
        let suspects = |identity: &str| {
            let facts = Facts { identities: [identity.to_owned()].into(), ..Facts::default() };
            Session::new("glass-1", facts, Vec::new(), &policy).suspects()
        };
        let refused = |identity: &str, reviewer: &str| {
            let suspects = suspects(identity);
            is_somebody_else(reviewer, suspects.iter().map(|it| &**it)).is_err()
        };
        for root in ["root", "arn:aws:iam::111122223333:root", "root of 111122223333"] {
            assert!(refused(root, "root") && refused(root, " Root ") && !refused(root, "carol"), "{root}");
            assert!(refused(root, "arn:aws:iam::111122223333:root"), "{root}");
        }
        assert!(!refused("arn:aws:iam::111122223333:role/grassroots", "root"));
    }
}
