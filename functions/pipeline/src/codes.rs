//! The codes of pipeline: each says all that anybody has to know of it.

use handsoff_core::Code;
use handsoff_core::code::IncidentKind;
use handsoff_core::code::{AlertRule, Repeats, Row};

/// All of them.
pub const ALL: [Code; 11] = [
    PIPELINE_CHANGED,
    APPROVAL_OVERRIDDEN,
    DIRECT_PUSH,
    STAGE_DISABLED,
    UNTRUSTED_SOURCE,
    DEPLOY_FROM_BRANCH,
    SELF_APPROVAL,
    BUILD_SURGE,
    BUILD_FAILURE_SURGE,
    BUILD_TIMEOUT_SURGE,
    DEPLOY_FAILURE_SURGE,
];

/// What belongs to drift otherwise stays what it is there: by hand, to be excepted, known from earlier days.
const CHANGE: Row = Row {
    may_be_hidden: Ok(()),
    repeats: Repeats::Ordinary,
    is_by_hand: true,
    ..Row::of("pipeline", IncidentKind::Drift)
};

/// A pipeline, or what it is built of, changed by somebody else than a pipeline.
pub const PIPELINE_CHANGED: Code = Code::new(&Row {
    place: 500,
    name: "pipeline-changed",
    title: "Pipeline changed by hand",
    next: "Ask the person whether they did this. If not: stop the pipeline, undo the change, and look at what it has built and \
           deployed since. If so: bring the change into code.",
    ..CHANGE
});

/// An approval that was required is required no more.
pub const APPROVAL_OVERRIDDEN: Code = Code::new(&Row {
    place: 501,
    name: "approval-overridden",
    title: "Approval overridden",
    next: "Ask who did it and why, look at what was merged or deployed without the approval, and restore the rule.",
    alerts: AlertRule::Grave,
    repeats: Repeats::Never,
    is_violation: true,
    ..CHANGE
});

/// A push to a branch that only pull requests may change.
pub const DIRECT_PUSH: Code = Code::new(&Row {
    place: 502,
    name: "direct-push",
    title: "Push to a protected branch",
    next: "Compare the branch with its state before the push, review the difference, and deny direct pushes in IAM \
           (codecommit:References).",
    alerts: AlertRule::Once,
    repeats: Repeats::Never,
    is_violation: true,
    ..CHANGE
});

/// A stage of a pipeline that takes or gives nothing any more.
pub const STAGE_DISABLED: Code = Code::new(&Row {
    place: 503,
    name: "stage-disabled",
    title: "Stage of a pipeline disabled",
    next: "Ask the person what it is for: until the transition is enabled again, no fix reaches production either.",
    ..CHANGE
});

/// A build of a branch or repository that the policy doesn't list.
pub const UNTRUSTED_SOURCE: Code = Code::new(&Row {
    place: 504,
    name: "untrusted-source",
    title: "Build of an untrusted source",
    next: "Stop the build, and look at what it ran with the build project's role. If the source is meant to be built, list it \
           under [pipeline].",
    alerts: AlertRule::Once,
    repeats: Repeats::Never,
    is_violation: true,
    ..CHANGE
});

/// A deploy role that a job of another branch, or of a pull request, assumed.
pub const DEPLOY_FROM_BRANCH: Code = Code::new(&Row {
    place: 505,
    name: "deploy-from-branch",
    title: "Deploy role assumed from a branch",
    next: "Look at the job's run and at what the session changed. Name the subjects that may deploy in the role's trust policy, \
           and under `assumed_by` of its [[deploy]] entry.",
    alerts: AlertRule::Once,
    is_violation: true,
    ..Row::of("pipeline", IncidentKind::Drift)
});

/// An approval by who started, or wrote, what is approved.
pub const SELF_APPROVAL: Code = Code::new(&Row {
    place: 506,
    name: "self-approval",
    title: "Approved by who started it",
    next: "Have somebody else review what was deployed or merged, and deny the approval to those who may start or write it.",
    alerts: AlertRule::Grave,
    is_violation: true,
    may_be_hidden: Err("who starts a change must not approve it; let somebody else do so"),
    ..Row::of("pipeline", IncidentKind::Drift)
});

const SURGE: Row = Row {
    may_be_hidden: Err("find out what starts them, and why"),
    ..Row::of("pipeline", IncidentKind::Drift)
};

/// Many more builds of a project in an hour than ever in the days before.
pub const BUILD_SURGE: Code = Code::new(&Row {
    place: 507,
    name: "build-surge",
    title: "Surge of builds",
    next: "See who or what starts the builds, and what they run: each has the build project's role, and costs money.",
    ..SURGE
});

/// Many builds of a project that failed.
pub const BUILD_FAILURE_SURGE: Code = Code::new(&Row {
    place: 508,
    name: "build-failure-surge",
    title: "Surge of failed builds",
    next: "Read the log of one: a broken change, or somebody who tries what the build project's role may do.",
    ..SURGE
});

/// Many builds of a project that ran out of their time.
pub const BUILD_TIMEOUT_SURGE: Code = Code::new(&Row {
    place: 509,
    name: "build-timeout-surge",
    title: "Surge of builds that time out",
    next: "See what the builds do until their time is over: a build that hangs, or one that works for somebody else.",
    ..SURGE
});

/// Many deployments of a pipeline, application or stack that failed.
pub const DEPLOY_FAILURE_SURGE: Code = Code::new(&Row {
    place: 510,
    name: "deploy-failure-surge",
    title: "Surge of failed deployments",
    next: "Read why the last one failed, and stop what starts them: production may be between two versions.",
    ..SURGE
});
