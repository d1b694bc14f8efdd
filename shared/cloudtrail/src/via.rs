//! How a call came in: console, CLI, SDK, a tool, a service on somebody's behalf.
//!
//! A label for people who read an alert. Most of it rests on the user agent, which the caller chooses, so it
//! never exempts anything.

use std::borrow::Cow;

use crate::identity::Identity;
use crate::partition::{is_same_service, is_sign_in};
use crate::record::Record;

/// How a call came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via<'a> {
    /// The management console.
    Console,
    /// The AWS command line.
    Cli,
    /// An AWS SDK.
    Sdk,
    /// A tool for infrastructure as code, by name.
    IacTool(&'static str),
    /// A service with the caller's rights.
    Service(Cow<'a, str>),
    /// Nothing says.
    Unknown,
}

impl<'a> Via<'a> {
    /// The label for a record and its identity.
    pub fn of(record: &Record<'a>, identity: &Identity<'a>) -> Self {
        let console = record.session_credential_from_console.flag() == Some(true) || identity.from_console;
        let service = identity.invoking_service().filter(|service| *service != "AWS Internal");
        if let (Some(service), false) = (service, console) {
            return Self::Service(Cow::Owned(service.to_owned()));
        }
        let sign_in = identity.invoked_by.as_deref().is_some_and(is_sign_in)
            || record.event_source.text().is_some_and(|source| is_sign_in(&source));
        if console || sign_in {
            return Self::Console;
        }
        let agent = record.user_agent.text().unwrap_or_default();
        Self::of_agent(&agent)
    }

    fn of_agent(agent: &str) -> Self {
        let has = |part: &str| agent.contains(part);
        if has("Terraform/") || has("terraform-provider") {
            Self::IacTool("Terraform")
        } else if has("OpenTofu") {
            Self::IacTool("OpenTofu")
        } else if has("Pulumi") || has("pulumi") {
            Self::IacTool("Pulumi")
        } else if has("aws-cdk") {
            Self::IacTool("CDK")
        } else if is_same_service(agent, "cloudformation.amazonaws.com") {
            Self::IacTool("CloudFormation")
        } else if has("aws-cli/") {
            Self::Cli
        } else if has("signin.amazonaws.")
            // Its host is `console.amazonaws.cn` in China, `console.amazonaws-us-gov.com` in GovCloud.
            || (has("console.") && has("amazonaws"))
            || has("S3Console/")
            || has("AWSCloudTrailConsole")
            || has("Mozilla/")
            || agent.starts_with("Coral/")
            || agent == "AWS Internal"
            || has("aws-internal/")
        {
            Self::Console
        } else if ["aws-sdk", "Boto", "boto", "Botocore", "botocore", "AWSPowerShell", "AWS-SDK"]
            .iter()
            .any(|part| has(part))
        {
            Self::Sdk
        } else {
            Self::Unknown
        }
    }
}

impl std::fmt::Display for Via<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Console => f.write_str("console"),
            Self::Cli => f.write_str("cli"),
            Self::Sdk => f.write_str("sdk"),
            Self::IacTool(name) => f.write_str(name),
            Self::Service(name) => f.write_str(name),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_agents_seen_in_real_records() {
        for (agent, via) in [
            ("APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io)", Via::IacTool("Terraform")),
            ("[APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (]", Via::IacTool("Terraform")),
            ("cloudformation.amazonaws.com", Via::IacTool("CloudFormation")),
            ("aws-cli/2.9.19 Python/3.9.11", Via::Cli),
            ("console.ec2.amazonaws.com", Via::Console),
            ("console.amazonaws.cn", Via::Console),
            ("console.amazonaws-us-gov.com", Via::Console),
            ("signin.amazonaws.com.cn", Via::Console),
            ("cloudformation.amazonaws.com.cn", Via::IacTool("CloudFormation")),
            ("[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11]", Via::Console),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:84.0)", Via::Console),
            ("Coral/Netty4", Via::Console),
            ("AWS Internal", Via::Console),
            ("Boto3/1.9.201 Python/2.7.12", Via::Sdk),
            ("aws-sdk-go/1.41.4 (go1.18.3; linux; amd64) amazon-ssm-agent/", Via::Sdk),
            ("stratus-red-team_6a7ec681", Via::Unknown),
            ("", Via::Unknown),
        ] {
            assert_eq!(Via::of_agent(agent), via, "{agent}");
        }
    }
}
