//! One record: who calls what, and how CloudTrail writes that down.

use crate::calls::{Call, changes, choose, deploy, reads};
use crate::expand::Scene;
use crate::noise::{mix, tag};
use crate::persona::{self, Persona};
use crate::plan::{FilePlan, Kind, Refused, Slot};
use crate::world::one_of;

const SIGN_IN: &str = "AwsConsoleSignIn";
const SERVICE_EVENT: &str = "AwsServiceEvent";
const API_CALL: &str = "AwsApiCall";

/// Appends the record that stands at `slot` of `plan`. A repeat is not a record of its own: ask for
/// the slot it repeats.
pub fn write(plan: &FilePlan, slot: Slot, out: &mut String) {
    let mut rng = fastrand::Rng::with_seed(slot.seed);
    let mut shared = fastrand::Rng::with_seed(mix(slot.run, slot.kind as u64));
    let act = Act::of(slot, plan.region_name(), &mut shared, &mut rng);
    let time = plan.delivered - rng.i64(10..720);
    let persona = act.persona;
    let caller = nearby(plan.seed, 4, &mut shared) % persona.pool.max(1);
    let me = mix(caller, tag(persona.identity) ^ tag(plan.account_id())) >> 8;
    // Sessions begin at other times for each caller.
    let session = persona.session.max(60);
    let offset = i64::try_from(me % session.unsigned_abs()).unwrap_or_default();
    let since = (time + offset).rem_euclid(session);
    let scene = Scene {
        account: plan.account_id(),
        region: plan.region_name(),
        service: act.call.source,
        event: act.call.plain_name(),
        by: act.call.by,
        time,
        created: time - since,
        me,
        pick: nearby(slot.run, 8, &mut rng),
        request: (rng.u64(..), rng.u64(..)),
        rng,
    };
    Writer { scene, act, out }.record();
}

/// One of a few numbers that belong to a file or a run, most of the time: what is busy stays busy
/// for some minutes, and the same few names fill a file.
fn nearby(seed: u64, few: u64, rng: &mut fastrand::Rng) -> u64 {
    let any = rng.u64(..);
    if any % 10 < 7 { mix(seed, any >> 8 & (few - 1)) } else { any }
}

/// Who calls what, and how it ends.
#[derive(Debug)]
struct Act {
    persona: &'static Persona,
    call: &'static Call,
    read_only: bool,
    event_type: &'static str,
    error: Option<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    Denied,
    Missing,
    Throttled,
    SignInFailed,
}

impl Act {
    /// The caller follows from what the run shares, and so does the call if it is refused.
    fn of(slot: Slot, region: &str, shared: &mut fastrand::Rng, own: &mut fastrand::Rng) -> Self {
        let rng = shared;
        let (persona, table, read_only): (&'static Persona, &'static [Call], bool) = match slot.kind {
            Kind::Read | Kind::Repeat => {
                let (persona, table) = reader(rng);
                (persona, table, true)
            }
            Kind::DeployWrite if rng.u32(..100) < 12 => (&persona::DEPLOY_STACK, deploy::CALLS, false),
            Kind::DeployWrite => (&persona::DEPLOY, deploy::CALLS, false),
            Kind::ServiceWrite => match rng.u32(..100) {
                0..70 => (&persona::LINKED, changes::LINKED, false),
                70..92 => (&persona::SERVICE, changes::SERVICE, false),
                _ => (&persona::EVENT, changes::EVENTS, false),
            },
            Kind::WorkloadWrite => match rng.u32(..100) {
                0..45 => (&persona::INSTANCE, changes::INSTANCE, false),
                45..75 => (&persona::FUNCTION, changes::SOFTWARE, false),
                _ => (&persona::TASK, changes::SOFTWARE, false),
            },
            Kind::HumanWrite => (person(rng), changes::HUMAN, false),
            Kind::Denial => refused(Refused::of(slot.run), rng),
            Kind::Root => match rng.u32(..10) {
                0..6 => (&persona::ROOT, reads::ROOT, true),
                6..9 => (&persona::ROOT, changes::ROOT, false),
                _ => (&persona::ROOT_SERVICE, changes::ROOT_SERVICE, false),
            },
            Kind::SignIn => match rng.u32(..20) {
                0..9 => (&persona::USER_SIGN_IN, changes::SIGN_IN, false),
                9..19 => (&persona::SSO_SIGN_IN, changes::ROLE_SIGN_IN, false),
                _ => (&persona::ROOT_SIGN_IN, changes::SIGN_IN, false),
            },
        };
        let call = choose(table, region, if slot.kind == Kind::Denial { rng } else { own });
        let (event_type, error) = match slot.kind {
            Kind::Denial => (API_CALL, Some(Problem::Denied)),
            Kind::SignIn if call.response.contains("Failure") => (SIGN_IN, Some(Problem::SignInFailed)),
            Kind::SignIn => (SIGN_IN, None),
            _ if persona.identity == persona::EVENT.identity => (SERVICE_EVENT, None),
            _ => (API_CALL, mishap(read_only, own)),
        };
        Self { persona, call, read_only, event_type, error }
    }

    fn denied(&self) -> bool {
        self.error == Some(Problem::Denied)
    }
}

/// What goes wrong now and then with no one to blame.
fn mishap(read_only: bool, rng: &mut fastrand::Rng) -> Option<Problem> {
    match rng.u32(..1_000) {
        0..10 if read_only => Some(Problem::Missing),
        10..15 => Some(Problem::Throttled),
        _ => None,
    }
}

fn reader(rng: &mut fastrand::Rng) -> (&'static Persona, &'static [Call]) {
    match rng.u32(..1_000) {
        0..300 => (&persona::DEPLOY, reads::INFRASTRUCTURE),
        300..304 => (&persona::DEPLOY_TOKEN, reads::DEPLOY_TOKEN),
        304..414 => (&persona::INSTANCE, reads::WORKLOAD),
        414..490 => (&persona::TASK, reads::WORKLOAD),
        490..565 => (&persona::FUNCTION, reads::WORKLOAD),
        565..675 => (&persona::SERVICE, reads::SERVICE),
        675..925 => (&persona::LINKED, reads::LINKED),
        925..955 => (&persona::SSO_CONSOLE, reads::CONSOLE),
        955..980 => (&persona::SSO_CLI, reads::INFRASTRUCTURE),
        980..995 => (&persona::USER_CLI, reads::INFRASTRUCTURE),
        _ => (&persona::USER_CONSOLE, reads::CONSOLE),
    }
}

fn person(rng: &mut fastrand::Rng) -> &'static Persona {
    match rng.u32(..100) {
        0..45 => &persona::SSO_CONSOLE,
        45..70 => &persona::SSO_CLI,
        70..90 => &persona::USER_CLI,
        _ => &persona::USER_CONSOLE,
    }
}

fn refused(who: Refused, rng: &mut fastrand::Rng) -> (&'static Persona, &'static [Call], bool) {
    match (who, rng.u32(..10)) {
        (Refused::Person, 0..5) => (person(rng), changes::HUMAN, false),
        (Refused::Person, _) => (person(rng), reads::INFRASTRUCTURE, true),
        (Refused::Service, 0..9) => (&persona::LINKED, reads::LINKED, true),
        (Refused::Service, _) => (&persona::LINKED, changes::LINKED, false),
        (Refused::Software, 0..5) => (&persona::TASK, reads::WORKLOAD, true),
        (Refused::Software, 5..8) => (&persona::INSTANCE, reads::WORKLOAD, true),
        (Refused::Software, _) => (&persona::FUNCTION, changes::SOFTWARE, false),
    }
}

struct Writer<'o> {
    scene: Scene,
    act: Act,
    out: &'o mut String,
}

impl Writer<'_> {
    fn put(&mut self, template: &str) {
        self.scene.expand(template, self.out);
    }

    fn record(&mut self) {
        let versions = ["1.11", "1.10", "1.11", "1.09", "1.08", "1.11"];
        self.out.push_str(r#"{"eventVersion":""#);
        self.out.push_str(one_of(&versions, tag(self.act.call.source)));
        self.out.push_str(r#"","userIdentity":"#);
        self.put(self.act.persona.identity);
        self.put(r#","eventTime":"<time>","eventSource":"<service>.amazonaws.com","eventName":""#);
        self.out.push_str(self.act.call.name);
        self.put(r#"","awsRegion":"<region>","sourceIPAddress":""#);
        self.put(self.act.persona.ip);
        self.out.push_str(r#"","userAgent":""#);
        self.put(one_of(self.act.persona.agents, mix(self.scene.me, 2)));
        self.out.push('"');
        self.error();
        self.parameters();
        self.identifiers();
        self.ending();
    }

    fn error(&mut self) {
        let ec2 = self.act.call.source == "ec2";
        match self.act.error {
            None => {}
            Some(Problem::Denied) if ec2 => {
                self.put(r#","errorCode":"Client.UnauthorizedOperation","errorMessage":"You are not authorized to perform this operation. User: "#);
                self.put(self.act.persona.arn);
                self.put(r#" is not authorized to perform: ec2:<event> because no identity-based policy allows the ec2:<event> action. Encoded authorization failure message: <b64.420>""#);
            }
            Some(Problem::Denied) => {
                let code =
                    if matches!(self.act.call.source, "kms" | "ssm" | "secretsmanager" | "ecs" | "logs") {
                        "AccessDeniedException"
                    } else {
                        "AccessDenied"
                    };
                self.out.push_str(r#","errorCode":""#);
                self.out.push_str(code);
                self.put(r#"","errorMessage":"User: "#);
                self.put(self.act.persona.arn);
                self.put(r#" is not authorized to perform: <service>:<event> on resource: arn:aws:<service>:<region>:<account>:<system> because no identity-based policy allows the <service>:<event> action""#);
            }
            Some(Problem::Missing) => {
                self.put(
                    r#","errorCode":"ResourceNotFoundException","errorMessage":"<system> does not exist""#,
                );
            }
            Some(Problem::Throttled) => {
                self.put(r#","errorCode":"ThrottlingException","errorMessage":"Rate exceeded""#);
            }
            Some(Problem::SignInFailed) => self.put(r#","errorMessage":"Failed authentication""#),
        }
    }

    fn parameters(&mut self) {
        self.out.push_str(r#","requestParameters":"#);
        // IAM leaves the request out of what it refuses.
        let hidden = self.act.denied() && self.act.call.source == "iam";
        self.put(if hidden { "null" } else { self.act.call.request });
        self.out.push_str(r#","responseElements":"#);
        let failed = matches!(self.act.error, Some(problem) if problem != Problem::SignInFailed);
        self.put(if failed { "null" } else { self.act.call.response });
        if !self.act.call.additional.is_empty() {
            self.out.push_str(r#","additionalEventData":"#);
            self.put(self.act.call.additional);
        }
    }

    fn identifiers(&mut self) {
        match (self.act.event_type, self.act.call.source) {
            (SIGN_IN, _) => {}
            (_, "s3") => self.put(r#","requestID":"<s3reqid>""#),
            _ => self.put(r#","requestID":"<reqid>""#),
        }
        self.put(r#","eventID":"<uuid>""#);
        self.out.push_str(if self.act.read_only { r#","readOnly":true"# } else { r#","readOnly":false"# });
        if let Some((kind, arn)) = self.act.call.resource {
            self.put(r#","resources":[{"accountId":"<account>","#);
            if !kind.is_empty() {
                self.out.push_str(r#""type":""#);
                self.out.push_str(kind);
                self.out.push_str(r#"","#);
            }
            self.out.push_str(r#""ARN":""#);
            self.put(arn);
            self.out.push_str(r#""}]"#);
        }
        self.out.push_str(r#","eventType":""#);
        self.out.push_str(self.act.event_type);
        self.out.push('"');
    }

    fn ending(&mut self) {
        if self.act.call.source == "elasticloadbalancing" {
            self.out.push_str(r#","apiVersion":"2015-12-01""#);
        }
        let data = self.act.call.data;
        self.out.push_str(if data { r#","managementEvent":false"# } else { r#","managementEvent":true"# });
        self.put(r#","recipientAccountId":"<account>""#);
        if self.act.persona.identity == persona::SERVICE.identity {
            self.put(r#","sharedEventID":"<uuid>""#);
        }
        if self.act.persona.private && self.scene.me.is_multiple_of(3) {
            self.put(r#","vpcEndpointId":"<vpce>","vpcEndpointAccountId":"<account>""#);
        }
        self.out.push_str(if data {
            r#","eventCategory":"Data""#
        } else {
            r#","eventCategory":"Management""#
        });
        if self.act.persona.tls && self.act.event_type != SERVICE_EVENT {
            self.put(r#","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"<service>.<region>.amazonaws.com"}"#);
        }
        if self.act.persona.console {
            self.out.push_str(r#","sessionCredentialFromConsole":"true""#);
        }
        self.out.push('}');
    }
}
