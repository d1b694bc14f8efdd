//! What services do with a role a while after somebody told them to: a schedule that a person makes acts at night, an instance
//! that a person launches has a role, and no record of what these do names the person.
//!
//! The record that instructs a service may name the role, the instances or the function that act; what they do has the role's
//! session as its caller (`FACTS`: userIdentity of services and instances). Where the record's request is left out, whatever the
//! service does within a day may be it.

use std::collections::{BTreeMap, BTreeSet};

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::partition::service_name;
use handsoff_cloudtrail::{Effect, Time, TimeDelta, service_of};
use serde::{Deserialize, Serialize};

use crate::call::{Call, Outcome};
use crate::deputy;
use crate::group;
use crate::principal::{Kind, compute_service};
use crate::show::clean;

/// For so long what a service does may be what somebody instructed it to do.
pub const REACH: TimeDelta = TimeDelta::hours(24);

/// An instruction that names more roles, instances and functions is kept as one that names none.
const KEPT: usize = 50;

/// Calls that make a service act, whatever of their request is left out. Names without Lambda's dates.
const INSTRUCT: [&str; 85] = [
    "airflow:CreateEnvironment",
    "airflow:UpdateEnvironment",
    "amplify:StartJob",
    "apprunner:CreateService",
    "apprunner:StartDeployment",
    "apprunner:UpdateService",
    "backup:StartRestoreJob",
    "batch:SubmitJob",
    "batch:SubmitServiceJob",
    "bedrock-agentcore:CreateAgentRuntime",
    "bedrock-agentcore:UpdateAgentRuntime",
    "bedrock:CreateAgent",
    "bedrock:UpdateAgent",
    "cloudformation:CreateStack",
    "cloudformation:CreateStackInstances",
    "cloudformation:CreateStackSet",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:UpdateStack",
    "cloudformation:UpdateStackInstances",
    "cloudformation:UpdateStackSet",
    "codebuild:RetryBuild",
    "codebuild:RetryBuildBatch",
    "codebuild:StartBuild",
    "codebuild:StartBuildBatch",
    "codedeploy:CreateDeployment",
    "codepipeline:StartPipelineExecution",
    "databrew:StartJobRun",
    "datasync:StartTaskExecution",
    "ec2:AssociateIamInstanceProfile",
    "ec2:CreateFleet",
    "ec2:ReplaceIamInstanceProfileAssociation",
    "ec2:RequestSpotFleet",
    "ec2:RequestSpotInstances",
    "ec2:RunInstances",
    "ecs:CreateService",
    "ecs:RunTask",
    "ecs:StartTask",
    "ecs:UpdateService",
    "elasticbeanstalk:CreateEnvironment",
    "elasticbeanstalk:UpdateEnvironment",
    "elasticmapreduce:AddJobFlowSteps",
    "elasticmapreduce:RunJobFlow",
    "emr-containers:StartJobRun",
    "emr-serverless:StartJobRun",
    "events:PutTargets",
    "fis:StartExperiment",
    "glue:CreateJob",
    "glue:CreateSession",
    "glue:CreateTrigger",
    "glue:RunStatement",
    "glue:StartJobRun",
    "glue:StartTrigger",
    "glue:StartWorkflowRun",
    "glue:UpdateJob",
    "imagebuilder:StartImagePipelineExecution",
    "iot:CreateTopicRule",
    "iot:ReplaceTopicRule",
    "kinesisanalytics:CreateApplication",
    "kinesisanalytics:UpdateApplication",
    "lambda:CreateFunction",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "pipes:CreatePipe",
    "pipes:UpdatePipe",
    "sagemaker:CreateProcessingJob",
    "sagemaker:CreateTrainingJob",
    "sagemaker:CreateTransformJob",
    "sagemaker:StartPipelineExecution",
    "scheduler:CreateSchedule",
    "scheduler:UpdateSchedule",
    "servicecatalog:ProvisionProduct",
    "servicecatalog:UpdateProvisionedProduct",
    "ssm:CreateAssociation",
    "ssm:CreateAssociationBatch",
    "ssm:RegisterTaskWithMaintenanceWindow",
    "ssm:StartAssociationsOnce",
    "ssm:StartAutomationExecution",
    "ssm:StartChangeRequestExecution",
    "ssm:UpdateAssociation",
    "ssm:UpdateMaintenanceWindowTask",
    "states:CreateStateMachine",
    "states:RedriveExecution",
    "states:StartExecution",
    "states:StartSyncExecution",
    "states:UpdateStateMachine",
];

/// A call by a person, or an identity that the policy doesn't know, that made a service act.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Instruction {
    /// When.
    pub at: Time,
    /// Who.
    by: String,
    /// The call.
    action: String,
    /// Names of the roles that the service acts with, and of the instances and functions that act. Empty: the record names none.
    actors: BTreeSet<String>,
}

impl Instruction {
    /// What a call tells a service, and the service's group.
    pub fn of(call: &Call<'_>) -> Option<(String, Self)> {
        let by_somebody = matches!(call.principal.kind, Kind::Human | Kind::Unknown);
        if !by_somebody || call.outcome != Outcome::Succeeded || call.effect != Effect::Changes {
            return None;
        }
        let mut actors = actors(call);
        // What is there and names nobody that acts, such as an instance without a profile, tells nothing.
        if actors.is_empty() && !(call.record.request_parameters.is_absent() && is_instruction(call)) {
            return None;
        }
        // Decoys must not push out the one that acts: of too many it may be any.
        if actors.len() > KEPT {
            actors.clear();
        }
        let service = match &*call.action.service {
            "ecs" | "batch" => "ecs-tasks",
            "airflow" => "airflow-env",
            "apprunner" => "tasks",
            // A profile gets the role, and instances have the profile; EMR's machines are instances.
            "iam" | "elasticmapreduce" => "ec2",
            service => service,
        };
        let action = clean(&call.action.to_string(), 128);
        let instruction = Self { at: call.time?, by: call.principal.name(), action, actors };
        Some((of_service(&call.account()?, service), instruction))
    }

    /// Whether it may be what somebody acts on.
    fn is_of(&self, actor: &Actor) -> bool {
        let names = [&actor.role, &actor.session];
        let is_one = self.actors.is_empty() || names.into_iter().any(|name| self.actors.contains(name));
        is_one && self.at <= actor.at && actor.at - self.at <= REACH
    }

    /// In words: behind what a workload did.
    fn words(&self) -> String {
        let Self { at, by, action, .. } = self;
        format!("`{by}` let the service act within the day before ({action} at {at})")
    }
}

/// Who acts without saying for whom: a role's session that a service has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The group of the service's instructions.
    pub group: String,
    /// When.
    pub at: Time,
    role: String,
    session: String,
}

impl Actor {
    /// The caller of a call, if it is a session that a service has.
    pub fn of(call: &Call<'_>) -> Option<Self> {
        let identity = &call.principal.identity;
        let (role, session) = identity.assumed_role().filter(|_| call.principal.kind == Kind::Workload)?;
        let invoking = identity.invoking_service().and_then(service_name);
        let of_instance = || session.starts_with("i-").then_some("ec2");
        let service = invoking.or_else(|| compute_service(identity)).or_else(of_instance)?;
        let group = of_service(&call.account()?, service_of(service));
        let (role, session) = (clean(role, 128), clean(session, 128));
        Some(Self { group, at: call.time?, role, session })
    }
}

/// What was instructed, by the services' groups: a set, whichever record comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instructions(BTreeMap<String, BTreeSet<Instruction>>);

impl Instructions {
    /// Adds what a call tells a service, if it does.
    pub fn note(&mut self, call: &Call<'_>) {
        if let Some((group, instruction)) = Instruction::of(call) {
            self.add(group, instruction);
        }
    }

    /// Adds an instruction of a group.
    pub fn add(&mut self, group: String, instruction: Instruction) {
        self.0.entry(group).or_default().insert(instruction);
    }

    /// Takes over what others have seen.
    pub fn merge(&mut self, other: Self) {
        for (group, instructions) in other.0 {
            self.0.entry(group).or_default().extend(instructions);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What somebody acts on, in words: the last of what it may be.
    pub fn behind(&self, actor: &Actor) -> Option<String> {
        let group = self.0.get(&actor.group)?;
        group.iter().rev().find(|instruction| instruction.is_of(actor)).map(Instruction::words)
    }
}

/// The group of a service's instructions in an account.
fn of_service(account: &str, service: &str) -> String {
    group::digest(&["instructions", account, service])
}

fn is_instruction(call: &Call<'_>) -> bool {
    // `CreateFunction20150331`: the API's date is none of the action's name.
    let name = call.action.name.trim_end_matches(|char: char| char.is_ascii_digit() || char == 'v');
    let name = name.trim_end_matches(|char: char| char.is_ascii_digit());
    INSTRUCT.iter().any(|known| known.split_once(':') == Some((&call.action.service, name)))
}

/// The names of roles, instances and functions that act on a call.
fn actors(call: &Call<'_>) -> BTreeSet<String> {
    let (asked, answered) = (call.record.request_parameters, call.record.response_elements);
    let mut actors: BTreeSet<String> = deputy::passed(asked).iter().map(|role| last(role)).collect();
    match &*call.action.service {
        // Its instances have the profile's role, and their IDs for the names of sessions. A launch template's profile is in the
        // answer alone.
        "ec2" if [asked, answered].iter().any(|part| part.as_str().contains("nstanceProfile")) => {
            let made = answered.get("instancesSet").and_then(|set| set.get("items"));
            let ids = made.into_iter().flat_map(|items| items.elements().flatten());
            let ids = ids.filter_map(|item| item.get("instanceId").and_then(Raw::text));
            actors.extend(ids.map(|id| last(&id)));
            let association = asked.get("AssociateIamInstanceProfileRequest");
            actors.extend(association.and_then(|it| it.get("InstanceId")?.text()).map(|id| last(&id)));
        }
        // A function's name is that of its sessions.
        "lambda" if is_instruction(call) => {
            actors.extend(asked.get("functionName").and_then(Raw::text).map(|name| last(&name)));
        }
        "iam" if call.action.name == "AddRoleToInstanceProfile" => {
            actors.extend(asked.get("roleName").and_then(Raw::text).map(|name| last(&name)));
        }
        "iam" => return BTreeSet::new(),
        _ => {}
    }
    actors
}

/// The last part of an ARN or path.
fn last(name: &str) -> String {
    clean(name.rsplit(['/', ':']).next().unwrap_or(name), 128)
}

#[cfg(test)]
mod tests;
