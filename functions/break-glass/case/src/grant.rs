//! A grant: the approval to use an emergency identity for a while, as an event `Break-Glass Grant` on the bus brings it.

use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::policy::Cases;
use handsoff_core::show::{clean, unquoted};
use serde::{Deserialize, Serialize};

use handsoff_core::person::{ROOT, is_root, is_same, may_be};

/// The `detail-type` of the event that carries a grant.
pub const GRANT: &str = "Break-Glass Grant";

/// What the event's `detail` has to hold. Unknown keys are mistakes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// The ticket's ID.
    pub ticket: String,
    /// Who asked for it, and will use it: as CloudTrail names the person.
    pub requester: String,
    /// Who approved it.
    pub approver: String,
    /// The identity: a name of a role or user, an ARN, `permission-set/NAME`, or `root`.
    pub role: String,
    /// The account of the identity. Left out: the one that the event is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// From when it holds, UTC.
    pub from: Time,
    /// Until when: at most a day later.
    pub until: Time,
}

/// An approval.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// When it was given: the event's time, or when it came to the queue if that is later. A sender chooses the first.
    pub issued: Time,
    /// From when it holds.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// The ticket's ID.
    pub ticket: String,
    /// Who asked for it.
    pub requester: String,
    /// Who approved it.
    pub approver: String,
    /// The identity that it is for.
    pub role: String,
    /// The account of that identity.
    pub account: String,
    /// The account that sent the event: `EventBridge` writes it, no sender can choose it.
    pub sent_from: String,
}

/// A grant holds no longer than a role's session can last twice over.
const LONGEST: TimeDelta = TimeDelta::days(1);

/// What is wrong with what a grant says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DetailError {
    /// A field is empty, too long or not printable.
    #[error("`{0}` has to be a text of 1 to 256 printable characters")]
    Text(&'static str),
    /// The account is none.
    #[error("`account` has to be twelve digits")]
    Account,
    /// It ends before it begins.
    #[error("`until` has to be later than `from`")]
    Order,
    /// It holds for too long.
    #[error("`until` has to be at most a day after `from`")]
    Longest,
}

/// Why an event is no grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Its `detail` isn't in the form of one, as [`unquoted`] says it.
    #[error("no grant: {0}")]
    Form(String),
    /// What it says is wrong.
    #[error("no grant: {0}")]
    Detail(#[from] DetailError),
    /// Nothing says when it was given.
    #[error("no grant: its event has no `time`")]
    NoTime,
}

impl Detail {
    /// What is wrong with it, if anything.
    ///
    /// # Errors
    /// The first mistake.
    pub fn check(&self) -> Result<(), DetailError> {
        let fields = [
            ("ticket", &self.ticket),
            ("requester", &self.requester),
            ("approver", &self.approver),
            ("role", &self.role),
        ];
        for (name, value) in fields {
            if value.trim().is_empty() || value.len() > 256 || clean(value, 256) != *value {
                return Err(DetailError::Text(name));
            }
        }
        if let Some(account) = &self.account
            && !is_account(account)
        {
            return Err(DetailError::Account);
        }
        if self.until <= self.from {
            return Err(DetailError::Order);
        }
        if self.until - self.from > LONGEST {
            return Err(DetailError::Longest);
        }
        Ok(())
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Grant {
    /// Reads the `detail` of an event, sent from an account at a time.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(detail: &str, sent_from: &str, issued: Option<Time>) -> Result<Self, GrantError> {
        let detail: Detail =
            serde_json::from_str(detail).map_err(|error| GrantError::Form(unquoted(&error)))?;
        detail.check()?;
        let issued = issued.ok_or(GrantError::NoTime)?;
        let sent_from = clean(sent_from, 32);
        Ok(Self {
            issued,
            from: detail.from,
            until: detail.until,
            ticket: detail.ticket,
            requester: detail.requester,
            approver: detail.approver,
            role: detail.role,
            account: detail.account.unwrap_or_else(|| sent_from.clone()),
            sent_from,
        })
    }

    /// Whether the policy accepts grants from where this one was sent.
    pub fn is_accepted(&self, cases: &Cases) -> bool {
        cases.approvals_from.is_empty() || cases.approvals_from.contains(&self.sent_from)
    }

    /// Whether it is for this identity, by its ARN or as `root`.
    pub fn is_for(&self, identity: &str, account: &str) -> bool {
        self.account == account && names_of(identity).contains(&self.role)
    }

    /// Whether the policy lists who approved it. An empty list lists everybody.
    pub fn is_by_approver(&self, cases: &Cases) -> bool {
        cases.approvers.is_empty() || cases.approvers.iter().any(|listed| is_same(listed, &self.approver))
    }

    /// Whether somebody may have approved what they had asked for themselves.
    pub fn is_self_approved(&self) -> bool {
        may_be(&self.requester, &self.approver)
    }
}

/// What a grant may call an identity: its ARN, its name, the permission set, or `root`.
pub(crate) fn names_of(identity: &str) -> Vec<String> {
    let name = identity.rsplit('/').next().unwrap_or(identity);
    if is_root(identity) {
        return vec![ROOT.to_owned()];
    }
    let set = handsoff_cloudtrail::permission_set_of(name);
    let set = set.map(|set| [set.to_owned(), format!("permission-set/{set}")]);
    [identity, name].map(str::to_owned).into_iter().chain(set.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"ticket":"INC-1","requester":"alice","approver":"bob","role":"break-glass",
        "from":"2026-03-14T02:00:00Z","until":"2026-03-14T04:00:00Z"}"#;

    fn read(detail: &str) -> Result<Grant, GrantError> {
        Grant::read(detail, "111122223333", Time::parse("2026-03-14T01:59:00Z"))
    }

    #[test]
    fn a_grant_is_read_and_is_for_one_identity_of_one_account() {
        let grant = read(GOOD).unwrap();
        let role = "arn:aws:iam::111122223333:role/ops/break-glass";
        assert!(grant.is_for(role, "111122223333") && !grant.is_for(role, "444455556666"));
        assert!(!grant.is_for("arn:aws:iam::111122223333:role/not-break-glass", "111122223333"));
        assert!(!grant.is_for("root", "111122223333"));
        let set = read(&GOOD.replace("break-glass", "permission-set/EmergencyAdmin")).unwrap();
        let sso = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_EmergencyAdmin_0123456789abcdef";
        assert!(set.is_for(sso, "111122223333") && !set.is_for(role, "111122223333"));
        assert!(!grant.is_self_approved());
        for own in [" ALICE ", "alice+x@example.com", "arn:aws:iam::111122223333:user/alice", "\u{430}lice"] {
            assert!(read(&GOOD.replace("bob", own)).unwrap().is_self_approved(), "{own}");
        }
    }

    #[test]
    fn every_mistake_is_reported() {
        for (from, to, why) in [
            ("\"ticket\":\"INC-1\",", "", "missing field `ticket`"),
            ("alice", " ", "`requester` has to be"),
            ("bob", "b\\u001bob", "`approver` has to be"),
            ("04:00", "02:00", "`until` has to be later"),
            ("14T04", "16T04", "at most a day"),
            ("\"ticket\"", "\"extra\":1,\"ticket\"", "unknown field `extra`"),
            ("2026-03-14T04:00:00Z", "tomorrow", "`tomorrow` is no time"),
            ("{", "[{", "no grant"),
        ] {
            let error = read(&GOOD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with("no grant: ") && error.contains(why), "{error}");
        }
        assert_eq!(Grant::read(GOOD, "1", None), Err(GrantError::NoTime));
    }
}
