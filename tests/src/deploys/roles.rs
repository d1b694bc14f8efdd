//! The roles of the sample policies in `docs/policies`: who assumes each, from where, with which program, for what.

use super::Way;
use super::calls::{self, Template};

/// A deploy role, and how its pipeline uses it.
#[derive(Debug)]
pub struct Role {
    /// The sample policy: the name of its file.
    pub policy: &'static str,
    /// The role's name.
    pub name: &'static str,
    /// How its sessions begin.
    pub way: Way,
    /// How they are named.
    pub session: &'static str,
    /// From where it is used; `%` is a number.
    pub addresses: &'static [&'static str],
    /// The programs that use it.
    pub agents: &'static [&'static str],
    /// What it reads.
    pub reads: &'static [Template],
    /// What it changes.
    pub writes: &'static [Template],
}

const GITHUB: &str = "token.actions.githubusercontent.com";
const MAIN_OF_CDK: &str = "repo:example-org@1234567/orders-cdk@89012346:ref:refs/heads/main";
const CLUSTER: &str = "oidc.eks.eu-central-1.amazonaws.com/id/5A9B1C2D3E4F60718293A4B5C6D7E8F9";

const TERRAFORM: &[&str] = &[
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io) terraform-provider-aws/6.18.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.39.4 ua/2.1 os/linux lang/go#1.24.8 md/GOOS#linux md/GOARCH#amd64",
    "[APN/1.0 HashiCorp/1.0 Terraform/1.11.1 (+https://www.terraform.io) terraform-provider-aws/5.90.1 aws-sdk-go-v2/1.36.1 ua/2.1 os/linux lang/go#1.23.6 api/s3#1.78.0]",
];
const CLI: &[&str] = &[
    "aws-cli/2.31.20 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0-1036-aws md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython",
    "Boto3/1.40.55 md/Botocore#1.40.55 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.12.3",
];
const CDK: &[&str] =
    &["aws-cdk/2.1031.0 aws-sdk-js/3.906.0 ua/2.1 os/linux#6.11.0 lang/js md/nodejs#22.20.0"];
const SAM: &[&str] = &["aws-cli/2.31.20 ua/2.1 os/linux#6.11.0 lang/python#3.12.3 aws-sam-cli/1.145.0"];
const JENKINS: &[&str] = &[
    "aws-sdk-java/2.35.11 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1 lang/java#21.0.8",
    CLI[0],
    TERRAFORM[0],
];

const HOSTED: &[&str] = &["198.51.100.%", "20.61.126.%", "4.180.12.%"];
const AWS: &[&str] = &["3.66.14.%", "18.184.77.%"];

const fn role(policy: &'static str, name: &'static str, way: Way) -> Role {
    let (reads, writes) = (calls::READS, calls::RESOURCES);
    Role {
        policy,
        name,
        way,
        session: "AWSCloudFormation",
        addresses: HOSTED,
        agents: TERRAFORM,
        reads,
        writes,
    }
}

const fn cdk(name: &'static str, writes: &'static [Template]) -> Role {
    Role { session: "aws-cdk-runner", agents: CDK, writes, ..role("cdk", name, Way::Chain("cdk-runner")) }
}

/// All of them.
pub const ROLES: &[Role] = &[
    Role {
        session: "GitHubActions-%%%%%%%%",
        ..role(
            "github-actions",
            "github-deploy",
            Way::Web(GITHUB, "repo:example-org@1234567/orders-infra@89012345:environment:production"),
        )
    },
    Role {
        session: "gitlab-%%%%%%-%%%%%%%%",
        ..role(
            "gitlab-ci",
            "gitlab-deploy",
            Way::Web("gitlab.com", "project_path:example-org/orders-infra:ref_type:branch:ref:main"),
        )
    },
    Role {
        session: "terraform-run-{h}{h}",
        ..role(
            "terraform-cloud",
            "terraform-cloud-apply",
            Way::Web(
                "app.terraform.io",
                "organization:example-org:project:orders:workspace:orders-production:run_phase:apply",
            ),
        )
    },
    Role {
        session: "%%%%%%%%%%%%%",
        writes: calls::PIPELINE,
        ..role("codepipeline", "orders-pipeline", Way::Service("codepipeline"))
    },
    Role {
        session: "AWSCodeBuild-{h}-{h}",
        addresses: AWS,
        agents: CLI,
        ..role("codepipeline", "orders-codebuild", Way::Runner("codebuild"))
    },
    role("codepipeline", "orders-cloudformation", Way::Service("cloudformation")),
    Role {
        session: "GitHubActions",
        agents: CDK,
        reads: calls::CDK_RUNNER,
        writes: &[],
        ..role("cdk", "cdk-runner", Way::Web(GITHUB, MAIN_OF_CDK))
    },
    cdk("cdk-hnb659fds-deploy-role-111122223333-eu-central-1", calls::STACKS),
    cdk("cdk-hnb659fds-file-publishing-role-111122223333-eu-central-1", calls::FILES),
    cdk("cdk-hnb659fds-image-publishing-role-111122223333-eu-central-1", calls::IMAGES),
    cdk("cdk-hnb659fds-lookup-role-111122223333-eu-central-1", &[]),
    role("cdk", "cdk-hnb659fds-cfn-exec-role-111122223333-eu-central-1", Way::Service("cloudformation")),
    Role {
        session: "{h}-{h}",
        ..role("stacksets", "AWSCloudFormationStackSetExecutionRole", Way::Account("444455556666"))
    },
    Role {
        session: "stacksets-{h}",
        ..role("stacksets", "stacksets-exec-0a1b2c3d4e5f60718293a4b5c6d7e8f9", Way::Account("444455556666"))
    },
    Role {
        session: "AWSCloudFormation-{h}",
        reads: calls::ADMINISTRATION,
        writes: &[],
        ..role("stacksets", "AWSCloudFormationStackSetAdministrationRole", Way::Service("cloudformation"))
    },
    Role {
        session: "prod-deployment",
        agents: SAM,
        writes: calls::STACKS,
        ..role(
            "sam-pipelines",
            "aws-sam-cli-managed-prod-pipe-PipelineExecutionRole-1A2B3C4D5E6F7",
            Way::Web(GITHUB, "repo:example-org@1234567/orders-sam@89012347:ref:refs/heads/main"),
        )
    },
    role(
        "sam-pipelines",
        "aws-sam-cli-managed-prod-pipe-CloudFormationExecutionRole-7F6E5D4C3B2A1",
        Way::Service("cloudformation"),
    ),
    Role {
        session: "aws-go-sdk-17%%%%%%%%%%%%%%%%",
        addresses: &["203.0.113.17", "203.0.113.18", "10.20.3.%"],
        ..role("atlantis-eks", "atlantis", Way::Web(CLUSTER, "system:serviceaccount:atlantis:atlantis"))
    },
    Role {
        session: "i-0{h}{h}",
        addresses: &["203.0.113.40", "10.30.4.%"],
        agents: JENKINS,
        ..role("jenkins-ec2", "jenkins", Way::Instance)
    },
];
