//! Whom a call lets in from outside: other accounts, and anyone at all.

use std::collections::BTreeSet;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Class, Record};
use handsoff_core::Call;
use handsoff_core::policy::{Deploy, Origin, Policy};
use serde_json::Value;

use super::conditions::{self, account_of};
use super::part::Part;

/// The accounts that load balancers write their access logs from, a Region each: a bucket for these logs has to let its
/// Region's in ("Enable access logs for your Application Load Balancer"). Nobody but AWS acts in them.
const LOAD_BALANCERS: [&str; 26] = [
    "009996457667",
    "027434742980",
    "033677994240",
    "037604701340",
    "048591011584",
    "054676820928",
    "076674570225",
    "098369216593",
    "114774131450",
    "127311923021",
    "156460612806",
    "190560391635",
    "383597477331",
    "507241528517",
    "582318560864",
    "589379963580",
    "600734575887",
    "635631232127",
    "638102146993",
    "652711504416",
    "718504428378",
    "754344448648",
    "783225319266",
    "797873946194",
    "897822967062",
    "985666609251",
];

/// Who outside of the team's accounts may use a resource, or assume a role, by a call that shares or grants.
///
/// The team's accounts are those of `[accounts]`, the one that the record is of, and those that the entry's `assumed_by`
/// writes out.
pub(super) fn shared_with(call: &Call<'_>, entry: &Deploy, policy: &Policy) -> Option<String> {
    let part = Part::by_pipeline(&call.action)?;
    let logs = &*call.action.service == "s3" && &*call.action.name == "PutBucketPolicy";
    let foreign = |account: &str| {
        let origins = entry.assumed_by.iter().any(|origin| match origin {
            Origin::Identity(pattern) => pattern.account() == Some(account),
            _ => false,
        });
        let logging = logs && LOAD_BALANCERS.contains(&account);
        !(origins || logging)
            && policy.alerts.account_name(account).is_none()
            && call.account().as_deref() != Some(account)
            && call.principal.identity.account_id.as_deref() != Some(account)
    };
    let found = Principals::of(part, &call.action, &call.record);
    let who = match found {
        Principals { unseen: true, .. } => "somebody, by a request that the record doesn't show,".into(),
        Principals { opens: true, .. } => "anyone, once a resource is shared,".into(),
        Principals { anyone: true, .. } => "anyone".into(),
        Principals { accounts, .. } => {
            let account = accounts.into_iter().find(|account| foreign(account))?;
            format!("the account {account}, which [accounts] doesn't name,")
        }
    };
    Some(who)
}

/// Who is let in where a policy or a list of rights says everybody.
pub(crate) const ANYONE: &str = "anyone";

/// Whom outside of the team's accounts a call lets in, as far as its record shows: an account's ID, or anyone.
pub(crate) fn outsider(call: &Call<'_>, policy: &Policy) -> Option<String> {
    let Principals { accounts, anyone, .. } =
        Principals::of(Part::of(&call.action)?, &call.action, &call.record);
    if anyone {
        return Some(ANYONE.to_owned());
    }
    let own = [call.account(), call.principal.identity.account_id.clone()];
    let foreign = |account: &String| {
        policy.alerts.account_name(account).is_none()
            && !own.iter().flatten().any(|own| own == account)
            && !LOAD_BALANCERS.contains(&account.as_str())
    };
    accounts.into_iter().find(foreign)
}

/// Whether a call of the pipeline may share with somebody outside, or trust them. `is_foreign`: whether an account may be
/// nobody's of the team.
pub(super) fn may_share(action: &Action<'_>, record: &Record<'_>, is_foreign: &dyn Fn(&str) -> bool) -> bool {
    let Some(part) = Part::by_pipeline(action) else { return false };
    let found = Principals::of(part, action, record);
    found.unseen || found.opens || found.anyone || found.accounts.iter().any(|account| is_foreign(account))
}

/// Whether a call of the pipeline may name somebody outside, by its action.
pub(super) fn may_name(action: &Action<'_>) -> bool {
    Part::by_pipeline(action).is_some()
}

/// Whether nobody makes such a call but to share with others.
fn only_shares(action: &Action<'_>) -> bool {
    let name = &*action.name;
    match &*action.service {
        "ec2" | "rds" => name.starts_with("Modify") && name.ends_with("Attribute"),
        "ram" => name.contains("ResourceShare"),
        "redshift" => name.starts_with("Authorize"),
        _ => false,
    }
}

/// Whether it takes away what keeps all of an account's resources from being public.
fn opens_an_account(action: &Action<'_>, record: &Record<'_>) -> bool {
    let takes_off = || record.request_parameters.as_str().contains("false");
    let name = &*action.name;
    action.class() == Some(Class::Sharing)
        && (name.starts_with("Disable")
            || name.starts_with("DeleteAccount")
            || name == "PutAccountPublicAccessBlock" && takes_off())
}

/// The principals that a request names.
#[derive(Debug, Default)]
struct Principals {
    accounts: BTreeSet<String>,
    anyone: bool,
    /// CloudTrail left the request out.
    unseen: bool,
    /// What keeps resources from being public is taken away.
    opens: bool,
}

impl Principals {
    /// Those of a call.
    fn of(part: Part, action: &Action<'_>, record: &Record<'_>) -> Self {
        let mut found = Self { opens: opens_an_account(action, record), ..Self::default() };
        // A caller can make a request so long that CloudTrail leaves it out ("CloudTrail record contents"). A record of what
        // is made to share, and nothing else, hides it without a parameter; policies have others in them most of the time.
        let asked = record.request_parameters;
        found.unseen = asked.get("omitted").is_some() || (asked.is_absent() && only_shares(action));
        found.read(part, asked);
        found
    }

    /// Reads a request: of policies the principals of statements that allow something, of all else each account's ID.
    fn read(&mut self, part: Part, asked: Raw<'_>) {
        if asked.is_absent() || self.unseen {
            return;
        }
        // What is nested deeper than any policy isn't taken for harmless.
        let Ok(asked) = serde_json::from_str::<Value>(asked.as_str()) else {
            self.anyone = true;
            return;
        };
        let mut left = vec![(String::new(), asked, false)];
        while let Some((key, value, bounded)) = left.pop() {
            match value {
                Value::Object(members) if members.contains_key("Statement") => self.policy(&members),
                Value::Object(members) => {
                    let bounded = names_somebody_beside(&members);
                    let lets_in = |key: &str, value: &Value| !takes_away(key, value);
                    let members = members.into_iter().filter(|(key, value)| lets_in(key, value));
                    left.extend(members.map(|(key, value)| (key, value, bounded)));
                }
                Value::Array(elements) => {
                    left.extend(elements.into_iter().map(|one| (key.clone(), one, bounded)));
                }
                Value::String(text) => match serde_json::from_str::<Value>(&text) {
                    Ok(inner @ Value::Object(_)) => left.push((key, inner, false)),
                    _ => self.text(part, &key, &text, bounded),
                },
                Value::Number(number) => self.text(part, &key, &number.to_string(), bounded),
                Value::Bool(_) | Value::Null => {}
            }
        }
    }

    fn text(&mut self, part: Part, key: &str, text: &str, bounded: bool) {
        const GRANTS: [&str; 6] =
            ["accountIdsToAdd", "group", "groupName", "groupNames", "userGroups", "valuesToAdd"];
        if let Part::Destination(destination) = part {
            // EC2's and S3's XML members are written as others', but for their first letter.
            let names = key.eq_ignore_ascii_case(destination);
            self.accounts.extend(account_of(text).filter(|_| names).map(str::to_owned));
            return;
        }
        self.anyone |= text.starts_with("public-read")
            || text == "PUBLIC_READ"
            || text.contains("/groups/global/AllUsers")
            || text.contains("/groups/global/AuthenticatedUsers");
        if part == Part::Policies {
            return;
        }
        self.anyone |= GRANTS.contains(&key) && text.eq_ignore_ascii_case("all")
            || !bounded && key.eq_ignore_ascii_case("principal") && text == "*";
        self.accounts.extend(account_of(text).map(str::to_owned));
    }

    fn policy(&mut self, policy: &serde_json::Map<String, Value>) {
        let Some(statements) = policy.get("Statement") else { return };
        let one = std::slice::from_ref(statements);
        for statement in statements.as_array().map_or(one, Vec::as_slice) {
            if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
                continue;
            }
            let condition = statement.get("Condition");
            let bounded = condition.is_some_and(conditions::names_somebody);
            // All principals but some: AWS advises against it together with Allow ("AWS JSON policy elements: NotPrincipal").
            self.anyone |= !bounded && statement.get("NotPrincipal").is_some();
            let mut left: Vec<&Value> = statement.get("Principal").into_iter().collect();
            while let Some(principal) = left.pop() {
                match principal {
                    Value::String(text) if text == "*" => {
                        self.anyone |= !bounded;
                        self.accounts.extend(condition.into_iter().flat_map(conditions::accounts));
                    }
                    Value::String(text) => self.accounts.extend(account_of(text).map(str::to_owned)),
                    Value::Array(many) => left.extend(many),
                    Value::Object(kinds) => {
                        left.extend(kinds.iter().filter(|(kind, _)| *kind == "AWS").map(|(_, whose)| whose));
                        // Everybody whom a provider of web identities authenticates, unless a condition names some.
                        self.anyone |= !bounded && kinds.contains_key("Federated");
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Whether a request that has a principal bounds it by what stands beside: the organization or the account that callers are of
/// ("AWS Lambda API Reference", `AddPermission`), or a condition ("Amazon EventBridge API Reference", `PutPermission`).
fn names_somebody_beside(members: &serde_json::Map<String, Value>) -> bool {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    members.iter().any(|(key, value)| match &*key.to_ascii_lowercase() {
        "principalorgid" | "sourceaccount" | "sourcearn" => {
            value.as_str().is_some_and(|text| !text.trim_matches('*').is_empty())
        }
        "condition" => text(value, "type").zip(text(value, "key")).zip(text(value, "value")).is_some_and(
            |((operator, key), value)| {
                conditions::names_somebody(&serde_json::json!({ operator: { key: value } }))
            },
        ),
        _ => false,
    })
}

/// Whether a member of a request has whom nobody lets in any more: `createVolumePermission.remove`, `valuesToRemove`,
/// `removeAllowedPrincipals`.
fn takes_away(key: &str, value: &Value) -> bool {
    let key = key.to_ascii_lowercase();
    key.starts_with("remove") && !value.is_boolean() || key == "valuestoremove"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(asked: &str) -> (Vec<String>, bool) {
        let json = format!(
            r#"{{"eventSource":"s3.amazonaws.com","eventName":"PutBucketPolicy","requestParameters":{asked}}}"#
        );
        let Ok((handsoff_cloudtrail::Entry::Record(record), _)) = handsoff_cloudtrail::Record::read(&json)
        else {
            panic!("a record")
        };
        let mut found = Principals::default();
        found.read(Part::All, record.request_parameters);
        (found.accounts.into_iter().collect(), found.anyone)
    }

    #[test]
    fn what_is_shared_with_whom_is_read_from_lists_and_policies() {
        let nobody = (vec![], false);
        let other = (vec!["999988887777".to_owned()], false);
        let anyone = (vec![], true);
        let policy = |statement: &str| {
            format!(r#"{{"policyDocument":{:?}}}"#, format!(r#"{{"Statement":[{statement}]}}"#))
        };
        for (asked, wanted) in [
            (
                r#"{"createVolumePermission":{"add":{"items":[{"userId":"999988887777"}]}}}"#.to_owned(),
                &other,
            ),
            (r#"{"granteePrincipal":"arn:aws:iam::999988887777:root"}"#.to_owned(), &other),
            (
                policy(r#"{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::999988887777:role/x"]}}"#),
                &other,
            ),
            (policy(r#"{"Effect":"Deny","Principal":{"AWS":"999988887777"}}"#), &nobody),
            (policy(r#"{"Effect":"Deny","Principal":"*"}"#), &nobody),
            (policy(r#"{"Effect":"Allow","NotPrincipal":{"AWS":"1"}}"#), &(vec![], true)),
            (policy(r#"{"Effect":"Deny","NotPrincipal":{"AWS":"1"}}"#), &nobody),
            (policy(r#"{"Effect":"Allow","Principal":"*","Condition":{}}"#), &anyone),
            (
                policy(
                    r#"{"Effect":"Allow","Principal":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#,
                ),
                &anyone,
            ),
            (
                policy(
                    r#"{"Effect":"Allow","Principal":"*","Condition":{"StringLike":{"aws:PrincipalArn":"*"}}}"#,
                ),
                &anyone,
            ),
            (
                policy(
                    r#"{"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}"#,
                ),
                &nobody,
            ),
            (policy(r#"{"Effect":"Allow","Principal":{"Federated":"accounts.google.com"}}"#), &anyone),
            (
                policy(
                    r#"{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::1:oidc-provider/x"},"Condition":{"StringLike":{"x:sub":"repo:a/b:*"}}}"#,
                ),
                &nobody,
            ),
            (policy(r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}"#), &nobody),
            (policy(r#"{"Effect":"Allow","Principal":{"AWS":"*"}}"#), &(vec![], true)),
            (r#"{"launchPermission":{"add":{"items":[{"group":"all"}]}}}"#.to_owned(), &(vec![], true)),
            (r#"{"x-amz-acl":"public-read-write"}"#.to_owned(), &(vec![], true)),
            (r#"{"description":"all of 123"}"#.to_owned(), &nobody),
        ] {
            assert_eq!(&read(&asked), wanted, "{asked}");
        }
    }
}
