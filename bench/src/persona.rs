//! Who calls: the forms of `userIdentity`, and what else shows who it was.

/// One kind of caller.
#[derive(Debug)]
pub(crate) struct Persona {
    /// `userIdentity`.
    pub(crate) identity: &'static str,
    /// What an error message calls it.
    pub(crate) arn: &'static str,
    /// `sourceIPAddress`.
    pub(crate) ip: &'static str,
    /// What it calls with; each caller keeps to one.
    pub(crate) agents: &'static [&'static str],
    /// Whether it comes over the network, so that `tlsDetails` is there.
    pub(crate) tls: bool,
    /// Whether its credentials come from the console.
    pub(crate) console: bool,
    /// Whether it sits behind a VPC endpoint now and then.
    pub(crate) private: bool,
    /// How many of its kind there are in an account.
    pub(crate) pool: u64,
    /// How long one of its sessions lasts, in seconds.
    pub(crate) session: i64,
}

const PIPELINE: &[&str] = &[
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.83.1 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.32.8 ua/2.1 os/linux lang/go#1.23.3 md/GOOS#linux md/GOARCH#amd64 api/<service>#1.198.1 m/g,C",
    "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.23.8 md/GOOS#linux md/GOARCH#amd64 api/<service>#1.214.0 m/g",
    "aws-sdk-js/3.726.1 ua/2.1 os/linux lang/js md/nodejs#20.18.2 api/<service>#3.726.1",
];

const CONSOLE: &[&str] = &[
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:136.0) Gecko/20100101 Firefox/136.0",
    "AWS Internal",
    "aws-internal/3 aws-sdk-java/1.12.780 Linux/5.10.234-225.895.amzn2int.x86_64 OpenJDK_64-Bit_Server_VM/25.442-b06 java/1.8.0_442 vendor/N/A cfg/retry-mode/standard",
];

const CLI: &[&str] = &[
    "aws-cli/2.24.18 md/awscrt#0.23.8 ua/2.1 os/macos#24.3.0 md/arch#arm64 lang/python#3.12.9 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#<service>.<event>",
    "aws-cli/2.22.35 md/awscrt#0.22.0 ua/2.0 os/linux#6.8.0-52-generic md/arch#x86_64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/distrib#ubuntu.24 md/prompt#off md/command#<service>.<event>",
    r#"Boto3/1.36.14 md/Botocore#1.36.14 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.11.2 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.36.14 note/\"ad hoc\""#,
];

const SDKS: &[&str] = &[
    "aws-sdk-java/2.30.11 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.128 lang/java#21.0.6 exec-env/AWS_ECS_FARGATE m/D,N",
    "Boto3/1.36.14 md/Botocore#1.36.14 ua/2.0 os/linux#5.10.233 md/arch#x86_64 lang/python#3.12.8 exec-env/AWS_Lambda_python3.12",
    "aws-sdk-js/3.744.0 ua/2.1 os/linux#5.10.233 lang/js md/nodejs#20.18.2 api/<service>#3.744.0 exec-env/AWS_Lambda_nodejs20.x m/E,e",
    "aws-sdk-go-v2/1.36.1 ua/2.1 os/linux lang/go#1.23.6 md/GOOS#linux md/GOARCH#amd64 api/<service>#1.31.2 m/E",
];

const SERVICE_AGENT: &[&str] = &["<by>.amazonaws.com"];

const PLAIN: Persona = Persona {
    identity: "",
    arn: "",
    ip: "<me.ip>",
    agents: SDKS,
    tls: true,
    console: false,
    private: false,
    pool: 1,
    session: 3_600,
};

/// The pipeline's runner, with Terraform or the like.
pub(crate) const DEPLOY: Persona = Persona {
    identity: r#"{"type":"AssumedRole","principalId":"AROA<acct8>5DEPLOYPL:GitHubActions-<me.run>","arn":"arn:aws:sts::<account>:assumed-role/deploy-pipeline/GitHubActions-<me.run>","accountId":"<account>","accessKeyId":"ASIA<acct8><me.key>","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA<acct8>5DEPLOYPL","arn":"arn:aws:iam::<account>:role/deploy-pipeline","accountId":"<account>","userName":"deploy-pipeline"},"webIdFederationData":{"federatedProvider":"arn:aws:iam::<account>:oidc-provider/token.actions.githubusercontent.com","attributes":{}},"attributes":{"creationDate":"<created>","mfaAuthenticated":"false"}}}"#,
    arn: "arn:aws:sts::<account>:assumed-role/deploy-pipeline/GitHubActions-<me.run>",
    agents: PIPELINE,
    pool: 6,
    session: 1_200,
    ..PLAIN
};

/// The pipeline's role at work through CloudFormation.
pub(crate) const DEPLOY_STACK: Persona = Persona {
    identity: r#"{"type":"AssumedRole","principalId":"AROA<acct8>5DEPLOYPL:GitHubActions-<me.run>","arn":"arn:aws:sts::<account>:assumed-role/deploy-pipeline/GitHubActions-<me.run>","accountId":"<account>","accessKeyId":"ASIA<acct8><me.key>","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA<acct8>5DEPLOYPL","arn":"arn:aws:iam::<account>:role/deploy-pipeline","accountId":"<account>","userName":"deploy-pipeline"},"attributes":{"creationDate":"<created>","mfaAuthenticated":"false"}},"invokedBy":"cloudformation.amazonaws.com"}"#,
    ip: "cloudformation.amazonaws.com",
    agents: &["cloudformation.amazonaws.com"],
    tls: false,
    ..DEPLOY
};

/// The runner before it has the role.
pub(crate) const DEPLOY_TOKEN: Persona = Persona {
    identity: r#"{"type":"WebIdentityUser","principalId":"arn:aws:iam::<account>:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:acme/platform:ref:refs/heads/main","userName":"repo:acme/platform:ref:refs/heads/main","identityProvider":"arn:aws:iam::<account>:oidc-provider/token.actions.githubusercontent.com"}"#,
    arn: "repo:acme/platform:ref:refs/heads/main",
    agents: &[
        "aws-sdk-js/3.726.1 ua/2.1 os/linux#6.8.0-1021-azure lang/js md/nodejs#20.18.2 api/sts#3.726.1 configure-aws-credentials-for-github-actions",
    ],
    pool: 6,
    session: 1_200,
    ..PLAIN
};

/// An EC2 instance under its role.
pub(crate) const INSTANCE: Persona = Persona {
    identity: r#"{"type":"AssumedRole","principalId":"AROA<acct8>5<me.id>:<me.instance>","arn":"arn:aws:sts::<account>:assumed-role/<me.system>-instance/<me.instance>","accountId":"<account>","accessKeyId":"ASIA<acct8><me.key>","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA<acct8>5<me.id>","arn":"arn:aws:iam::<account>:role/<me.system>-instance","accountId":"<account>","userName":"<me.system>-instance"},"attributes":{"creationDate":"<created>","mfaAuthenticated":"false"},"ec2RoleDelivery":"2.0"}}"#,
    arn: "arn:aws:sts::<account>:assumed-role/<me.system>-instance/<me.instance>",
    agents: &["aws-sdk-go/1.55.5 (go1.23.4; linux; amd64) amazon-ssm-agent/3.3.1611.0"],
    private: true,
    pool: 120,
    session: 21_600,
    ..PLAIN
};

/// A container under its task role.
pub(crate) const TASK: Persona = Persona {
    identity: r#"{"type":"AssumedRole","principalId":"AROA<acct8>5<me.id>:<me.longkey><me.id>","arn":"arn:aws:sts::<account>:assumed-role/<me.system>-task/<me.longkey><me.id>","accountId":"<account>","accessKeyId":"ASIA<acct8><me.key>","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA<acct8>5<me.id>","arn":"arn:aws:iam::<account>:role/<me.system>-task","accountId":"<account>","userName":"<me.system>-task"},"attributes":{"creationDate":"<created>","mfaAuthenticated":"false"}}}"#,
    arn: "arn:aws:sts::<account>:assumed-role/<me.system>-task/<me.longkey><me.id>",
    private: true,
    pool: 60,
    session: 18_000,
    ..PLAIN
};

/// A function under its execution role.
pub(crate) const FUNCTION: Persona = Persona {
    identity: r#"{"type":"AssumedRole","principalId":"AROA<acct8>5<me.id>:<me.system>","arn":"arn:aws:sts::<account>:assumed-role/<me.system>-function/<me.system>","accountId":"<account>","accessKeyId":"ASIA<acct8><me.key>","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA<acct8>5<me.id>","arn":"arn:aws:iam::<account>:role/<me.system>-function","accountId":"<account>","userName":"<me.system>-function"},"attributes":{"creationDate":"<created>","mfaAuthenticated":"false"}}}"#,
    arn: "arn:aws:sts::<account>:assumed-role/<me.system>-function/<me.system>",
    pool: 60,
    session: 7_200,
    ..PLAIN
};

/// An AWS service as itself.
pub(crate) const SERVICE: Persona = Persona {
    identity: r#"{"type":"AWSService","invokedBy":"<by>.amazonaws.com"}"#,
    arn: "<by>.amazonaws.com",
    ip: "<by>.amazonaws.com",
    agents: SERVICE_AGENT,
    tls: false,
    ..PLAIN
};

/// An AWS service under its service-linked role.
pub(crate) const LINKED: Persona = Persona {
    identity: r#"{"type":"AssumedRole","principalId":"AROA<acct8>5<me.id>:<by>","arn":"arn:aws:sts::<account>:assumed-role/<slr>/<by>","accountId":"<account>","accessKeyId":"ASIA<acct8><me.key>","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA<acct8>5<me.id>","arn":"arn:aws:iam::<account>:role/aws-service-role/<by>.amazonaws.com/<slr>","accountId":"<account>","userName":"<slr>"},"attributes":{"creationDate":"<created>","mfaAuthenticated":"false"}},"invokedBy":"<by>.amazonaws.com"}"#,
    arn: "arn:aws:sts::<account>:assumed-role/<slr>/<by>",
    ip: "<by>.amazonaws.com",
    agents: SERVICE_AGENT,
    tls: false,
    session: 900,
    ..PLAIN
};

/// What AWS does without a call.
pub(crate) const EVENT: Persona =
    Persona { identity: r#"{"accountId":"<account>","invokedBy":"<by>.amazonaws.com"}"#, ..SERVICE };

/// Somebody from Identity Center in the console.
pub(crate) const SSO_CONSOLE: Persona = Persona {
    identity: r#"{"type":"AssumedRole","principalId":"AROA<acct8>5<me.id>:<me.person>@example.com","arn":"arn:aws:sts::<account>:assumed-role/AWSReservedSSO_<me.set>_<me.sethex>/<me.person>@example.com","accountId":"<account>","accessKeyId":"ASIA<acct8><akid>","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA<acct8>5<me.id>","arn":"arn:aws:iam::<account>:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_<me.set>_<me.sethex>","accountId":"<account>","userName":"AWSReservedSSO_<me.set>_<me.sethex>"},"attributes":{"creationDate":"<created>","mfaAuthenticated":"false"}}}"#,
    arn: "arn:aws:sts::<account>:assumed-role/AWSReservedSSO_<me.set>_<me.sethex>/<me.person>@example.com",
    agents: CONSOLE,
    console: true,
    pool: 24,
    session: 14_400,
    ..PLAIN
};

/// Somebody from Identity Center on the command line.
pub(crate) const SSO_CLI: Persona = Persona {
    identity: r#"{"type":"AssumedRole","principalId":"AROA<acct8>5<me.id>:<me.person>@example.com","arn":"arn:aws:sts::<account>:assumed-role/AWSReservedSSO_<me.set>_<me.sethex>/<me.person>@example.com","accountId":"<account>","accessKeyId":"ASIA<acct8><me.key>","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA<acct8>5<me.id>","arn":"arn:aws:iam::<account>:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_<me.set>_<me.sethex>","accountId":"<account>","userName":"AWSReservedSSO_<me.set>_<me.sethex>"},"attributes":{"creationDate":"<created>","mfaAuthenticated":"false"}}}"#,
    agents: CLI,
    console: false,
    ..SSO_CONSOLE
};

/// An IAM user with a long-lived key.
pub(crate) const USER_CLI: Persona = Persona {
    identity: r#"{"type":"IAMUser","principalId":"AIDA<acct8>5<me.id>","arn":"arn:aws:iam::<account>:user/<me.person>","accountId":"<account>","accessKeyId":"AKIA<acct8><me.longkey>","userName":"<me.person>"}"#,
    arn: "arn:aws:iam::<account>:user/<me.person>",
    agents: CLI,
    pool: 8,
    ..PLAIN
};

/// An IAM user in the console.
pub(crate) const USER_CONSOLE: Persona = Persona {
    identity: r#"{"type":"IAMUser","principalId":"AIDA<acct8>5<me.id>","arn":"arn:aws:iam::<account>:user/<me.person>","accountId":"<account>","accessKeyId":"ASIA<acct8><akid>","userName":"<me.person>","sessionContext":{"attributes":{"creationDate":"<created>","mfaAuthenticated":"true"}}}"#,
    agents: CONSOLE,
    console: true,
    session: 14_400,
    ..USER_CLI
};

/// The account's root user in the console.
pub(crate) const ROOT: Persona = Persona {
    identity: r#"{"type":"Root","principalId":"<account>","arn":"arn:aws:iam::<account>:root","accountId":"<account>","accessKeyId":"ASIA<acct8><akid>","sessionContext":{"attributes":{"creationDate":"<created>","mfaAuthenticated":"true"}}}"#,
    arn: "arn:aws:iam::<account>:root",
    agents: CONSOLE,
    console: true,
    session: 14_400,
    ..PLAIN
};

/// A service at work for root, with nobody there.
pub(crate) const ROOT_SERVICE: Persona = Persona {
    identity: r#"{"type":"Root","principalId":"<account>","arn":"arn:aws:iam::<account>:root","accountId":"<account>","sessionContext":{"attributes":{"creationDate":"<created>","mfaAuthenticated":"false"}},"invokedBy":"<by>.amazonaws.com"}"#,
    arn: "arn:aws:iam::<account>:root",
    ip: "<by>.amazonaws.com",
    agents: SERVICE_AGENT,
    tls: false,
    ..PLAIN
};

/// An IAM user at the sign-in page.
pub(crate) const USER_SIGN_IN: Persona = Persona {
    identity: r#"{"type":"IAMUser","principalId":"AIDA<acct8>5<me.id>","arn":"arn:aws:iam::<account>:user/<me.person>","accountId":"<account>","userName":"<me.person>"}"#,
    console: false,
    ..USER_CONSOLE
};

/// An Identity Center role at the sign-in page.
pub(crate) const SSO_SIGN_IN: Persona = Persona { console: false, ..SSO_CONSOLE };

/// The root user at the sign-in page.
pub(crate) const ROOT_SIGN_IN: Persona = Persona {
    identity: r#"{"type":"Root","principalId":"<account>","arn":"arn:aws:iam::<account>:root","accountId":"<account>","accessKeyId":""}"#,
    console: false,
    ..ROOT
};
