//! What services send to EventBridge themselves of builds and deployments: it is counted, and never a finding by itself.
//!
//! "AWS `CodeBuild` events", "AWS `CodePipeline` events", "AWS `CodeDeploy` events" (EventBridge Events Reference), "Build
//! notifications input format reference" (`CodeBuild` User Guide), "Monitoring `CodePipeline` events" (`CodePipeline` User Guide),
//! "Managing events with EventBridge" (`CloudFormation` User Guide).

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Entry, Record};
use handsoff_core::detector::{Related, ServiceEvent};
use handsoff_core::{Call, Policy, Trace};
use serde_json::json;

use crate::surges::{self, FAILED, RUNS, SUCCEEDED, TIMED_OUT, UNDEPLOYED};

/// What an event says.
struct Said {
    service: &'static str,
    /// The project, pipeline, application or stack.
    name: String,
    /// What makes repeats of the event one.
    id: String,
    role: &'static str,
}

/// What is kept of an event.
pub(crate) fn of(event: &ServiceEvent<'_>, policy: &Policy) -> Option<Related> {
    let said = said(event)?;
    // The ARN of a build or stack has it; of a deployment the event says it.
    let region = said.id.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2)).map(str::to_owned);
    let region = region.or_else(|| Some(event.detail.get("region")?.text()?.into_owned()));
    // Findings are made of records: the event as the record that CloudTrail would have written.
    let record = json!({
        "eventVersion": "1.11", "eventType": "AwsServiceEvent", "eventID": said.id, "eventTime": event.time,
        "eventSource": format!("{}.amazonaws.com", said.service), "eventName": event.kind.replace(' ', ""),
        "recipientAccountId": event.account, "awsRegion": region.unwrap_or_default(), "readOnly": true,
        "userIdentity": {"type": "AWSService", "invokedBy": format!("{}.amazonaws.com", said.service)},
        "requestParameters": {"name": said.name},
    });
    let text = record.to_string();
    let Ok((Entry::Record(record), _)) = Record::read(&text) else { return None };
    let call = Call::classify(record, policy, &mut Trace::off());
    Some(surges::kept(&call, said.role, said.service, &said.name))
}

fn said(event: &ServiceEvent<'_>) -> Option<Said> {
    let text = |key: &str| event.detail.get(key).and_then(Raw::text).map(std::borrow::Cow::into_owned);
    match event.kind {
        "CodeBuild Build State Change" => {
            let status = text("build-status")?;
            let role = match &*status {
                "IN_PROGRESS" => RUNS,
                "SUCCEEDED" => SUCCEEDED,
                "TIMED_OUT" => TIMED_OUT,
                "FAILED" | "FAULT" if ran_out_of_time(event.detail) => TIMED_OUT,
                "FAILED" | "FAULT" => FAILED,
                // Somebody stopped it.
                _ => return None,
            };
            let id = format!("{} {status}", text("build-id")?);
            Some(Said { service: "codebuild", name: text("project-name")?, id, role })
        }
        "CodePipeline Pipeline Execution State Change" => {
            let state = text("state")?;
            let role = deployed(&state, &["SUCCEEDED"], &["FAILED"])?;
            let id = format!("{} {state} {}", text("execution-id")?, event.time);
            Some(Said { service: "codepipeline", name: text("pipeline")?, id, role })
        }
        "CodeDeploy Deployment State-change Notification" => {
            let state = text("state")?;
            let role = deployed(&state, &["SUCCESS"], &["FAILURE"])?;
            let id = format!("{} {state}", text("deploymentId")?);
            Some(Said { service: "codedeploy", name: text("application")?, id, role })
        }
        "CloudFormation Stack Status Change" => {
            let status = event.detail.get("status-details")?.get("status")?.text()?;
            let well = ["CREATE_COMPLETE", "UPDATE_COMPLETE"];
            let badly =
                ["CREATE_FAILED", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"];
            let (role, stack) = (deployed(&status, &well, &badly)?, text("stack-id")?);
            // An ARN, of which the last part but one is the name.
            let name = stack.split('/').nth(1)?.to_owned();
            Some(Said {
                service: "cloudformation",
                id: format!("{stack} {status} {}", event.time),
                name,
                role,
            })
        }
        _ => None,
    }
}

fn deployed(state: &str, well: &[&str], badly: &[&str]) -> Option<&'static str> {
    match state {
        state if well.contains(&state) => Some(SUCCEEDED),
        state if badly.contains(&state) => Some(UNDEPLOYED),
        _ => None,
    }
}

/// Whether a phase of a build did: the build's own status may say that it failed.
fn ran_out_of_time(detail: Raw<'_>) -> bool {
    let phases = detail.get("additional-information").and_then(|it| it.get("phases")).unwrap_or_default();
    let status =
        |phase: Raw<'_>| phase.get("phase-status").and_then(|it| it.text().map(|text| text == "TIMED_OUT"));
    phases.elements().flatten().any(|phase| status(phase) == Some(true))
}
