//! What a call issued: the credentials, and by what calls with these find the record.

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Action, Arn, Identity as Caller, IdentityType, Record, Time};

use crate::ties::{Identity, session};

/// Services whose calls issue credentials, and with what the names of these begin: most records end here. AWS writes both, so
/// they are compared as they are in the record.
const CALLS: [(&str, &[&str]); 4] = [
    ("\"sts.", &["\"Assume", "\"Get"]),
    ("\"iam.", &["\"CreateAccessKey", "\"CreateLoginProfile", "\"UpdateLoginProfile"]),
    ("\"signin.", &["\"SwitchRole", "\"CreateOAuth2Token"]),
    ("\"ssm.", &["\"GetAccessToken"]),
];

/// Whether a record's call may have issued credentials, at a glance.
pub(super) fn may_issue(record: &Record<'_>) -> bool {
    let (source, name) = (record.event_source.as_str(), record.event_name.as_str());
    let issues = |(service, names): &(&str, &[&str])| {
        source.starts_with(service) && names.iter().any(|it| name.starts_with(it))
    };
    CALLS.iter().any(issues) && record.error_code.is_absent()
}

/// What credentials are of.
pub(super) struct Given {
    /// By what calls with them find the record.
    pub(super) who: Identity,
    /// The ARN that calls with them have; of a user's key or password the user's.
    pub(super) arn: String,
    /// The session's name.
    pub(super) name: Option<String>,
}

impl Given {
    /// What a call issued, where its record names it.
    ///
    /// Not there: `sts:GetWebIdentityToken`, whose token is for services outside of AWS and is in no record; a
    /// `CreateServiceSpecificCredential`, for how calls with it name it is on no page; sessions of `GetRoleCredentials`, whose
    /// key the record hides.
    pub(super) fn of(record: &Record<'_>, caller: &Caller<'_>, action: &Action<'_>) -> Option<Self> {
        match (&*action.service, &*action.name) {
            ("sts", name) => {
                let key = record.response_elements.get("credentials")?.get("accessKeyId")?.text()?;
                let (arn, name) = by_sts(record, caller, name)?;
                Some(Self { who: session(&arn, &key)?, arn, name })
            }
            ("iam", "CreateAccessKey") => {
                let made = record.response_elements.get("accessKey")?;
                let user = made.get("userName").and_then(Raw::text).or_else(|| asked(record, "userName"))?;
                let (account, key) = (account(record, caller)?, made.get("accessKeyId")?.text()?);
                let who = Identity::of_user_key(&account, &user, &key);
                Some(Self { who, arn: user_arn(&account, &user), name: None })
            }
            // The password isn't in the record, so an update may only ask for a new one at the next sign-in.
            ("iam", "CreateLoginProfile" | "UpdateLoginProfile") => Self::password(record, caller),
            ("signin", "SwitchRole") if !record.failed() => {
                switched_from(record)?;
                let arn = caller.arn.as_deref()?.to_owned();
                let began = caller.creation_date.as_deref().and_then(Time::parse);
                let began = began.or_else(|| Time::parse(&record.event_time.text()?))?;
                let name = arn.rsplit('/').next().map(str::to_owned);
                Some(Self { who: Identity::of_console(&arn, began)?, arn, name })
            }
            ("signin", "CreateOAuth2Token") => {
                let who = Identity::of_sign_in(&record.granted_sign_in()?);
                Some(Self { who, arn: caller.arn.as_deref()?.to_owned(), name: None })
            }
            ("ssm", "GetAccessToken") => {
                let key = record.response_elements.get("credentials")?.get("accessKeyId")?.text()?;
                // Whose they are isn't in it: a role of Systems Manager's.
                Some(Self { who: Identity::of_key(&key), arn: caller.arn.as_deref()?.to_owned(), name: None })
            }
            _ => None,
        }
    }

    fn password(record: &Record<'_>, caller: &Caller<'_>) -> Option<Self> {
        let (account, user) = (account(record, caller)?, asked(record, "userName")?);
        let who = Identity::of_password(&account, &user);
        Some(Self { who, arn: user_arn(&account, &user), name: None })
    }
}

/// Who switched to the role in the console, which AWS writes beside the role's own session.
pub(super) fn switched_from(record: &Record<'_>) -> Option<Caller<'static>> {
    let from = record.additional_event_data.get("SwitchFrom").and_then(Raw::text)?;
    if Action::of(record).service != "signin" {
        return None;
    }
    let mut caller = Caller::default();
    let Arn { account, resource, .. } = Arn::split(&from)?;
    caller.kind = match resource.split('/').next() {
        Some("user") => IdentityType::IamUser,
        Some("assumed-role") => IdentityType::AssumedRole,
        Some("root") => IdentityType::Root,
        _ => IdentityType::Unknown,
    };
    caller.account_id = Some(account.to_owned().into());
    caller.arn = Some(from.into_owned().into());
    Some(caller)
}

/// The session's ARN and name of a call of STS.
fn by_sts(record: &Record<'_>, caller: &Caller<'_>, how: &str) -> Option<(String, Option<String>)> {
    let answered = |key: &str| record.response_elements.get(key)?.get("arn").and_then(Raw::text);
    let last = |arn: &str| arn.rsplit('/').next().map(str::to_owned);
    match how {
        "GetSessionToken" => Some((caller.arn.as_deref()?.to_owned(), None)),
        "GetFederationToken" => {
            let arn = answered("federatedUser")?.into_owned();
            let name = last(&arn);
            Some((arn, name))
        }
        "AssumeRoot" => {
            let target = asked(record, "targetPrincipal")?;
            let account = Arn::split(&target).map_or(&*target, |arn| arn.account);
            Some((format!("arn:aws:iam::{account}:root"), None))
        }
        _ if how.starts_with("AssumeRole") => {
            if let Some(arn) = answered("assumedRoleUser") {
                let name = last(&arn);
                return Some((arn.into_owned(), name));
            }
            let role = record.assumed_role_arn()?;
            let Arn { partition, account, resource, .. } = Arn::split(&role)?;
            let (role, name) = (resource.rsplit('/').next()?, asked(record, "roleSessionName")?.into_owned());
            Some((format!("arn:{partition}:sts::{account}:assumed-role/{role}/{name}"), Some(name)))
        }
        _ => None,
    }
}

fn asked<'r>(record: &Record<'r>, key: &str) -> Option<std::borrow::Cow<'r, str>> {
    record.request_parameters.get(key).and_then(Raw::text)
}

fn account(record: &Record<'_>, caller: &Caller<'_>) -> Option<String> {
    let own = record.recipient_account_id.text().map(String::from);
    own.or_else(|| caller.account_id.as_deref().map(str::to_owned))
}

fn user_arn(account: &str, user: &str) -> String {
    format!("arn:aws:iam::{account}:user/{user}")
}
