//! Whom a call lets in from outside: other accounts, and anyone at all.

use std::collections::BTreeSet;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Class, Identity, Record, is_used_by_people};
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

/// Whether a service lets an account of AWS's own use a network interface that it made for itself, as `SageMaker` does. Not one that makes
/// any call that its callers tell it to.
fn is_a_services_network(action: &Action<'_>, record: &Record<'_>) -> bool {
    if action.service != "ec2" || action.name != "CreateNetworkInterfacePermission" {
        return false;
    }
    let identity = Identity::read(record.user_identity);
    identity.invoking_service().is_some_and(|service| !is_used_by_people(service))
        && !identity.is_by_a_deputy()
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
        if is_a_services_network(action, record) {
            return found;
        }
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
                    let named = |own: String| if is_a_list(&own) { key.clone() } else { own };
                    left.extend(let_in(members).map(|(own, value)| (named(own), value, bounded)));
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
        const GRANTS: [&str; 7] =
            ["accountIdsToAdd", "group", "groupName", "groupNames", "userGroup", "userGroups", "valuesToAdd"];
        const PRINCIPALS: [&str; 3] = ["principal", "principals", "addAllowedPrincipals"];
        // EC2's and S3's XML members are written as others', but for their first letter.
        let is_one = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
        if let Some(names) = part.names() {
            self.accounts.extend(account_of(text).filter(|_| is_one(names)).map(str::to_owned));
            return;
        }
        self.anyone |= text.starts_with("public-read")
            || text == "PUBLIC_READ"
            || text.contains("/groups/global/AllUsers")
            || text.contains("/groups/global/AuthenticatedUsers");
        if part == Part::Policies {
            return;
        }
        self.anyone |= is_one(&GRANTS) && text.eq_ignore_ascii_case("all")
            || !bounded && is_one(&PRINCIPALS) && text == "*";
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
            let bounded = condition.is_some_and(conditions::bounds_anyone);
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
                        let named = || condition.is_some_and(conditions::names_somebody);
                        self.anyone |= kinds.contains_key("Federated") && !named();
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Whether a request that has a principal bounds it by what stands beside, judged as conditions of a policy are: the organization or
/// the account that callers are of ("AWS Lambda API Reference", `AddPermission`, `AddLayerVersionPermission`), or a condition
/// ("Amazon EventBridge API Reference", `PutPermission`).
fn names_somebody_beside(members: &serde_json::Map<String, Value>) -> bool {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    members.iter().any(|(key, value)| match &*key.to_ascii_lowercase() {
        "organizationid" | "principalorgid" => conditions::means_somebody("aws:principalorgid", value),
        "sourceaccount" => conditions::means_somebody("aws:sourceaccount", value),
        "sourcearn" => conditions::means_somebody("aws:sourcearn", value),
        "condition" => text(value, "type").zip(text(value, "key")).zip(text(value, "value")).is_some_and(
            |((operator, key), value)| {
                conditions::bounds_anyone(&serde_json::json!({ operator: { key: value } }))
            },
        ),
        _ => false,
    })
}

/// Whether a member is how EC2 writes the elements of what is above it: `{"items":[…]}`, `{"tag":1,"content":"…"}`.
fn is_a_list(key: &str) -> bool {
    matches!(key, "content" | "item" | "items" | "member")
}

/// The members of a request without those that have whom nobody lets in any more, by their own names, by the operation of EC2's older
/// form ("Amazon EC2 API Reference", `ModifyImageAttribute`) or by the right that is taken ("Amazon `WorkSpaces` API Reference",
/// `UpdateWorkspaceImagePermission`), and without the policy of a search domain that is in a VPC: who isn't there can't reach it,
/// whatever its policy says ("Amazon `OpenSearch` Service Developer Guide", VPC support). What is added in the same call stays.
fn let_in(members: serde_json::Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
    let any = |key: &str, is: &str| {
        let is = |value: &Value| match value {
            Value::Bool(flag) => flag.to_string() == is,
            value => value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(is)),
        };
        members.iter().any(|(name, value)| name.eq_ignore_ascii_case(key) && is(value))
    };
    let (removes, ends_copies) = (any("operationType", "remove"), any("allowCopyImage", "false"));
    let subnets = |value: &Value| {
        value.get("subnetIds").and_then(Value::as_array).is_some_and(|subnets| !subnets.is_empty())
    };
    let in_a_vpc =
        members.iter().any(|(name, value)| name.eq_ignore_ascii_case("vpcOptions") && subnets(value));
    members.into_iter().filter(move |(key, value)| {
        let key = key.to_ascii_lowercase();
        let of_the_operation =
            || ["group", "organization", "user"].iter().any(|whose| key.starts_with(whose));
        let taken = takes_away(&key, value)
            || removes && of_the_operation()
            || ends_copies && key == "sharedaccountid"
            || in_a_vpc && key == "accesspolicies";
        !taken
    })
}

/// Whether a member of a request, in lower case, has whom nobody lets in any more: `createVolumePermission.remove`,
/// `valuesToRemove`, `accountIdsToRemove`, `removeAllowedPrincipals`, `revokePermissions`.
fn takes_away(key: &str, value: &Value) -> bool {
    let begins = ["remove", "revoke"].iter().any(|verb| key.starts_with(verb));
    begins && !value.is_boolean() || key.ends_with("toremove")
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
    fn who_is_taken_off_a_share_is_let_in_no_more() {
        const OTHER: &str = "999988887777";
        for (asked, let_in) in [
            (r#"{"accountIdsToRemove":["999988887777"]}"#, false),
            (r#"{"accountIdsToRemove":["all"],"accountIdsToAdd":["999988887777"]}"#, true),
            (r#"{"operationType":"remove","userId":"999988887777"}"#, false),
            (r#"{"operationType":"remove","userIdSet":{"items":[{"userId":"999988887777"}]}}"#, false),
            (r#"{"operationType":"add","userIdSet":{"items":[{"userId":"999988887777"}]}}"#, true),
            (
                r#"{"operationType":"remove","launchPermission":{"add":{"items":[{"userId":"999988887777"}]}}}"#,
                true,
            ),
            (r#"{"revokePermissions":[{"principal":"arn:aws:iam::999988887777:root"}]}"#, false),
            (
                r#"{"revokePermissions":[{"principal":"*"}],"grantPermissions":[{"principal":"999988887777"}]}"#,
                true,
            ),
            (r#"{"allowCopyImage":false,"sharedAccountId":"999988887777"}"#, false),
            (r#"{"allowCopyImage":true,"sharedAccountId":"999988887777"}"#, true),
            (r#"{"removeAllowedPrincipals":{"content":"999988887777"}}"#, false),
        ] {
            let wanted = if let_in { vec![OTHER.to_owned()] } else { vec![] };
            assert_eq!(read(asked), (wanted, false), "{asked}");
        }
        for group in ["userGroup", "UserGroup", "userGroups"] {
            for (operation, anyone) in [("add", true), ("remove", false)] {
                let asked = format!(r#"{{"operationType":"{operation}","{group}":{{"items":["all"]}}}}"#);
                assert_eq!(read(&asked), (vec![], anyone), "{asked}");
            }
        }
    }

    #[test]
    fn lists_are_read_as_ec2_writes_them() {
        for asked in [
            r#"{"ModifyVpcEndpointServicePermissionsRequest":{"AddAllowedPrincipals":{"tag":1,"content":"*"},"ServiceId":"s"}}"#,
            r#"{"addAllowedPrincipals":[{"tag":1,"content":"*"},{"tag":2,"content":"arn:aws:iam::1:root"}]}"#,
            r#"{"addAllowedPrincipals":{"items":["*"]}}"#,
            r#"{"AddAllowedPrincipals":["*"],"RemoveAllowedPrincipals":{"content":"*"}}"#,
            r#"{"launchPermission":{"Add":{"tag":1,"Group":"all"}}}"#,
        ] {
            assert_eq!(read(asked), (vec![], true), "{asked}");
        }
        for asked in [
            r#"{"RemoveAllowedPrincipals":{"tag":1,"content":"*"}}"#,
            r#"{"AddSupportedRegions":{"tag":1,"content":"*"}}"#,
        ] {
            assert_eq!(read(asked), (vec![], false), "{asked}");
        }
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
            (
                policy(
                    r#"{"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"saml:aud":"https://signin.aws.amazon.com/saml"}}}"#,
                ),
                &anyone,
            ),
            (policy(r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}"#), &nobody),
            (policy(r#"{"Effect":"Allow","Principal":{"AWS":"*"}}"#), &(vec![], true)),
            (r#"{"launchPermission":{"add":{"items":[{"group":"all"}]}}}"#.to_owned(), &(vec![], true)),
            (r#"{"x-amz-acl":"public-read-write"}"#.to_owned(), &(vec![], true)),
            (r#"{"principal":"*","principalOrgID":"o-1"}"#.to_owned(), &nobody),
            (r#"{"principal":"*","principalOrgID":"o-*"}"#.to_owned(), &anyone),
            (r#"{"principal":"*","organizationId":"o-1"}"#.to_owned(), &nobody),
            (r#"{"principal":"*","sourceArn":"arn:aws:s3:::*"}"#.to_owned(), &anyone),
            (r#"{"principal":"*","sourceArn":"arn:aws:s3:::b"}"#.to_owned(), &nobody),
            (r#"{"principal":"*","sourceArn":"arn:aws:sns:*:*:*"}"#.to_owned(), &anyone),
            (r#"{"principal":"*","sourceAccount":"9999*"}"#.to_owned(), &anyone),
            (r#"{"principal":"*","sourceAccount":"999988887777"}"#.to_owned(), &other),
            (r#"{"description":"all of 123"}"#.to_owned(), &nobody),
        ] {
            assert_eq!(&read(&asked), wanted, "{asked}");
        }
    }
}
