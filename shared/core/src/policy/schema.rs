//! The JSON schema of `handsoff.toml`, for editors: made from the policy's types, and held to the reader.
//!
//! `cargo xtask schema` writes `policy/handsoff.schema.json`, by a test here. Nothing of it is in what is released.

mod conforms;
mod tests;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::schema_parts::{nothing, written};
use super::{
    ActionPattern, Agents, Alerts, BreakGlass, Cases, Change, Denials, Deploy, DigestHours, Exception, Form,
    Glob, IdentityPattern, ImagePattern, Images, Origin, PipelineRules, ProofRules, SessionTags, TicketPlace,
    Workload,
};

/// The policy of a team, handsoff.toml: which roles deploy, which are for emergencies, what is expected, what is tolerated until when.
#[derive(JsonSchema)]
#[schemars(title = "handsoff.toml", deny_unknown_fields, transform = nothing)]
#[expect(dead_code, reason = "its form is what is wanted, and no value")]
struct Handsoff {
    /// Identities tied to the pipeline, whose changes are expected.
    deploy: Vec<Deploy>,
    /// Identities for emergencies. Root is one without an entry.
    break_glass: Vec<BreakGlass>,
    /// Roles that code runs as, and what they may change.
    workload: Vec<Workload>,
    /// What is tolerated, by whom, until when.
    exception: Vec<Exception>,
    /// When denied calls are too many.
    denials: Denials,
    /// What is sent, and when an incident is over.
    alerts: Alerts,
    /// When the message of a day is sent.
    digest: DigestHours,
    /// What the team calls its accounts.
    accounts: Accounts,
    /// What is asked of break-glass sessions.
    cases: Cases,
    /// Which branches and sources the pipelines may use.
    pipeline: PipelineRules,
    /// Which machine images may be launched. Left out: any.
    images: Images,
    /// When a deploy session is unproven.
    proof: ProofRules,
    /// How urgent changes by agents are. Left out: as anybody's.
    agents: Agents,
    /// What logging and detection depend on.
    protected: Protected,
}

/// What logging and detection depend on.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = nothing)]
#[expect(dead_code, reason = "its form is what is wanted, and no value")]
struct Protected {
    /// Names or ARNs, `*` for any characters.
    resources: Vec<Glob>,
}

struct Accounts;

written! {
    Accounts: {
        "type": "object",
        "patternProperties": {"^[0-9]{12}$": {"type": "string", "minLength": 1, "maxLength": 24}},
        "additionalProperties": false,
    },
    Form: {"type": "string", "description": "A regular expression, such as INC-[0-9]+."},
    Glob: {"type": "string", "description": "`*` stands for any characters."},
    ActionPattern: {
        "type": "string",
        "pattern": "^[A-Za-z0-9-]+:.+$",
        "description": "service:Name, such as s3:PutObject or logs:*.",
    },
    IdentityPattern: {
        "type": "string",
        "pattern": "^(arn:|permission-set/)",
        "description": "arn:aws:iam::ACCOUNT:role/NAME, arn:aws:iam::ACCOUNT:user/NAME or permission-set/NAME.",
    },
    ImagePattern: {
        "type": "string",
        "pattern": "^(ami-|ssm:.)",
        "description": "ami-0123456789abcdef0, ami-0123*, or a parameter that requests name: ssm:/aws/service/….",
    },
    Origin: {
        "type": "string",
        "pattern": "^(arn:|permission-set/|service:|saml:|oidc:|oidc-provider/)",
        "description": "A role or user, a service (service:codebuild.amazonaws.com), a SAML provider (saml:NAME) or a web identity (oidc:SUBJECT, oidc-provider/PROVIDER:SUBJECT).",
    },
    Change: {
        "type": "string",
        "pattern": "^([A-Za-z0-9-]+:.+|[a-z-]+)$",
        "description": "service:Name, such as s3:Put*, the name of a class of changes, or ordinary for what has none.",
    },
    SessionTags: {
        "type": "object",
        "patternProperties": {"^.+$": {"oneOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}},
        ]}},
        "additionalProperties": false,
        "description": "Keys of session tags, with a value or a list of values, `*` for any characters: { team = \"payments\" }.",
    },
    TicketPlace: {
        "type": "string",
        "pattern": "^(source-identity|session-name|grant|session-tag:.+)$",
        "description": "source-identity, session-name, session-tag:NAME or grant.",
    },
}

fn schema() -> Value {
    // The draft that editors' plug-ins for TOML know.
    SchemaSettings::draft07().into_generator().into_root_schema_for::<Handsoff>().to_value()
}
