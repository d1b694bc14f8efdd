//! Deputies: calls that let a service act with a role.
//!
//! What the service does then has the role as its caller. The call that passed the role shows whose doing it is.

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::partition::Partition;
use handsoff_cloudtrail::{Arn, Class};
use serde_json::Value;

use crate::call::Call;
use crate::policy::{IdentityPattern, Policy};
use crate::show;

/// What a call lets act.
#[derive(Debug, PartialEq, Eq)]
pub struct Deputy {
    /// The roles, in words.
    what: String,
    /// Whether one of them deploys or breaks glass, or what the service is to call is severe.
    pub is_grave: bool,
}

impl Deputy {
    /// What follows on what a call did: `, which lets glue act with the role etl`.
    pub fn words(&self) -> &str {
        &self.what
    }
}

/// So many other roles are counted out.
const NAMED: usize = 3;

/// So deep a request is looked at.
const DEEPEST: usize = 12;

/// The roles that a call passes to a service, if it does.
pub fn of(call: &Call<'_>, policy: &Policy) -> Option<Deputy> {
    let (action, account) = (&call.action, call.account()?);
    // IAM's own calls and STS's are about roles and pass none, but for the one that puts a role into an instance profile.
    let (mut roles, known) = match (&*action.service, &*action.name) {
        ("iam", "AddRoleToInstanceProfile") => {
            let name = call.record.request_parameters.get("roleName").and_then(Raw::text)?;
            let role = named(call, &account, &name);
            let known = whose(&role, true, &account, policy).map(|line| (role.clone(), line));
            (vec![role], known)
        }
        ("iam" | "sts", _) => return None,
        _ => (passed(call.record.request_parameters), by_name(call, &account, policy)),
    };
    let grave = roles.iter().find_map(|role| Some((role.clone(), whose(role, false, &account, policy)?)));
    let grave = grave.or(known);
    roles.extend(grave.iter().map(|(role, _)| role.clone()));
    roles.sort();
    roles.dedup();
    let first = roles.first()?;
    let (role, why) =
        grave.as_ref().map_or((first, String::new()), |(role, line)| (role, format!(" ({line})")));
    let more = match roles.len() - 1 {
        0 => String::new(),
        others if others > NAMED => format!(" and more than {NAMED} more"),
        others => format!(" and {others} more"),
    };
    let name = show::clean(role.rsplit('/').next().unwrap_or(role), 64);
    let service = show::clean(&action.service, 32);
    let calls = universal(call.record.request_parameters);
    let target = calls.as_ref().map(|(action, _)| format!(" and call {action}")).unwrap_or_default();
    let what = format!(", which lets {service} act with the role `{name}`{why}{more}{target}");
    Some(Deputy { what, is_grave: grave.is_some() || calls.is_some_and(|(_, grave)| grave) })
}

/// The most severe call that universal targets make: `arn:aws:scheduler:::aws-sdk:iam:createAccessKey` ("Using universal targets
/// in EventBridge Scheduler"; Step Functions and the newer EventBridge have the same form). All of them: a caller may write
/// harmless ones before it.
fn universal(asked: Raw<'_>) -> Option<(String, bool)> {
    let text = asked.as_str();
    // API Gateway's integrations have another form ("Amazon API Gateway API Reference", `PutIntegration`):
    // `arn:aws:apigateway:eu-west-1:iam:action/CreateUser`.
    let of_gateway = text.split(":apigateway:").skip(1).filter_map(|target| {
        let (service, name) = target.split_once(':')?.1.split_once(":action/")?;
        let end = name.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(name.len());
        let name = name.get(..end)?;
        Some((Class::of(service, name).is_some_and(Class::is_grave), service, name))
    });
    let calls = text.split(":::aws-sdk:").skip(1).filter_map(|target| {
        let end =
            target.find(|char: char| !char.is_ascii_alphanumeric() && char != ':').unwrap_or(target.len());
        let (service, name) = target.get(..end)?.split_once(':')?;
        let name = name.split(':').next().unwrap_or(name);
        let grave = Class::of(service, name).is_some_and(Class::is_grave);
        Some((grave, service, name))
    });
    // Of equals the first.
    let (grave, service, name) =
        calls.chain(of_gateway).reduce(|worst, call| if call.0 && !worst.0 { call } else { worst })?;
    Some((format!("{}:{}", show::clean(service, 32), show::clean(name, 64)), grave))
}

/// The line of the entry that a role deploys or breaks glass by.
fn whose(role: &str, by_name: bool, account: &str, policy: &Policy) -> Option<String> {
    let is = |pattern: &IdentityPattern| {
        if !by_name {
            return pattern.matches(role, Some(account));
        }
        // Its path isn't known, and IAM finds names whatever their case ("IAM and AWS STS quotas").
        [role, &role.to_lowercase()].iter().any(|role| pattern.matches_pathless(role, Some(account)))
    };
    let deploy = policy.deploy.iter().find(|entry| is(&entry.identity)).map(|entry| entry.line.to_string());
    deploy.or_else(|| {
        policy.break_glass.iter().find(|entry| is(&entry.identity)).map(|entry| entry.line.to_string())
    })
}

/// The ARNs of roles that a request has under a name that says role: `roleArn`, `serviceRole`, `AutomationAssumeRole`.
pub(crate) fn passed(asked: Raw<'_>) -> Vec<String> {
    let is_arn = |text: &String| {
        Arn::split(text).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/"))
    };
    let mut roles: Vec<String> = named_roles(asked).into_iter().filter(is_arn).collect();
    roles.sort();
    roles.dedup();
    roles
}

/// The first role that a request has by its name alone, as EMR's and Glue's do, or as that of an instance profile, with the line of
/// its entry: only such as deploy or break glass, for much else is called a role. The console gives a profile the name of its role.
fn by_name(call: &Call<'_>, account: &str, policy: &Policy) -> Option<(String, String)> {
    let entry = |text: String| {
        let profile = Arn::split(&text).filter(|arn| arn.service == "iam" && arn.account == account);
        let name = match &profile {
            Some(arn) => arn.resource.strip_prefix("instance-profile/")?,
            None => Some(&*text).filter(|text| !text.contains([':', '/']))?,
        };
        let role = named(call, account, name.rsplit('/').next().unwrap_or(name));
        let line = whose(&role, true, account, policy)?;
        Some((role, line))
    };
    named_roles(call.record.request_parameters).into_iter().filter_map(entry).min()
}

/// A part of a request that is to be looked at.
struct Part {
    value: Value,
    /// Whether a name says that it is a role.
    is_named: bool,
    depth: usize,
    /// Whether it is in JSON that is a text. Its names may be the caller's own, such as a template's of its resources.
    is_in_text: bool,
}

/// The texts of a request under a name that says role, instance profile or credentials. Services also take lists of names and values
/// (Elastic Beanstalk, Data Pipeline), and JSON as a text (Service Catalog, EventBridge).
fn named_roles(asked: Raw<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(value) = serde_json::from_str::<Value>(asked.as_str()) else { return found };
    let mut left = vec![Part { value, is_named: false, depth: 0, is_in_text: false }];
    while let Some(Part { value, is_named, depth, is_in_text }) = left.pop() {
        let below = |value, is_named| Part { value, is_named, depth: depth + 1, is_in_text };
        match value {
            _ if depth > DEEPEST => {}
            Value::Object(members) => {
                let is_pair = names_role(&members);
                let members = members.into_iter().filter(|(key, member)| {
                    // In a template such a name may be a resource's, but that is no list.
                    let is_modelled = !is_in_text || member.is_array();
                    !is_passed_on(key, is_modelled)
                });
                left.extend(members.map(|(key, member)| {
                    let is = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
                    let is_value = is_named && is(&["name", "arn"])
                        || is_pair && is(&["value", "stringValue", "refValue", "parameterValue"]);
                    below(member, is_value || says_role(&key))
                }));
            }
            Value::Array(elements) => {
                left.extend(elements.into_iter().map(|element| below(element, is_named)));
            }
            Value::String(text) => match serde_json::from_str::<Value>(&text) {
                Ok(inner @ (Value::Object(_) | Value::Array(_))) => {
                    left.push(Part { is_in_text: true, ..below(inner, is_named) });
                }
                _ if is_named => found.push(text),
                _ => {}
            },
            _ => {}
        }
    }
    found
}

/// Whether an object is a name and a value, and the name says role. Elastic Beanstalk has options that are variables of the
/// environment, too ("General options for all environments").
fn names_role(members: &serde_json::Map<String, Value>) -> bool {
    let text = |key: &&str| members.get(*key)?.as_str();
    let is_variable = text(&"namespace") == Some("aws:elasticbeanstalk:application:environment");
    ["key", "name", "parameterKey"].iter().filter_map(text).any(says_role)
        || !is_variable && text(&"optionName").is_some_and(says_role)
}

/// Whether what is below a member is only handed on to code or people, whatever it names: variables of an environment
/// (API references: `StartBuild`, `RunTask`, `UpdateFunctionConfiguration`), a job's arguments (Glue's `StartJobRun`), tags. No
/// service acts with a role by them. `is_modelled`: the name is AWS's, and not the caller's.
fn is_passed_on(key: &str, is_modelled: bool) -> bool {
    let key = key.to_ascii_lowercase();
    let is = |names: &[&str]| names.contains(&&*key);
    key.starts_with("tag")
        || is_modelled
            && (key.contains("environmentvariable")
                || is(&["environment", "description", "command", "arguments", "defaultarguments"]))
}

fn says_role(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    // API Gateway calls the role of an integration its credentials.
    key.contains("role") || key.contains("instanceprofile") || key == "credentials" || key == "credentialsarn"
}

/// The ARN of a role of an account, by its name.
fn named(call: &Call<'_>, account: &str, name: &str) -> String {
    let partition = Partition::of_region(&call.record.aws_region.text().unwrap_or_default()).id;
    format!("arn:{partition}:iam::{account}:role/{name}")
}
