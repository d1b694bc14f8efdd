//! Why a pattern of the policy isn't one.

use handsoff_cloudtrail::Class;

/// Why a pattern isn't one, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Longer than an ARN may be.
    #[error("longer than any ARN, which has at most 2,048 characters")]
    TooLong,
    /// It would take too long to match.
    #[error("more than three `**`: write more of the path, or an entry for each path")]
    TooManyStars,
    /// A permission set without a name.
    #[error("name the permission set: `permission-set/NAME`")]
    NoPermissionSet,
    /// None of the forms.
    #[error(
        "not an ARN of a role or user: write `arn:aws:iam::ACCOUNT:role/NAME`, `arn:aws:iam::ACCOUNT:user/NAME` or `permission-set/NAME`"
    )]
    NoArn,
    /// A session's ARN.
    #[error("this is the ARN of a session: write the role's, `arn:aws:iam::ACCOUNT:role/NAME`")]
    Session,
    /// An ARN of another service, or with a Region.
    #[error("roles and users are of the service iam and have no region: `arn:aws:iam::ACCOUNT:…`")]
    NotIam,
    /// An unknown partition.
    #[error("there is no such partition: write `aws` for the record's own, or one such as `aws-cn`")]
    NoPartition,
    /// No account.
    #[error("the account is twelve digits, or `*` alone for the account of the record")]
    NoAccount,
    /// It matches all of an account.
    #[error("this matches every role or user: write at least a part of its name")]
    EveryPath,
    /// Root's ARN.
    #[error("root is always a break-glass identity and can't be made another")]
    Root,
    /// An ARN of something else in IAM.
    #[error("the last field starts with `role/` or `user/`")]
    NoRoleOrUser,
    /// A bare name that matches all.
    #[error("this matches every role and user: write at least a part of the name")]
    EveryName,
    /// No action.
    #[error(
        "not an action: write `service:Name`, such as `s3:PutObject` or `logs:*`; the service has to be written out"
    )]
    NoAction,
    /// A web identity without a subject.
    #[error("name the subject")]
    NoSubject,
    /// A provider with a `*`, or none.
    #[error("write the provider out, as in its ARN: `oidc-provider/gitlab.com:SUBJECT`")]
    NoProvider,
    /// A SAML provider that isn't named.
    #[error("name the SAML provider of the role's account, without `*`: `saml:NAME`")]
    NoSamlProvider,
    /// A service with a `*`.
    #[error("write the service out")]
    NoService,
    /// A form that needs no ticket.
    #[error("it matches an empty text: every session would have a ticket")]
    EmptyForm,
    /// No place where a ticket may stand.
    #[error("write `source-identity`, `session-name`, `session-tag:NAME` or `grant`")]
    NoTicketPlace,
    /// No machine image.
    #[error(
        "not an image: write its ID, such as `ami-0123456789abcdef0` or `ami-0123*`, or a parameter, `ssm:/aws/service/…`"
    )]
    NoImage,
    /// No network.
    #[error("not a network: write `192.0.2.0/24` or `2001:db8::/32`")]
    NoNetwork,
    /// No VPC endpoint and no account.
    #[error("write the endpoint's ID, `vpce-…`, or its account's")]
    NoEndpoint,
    /// No account's ID.
    #[error("an account's ID has twelve digits")]
    NoAccountId,
    /// No person's name.
    #[error("write a person's name, in at most 256 printable characters")]
    NoPerson,
    /// A name with a `*`.
    #[error("write each approver out: a `*` is no wildcard here")]
    NoWildcard,
    /// Neither an action nor a class of changes.
    #[error("neither an action such as `s3:Put*` nor a class: one of ordinary, {}", classes())]
    NoChange,
    /// No regular expression: what is wrong with it, in plain words.
    #[error("not a regular expression: {why}; write one such as `INC-[0-9]+`")]
    NoExpression {
        /// What is wrong.
        why: String,
    },
    /// A regular expression that can't be one among others.
    #[error("not a regular expression: {why}")]
    NoForm {
        /// What is wrong.
        why: String,
    },
}

fn classes() -> String {
    Class::ALL.iter().map(|class| class.as_str()).collect::<Vec<_>>().join(", ")
}
