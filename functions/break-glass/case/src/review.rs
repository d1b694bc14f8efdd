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

/// Why a review is none, or none of a case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// It isn't in the form of one, as [`unquoted`] says it.
    #[error("no review: {0}")]
    Form(String),
    /// It names no case.
    #[error("no review: `case` has to be a case's name, glass-…")]
    Case,
    /// It names no manifest.
    #[error("no review: `digest` has to be the 64 hexadecimal digits of the manifest's SHA-256")]
    Digest,
    /// It doesn't say who reviewed.
    #[error("no review: `reviewer` has to be a text of 1 to 256 printable characters")]
    Reviewer,
    /// It doesn't say what they found.
    #[error("no review: `note` must not be empty, and has at most 10,000 bytes")]
    Note,
    /// It is of another case.
    #[error("the review is of {reviewed}, and this is {case}")]
    OtherCase {
        /// The one that it is of.
        reviewed: String,
        /// The one that is looked at.
        case: String,
    },
    /// It is of another state of the case.
    #[error("the review is of digest {reviewed}, and this case has {digest}")]
    OtherDigest {
        /// The digest that it is of.
        reviewed: String,
        /// The case's.
        digest: String,
    },
    /// The session may have been the reviewer's own.
    #[error("{reviewer} may be the person of the session, {}: another person has to review it", clean(.person, 256))]
    Own {
        /// Who reviewed.
        reviewer: String,
        /// Who the session may have been.
        person: String,
    },
}

impl Review {
    /// Reads the `detail` of an event, or a `review.json`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, ReviewError> {
        let review: Self = serde_json::from_str(text).map_err(|error| ReviewError::Form(unquoted(&error)))?;
        review.check().map(|()| review)
    }

    fn check(&self) -> Result<(), ReviewError> {
        if !self.case.starts_with("glass-") || self.case.len() > 64 || clean(&self.case, 64) != self.case {
            return Err(ReviewError::Case);
        }
        if self.digest.len() != 64 || !self.digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ReviewError::Digest);
        }
        if self.reviewer.trim().is_empty()
            || self.reviewer.len() > 256
            || clean(&self.reviewer, 256) != self.reviewer
        {
            return Err(ReviewError::Reviewer);
        }
        if self.note.trim().is_empty() || self.note.len() > 10_000 {
            return Err(ReviewError::Note);
        }
        Ok(())
    }

    /// Whether it is a review of this case as it is, by somebody else than its person.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(&self, manifest: &Manifest, digest: &str) -> Result<(), ReviewError> {
        if self.case != manifest.case {
            let (reviewed, case) = (self.case.clone(), manifest.case.clone());
            return Err(ReviewError::OtherCase { reviewed, case });
        }
        if !self.digest.eq_ignore_ascii_case(digest) {
            let (reviewed, digest) = (self.digest.clone(), digest.to_owned());
            return Err(ReviewError::OtherDigest { reviewed, digest });
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
) -> Result<(), ReviewError> {
    match suspects.find(|suspect| may_be(suspect, reviewer)) {
        Some(person) => Err(ReviewError::Own { reviewer: reviewer.to_owned(), person: person.to_owned() }),
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
