//! `handsoff policy check`: mistakes in a policy, and what doesn't hold any more. `handsoff policy parameters`: what
//! the stack has to know of it.

mod actions;
mod deploy;
mod images;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use handsoff_cloudtrail::{Effect, Record};
use handsoff_core::origins::Origins;
use handsoff_core::policy::{Change, IdentityPattern, Origin, exceptions};
use handsoff_core::rules::{self, Names};
use handsoff_core::{Call, Engine, Kind, Outcome, Policy, Trace, Verdict, show::clean};

use crate::args::{Check, Parameters};
use crate::input::{self, Place, Position, Reader, Sink};
use crate::{Exit, load, output};

use actions::Mistake;
pub(crate) use actions::is_known;

/// Runs the command.
///
/// # Errors
/// Only when the output can't be written.
pub fn run(args: &Check, out: &mut dyn Write) -> io::Result<Exit> {
    let file = args.file.as_deref().unwrap_or(Path::new(load::HERE));
    let policy = match load::own(args.file.as_deref()) {
        Ok(policy) => policy,
        Err(why) => {
            output::error(&why.to_string());
            return Ok(Exit::Failure);
        }
    };
    let mut warnings = exceptions::ending(&policy, load::now());
    warnings.extend(actions::broad(&policy));
    warnings.extend(anybodys_approval(&policy));
    warnings.extend(no_approvers(&policy));
    warnings.extend(open_web_identities(&policy));
    warnings.extend(deploy::warnings(&policy));
    warnings.extend(images::warnings(&policy));
    let names = args
        .parameters
        .as_deref()
        .map_or_else(|| rules::names(&handsoff_functions::rules(), &policy), Names::parse);
    warnings.extend(coarse(&names));
    let mut errors = undeployable(&policy, &names);
    for mistake in actions::mistakes(&policy) {
        match mistake {
            Mistake::Typo(what) => errors.push(what),
            Mistake::Unknown(what) => warnings.push(what),
        }
    }
    for error in &errors {
        output::error(error);
    }
    let mut wrong = !errors.is_empty();
    if !args.logs.is_empty() {
        let found = input::find(&args.logs);
        let mut sink = Matching::new(&policy);
        for source in &found.sources {
            Reader::default().read(source, &mut sink, &|_| {});
        }
        let problems = sink.problems + found.problems.len();
        wrong |= problems > 0;
        if problems > 0 {
            output::error(&format!("{problems} problems in the logs: `handsoff replay` names them"));
        }
        if sink.read == 0 {
            output::error("no record was read from the logs: they can't show what matches");
            wrong = true;
        } else {
            warnings.extend(sink.unmatched());
        }
    }
    for warning in &warnings {
        writeln!(out, "{warning}")?;
    }
    let Policy { deploy, break_glass, workloads, exceptions, .. } = &policy;
    writeln!(
        out,
        "{}: {} [[deploy]], {} [[break_glass]], {} [[workload]], {} [[exception]] entries; {} warnings",
        file.display(),
        deploy.len(),
        break_glass.len(),
        workloads.len(),
        exceptions.len(),
        warnings.len(),
    )?;
    Ok(if wrong { Exit::Failure } else { Exit::Success })
}

/// Prints the parameters of the stack that have to agree with a policy.
///
/// # Errors
/// Only when the output can't be written.
pub fn parameters(args: &Parameters, out: &mut dyn Write) -> io::Result<Exit> {
    let policy = match load::own(args.file.as_deref()) {
        Ok(policy) => policy,
        Err(why) => {
            output::error(&why.to_string());
            return Ok(Exit::Failure);
        }
    };
    let names = rules::names(&handsoff_functions::rules(), &policy);
    for (parameter, value) in names.parameters() {
        writeln!(out, "{parameter}={value}")?;
    }
    for warning in coarse(&names) {
        let _ = writeln!(io::stderr(), "{warning}");
    }
    let errors = undeployable(&policy, &names);
    for error in &errors {
        output::error(error);
    }
    Ok(if errors.is_empty() { Exit::Success } else { Exit::Failure })
}

/// Why a stack with these names can't be deployed, or wouldn't see what the policy means.
fn undeployable(policy: &Policy, names: &Names) -> Vec<String> {
    let refused = rules::refused(&handsoff_functions::rules(), names).into_iter();
    let refused =
        refused.map(|why| format!("{why}: `handsoff policy parameters` prints lists that it accepts"));
    let left_out = rules::uncovered(policy, names).into_iter();
    let left_out =
        left_out.map(|line| format!("{line}: the event rules leave it out, so it would find nothing"));
    refused.chain(left_out).collect()
}

/// Rules that let through much more than the policy means.
fn coarse(names: &Names) -> Vec<String> {
    let both = [("[[break_glass]]", &names.break_glass), ("[[deploy]]", &names.deploy)];
    let told = both.into_iter().filter_map(|(entries, lists)| Some((entries, lists.coarse()?)));
    told.map(|(entries, through)| {
        format!(
            "{entries}: EventBridge doesn't accept rules that name these one by one, so the rules match \
             {through}: about $1.40 a million of these; the function ignores what the policy doesn't name. \
             Fewer `*`, and names that begin with letters of their own, make finer rules"
        )
    })
    .collect()
}

/// Approvals that whoever may write to the bus can give, an emergency identity among them.
fn anybodys_approval(policy: &Policy) -> Vec<String> {
    let asked =
        policy.break_glass.iter().filter(|entry| entry.approval && policy.cases.approvals_from.is_empty());
    asked
        .map(|entry| {
            format!(
                "{}: requires approval, and `approvals_from` of [cases] is empty: any principal that may \
                 put events on the bus, the session itself too, can give it; list the account that \
                 approvals come from",
                entry.line
            )
        })
        .collect()
}

/// Approvals that anybody can give whose name is written into a grant.
fn no_approvers(policy: &Policy) -> Option<String> {
    let asks = policy.break_glass.iter().find(|entry| entry.approval && policy.cases.approvers.is_empty())?;
    Some(format!(
        "{}: requires approval, and `approvers` of [cases] is empty: anyone except the session's own \
         person can give it; list who may",
        asks.line
    ))
}

/// Web identities that more than one system may turn out to have.
fn open_web_identities(policy: &Policy) -> Vec<String> {
    let entries = policy.deploy.iter().flat_map(|entry| {
        entry.assumed_by.iter().filter_map(move |origin| match origin {
            Origin::WebIdentity(identity) => Some((&entry.line, identity)),
            _ => None,
        })
    });
    let warned = entries.filter_map(|(line, identity)| {
        Some(format!("{line}: `{}` of `assumed_by` {}", clean(identity.subject(), 128), identity.warning()?))
    });
    warned.collect()
}

/// Notes which entries match something.
struct Matching<'p> {
    engine: Engine<'p>,
    entries: Vec<(String, &'p IdentityPattern, bool)>,
    /// The exceptions that covered a call, by their place.
    covered: BTreeSet<usize>,
    /// What entries let an identity change, and whether it did.
    allowed: Vec<Allowed<'p>>,
    read: u64,
    problems: usize,
}

impl<'p> Matching<'p> {
    fn new(policy: &'p Policy) -> Self {
        let mut entries: Vec<(String, &IdentityPattern, bool)> = Vec::new();
        entries.extend(policy.deploy.iter().map(|entry| (entry.line.to_string(), &entry.identity, false)));
        entries
            .extend(policy.break_glass.iter().map(|entry| (entry.line.to_string(), &entry.identity, false)));
        entries.extend(policy.workloads.iter().map(|entry| (entry.line.to_string(), &entry.identity, false)));
        entries
            .extend(policy.exceptions.iter().map(|entry| (entry.line.to_string(), &entry.identity, false)));
        Self {
            engine: handsoff_functions::engine(policy),
            entries,
            covered: BTreeSet::new(),
            allowed: Allowed::all(policy),
            read: 0,
            problems: 0,
        }
    }

    fn unmatched(self) -> Vec<String> {
        let idle = self
            .engine
            .policy
            .exceptions
            .iter()
            .enumerate()
            .filter(|(place, _)| !self.covered.contains(place));
        let idle = idle.map(|(_, exception)| exception.line.to_string());
        let idle: Vec<String> = idle
            .filter(|line| self.entries.iter().any(|(entry, _, matched)| entry == line && *matched))
            .collect();
        let nobody =
            self.entries.into_iter().filter(|(_, _, matched)| !matched).map(|(line, identity, _)| {
                format!("{line}: `{}` matches no identity in these logs", clean(identity.as_str(), 256))
            });
        let nothing = idle.into_iter().map(|line| format!("{line}: covers no call in these logs"));
        let unused = self.allowed.iter().filter(|allowed| !allowed.is_used).map(Allowed::shown);
        nobody.chain(nothing).chain(unused).collect()
    }
}

/// Something that an entry lets its identity change.
struct Allowed<'p> {
    line: String,
    kind: Kind,
    /// The entry's place among those of its kind.
    place: usize,
    change: Cow<'p, Change>,
    is_used: bool,
}

impl<'p> Allowed<'p> {
    fn all(policy: &'p Policy) -> Vec<Self> {
        let deploys = policy.deploy.iter().enumerate().flat_map(|(place, entry)| {
            let changes = entry.may_change.iter().flatten();
            changes.map(move |change| (&entry.line, Kind::DeployRole, place, Cow::Borrowed(change)))
        });
        let workloads = policy.workloads.iter().enumerate().flat_map(|(place, entry)| {
            let actions = entry.may_write.iter().map(|action| Cow::Owned(Change::Action(action.clone())));
            actions.map(move |change| (&entry.line, Kind::Workload, place, change))
        });
        deploys
            .chain(workloads)
            .map(|(line, kind, place, change)| Self {
                line: line.to_string(),
                kind,
                place,
                change,
                is_used: false,
            })
            .collect()
    }

    fn is_used_by(&self, call: &Call<'_>) -> bool {
        let own = call.principal.kind == self.kind && call.principal.entry == Some(self.place);
        own && call.outcome == Outcome::Succeeded
            && call.effect == Effect::Changes
            && self.change.covers(&call.action, call.class())
    }

    fn shown(&self) -> String {
        let key = if self.kind == Kind::DeployRole { "may_change" } else { "may_write" };
        format!("{}: `{key}` lists `{}`, which nothing in these logs needed", self.line, self.change)
    }
}

impl Sink for Matching<'_> {
    fn record(&mut self, record: &Record<'_>, _: &Place<'_>) {
        self.read += 1;
        let call = self.engine.classify(*record, &Origins::default(), &mut Trace::off());
        if let Verdict::Excepted(place) = self.engine.judge(&call, &mut Trace::off()) {
            self.covered.insert(place);
        }
        for allowed in self.allowed.iter_mut().filter(|allowed| !allowed.is_used) {
            allowed.is_used = allowed.is_used_by(&call);
        }
        let account = call.account();
        let target = record.assumed_role_arn();
        for (_, identity, matched) in self.entries.iter_mut().filter(|(_, _, matched)| !matched) {
            let names = [call.principal.arn.as_deref(), target.as_deref()];
            *matched = names.iter().flatten().any(|arn| identity.matches(arn, account.as_deref()));
        }
    }

    fn problem(&mut self, _: Option<Position>, _: String) {
        self.problems += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_that_anybody_can_give_is_reported() {
        let entry = "[[break_glass]]\nidentity=\"arn:aws:iam::*:role/x\"\napproval=true";
        let told = |text: &str| anybodys_approval(&Policy::parse("p", text).unwrap());
        assert!(told(entry)[0].starts_with("p:1 [[break_glass]]: requires approval"));
        assert!(told(&format!("{entry}\n[cases]\napprovals_from=[\"111122223333\"]")).is_empty());
        assert!(told(&entry.replace("true", "false")).is_empty());
    }

    #[test]
    fn that_nobody_is_listed_as_approver_is_reported_once() {
        let entry = "[[break_glass]]\nidentity=\"arn:aws:iam::*:role/x\"\napproval=true\n";
        let told = |text: &str| no_approvers(&Policy::parse("p", text).unwrap());
        let twice = told(&format!("{entry}{}", entry.replace("role/x", "role/y"))).unwrap();
        assert!(twice.starts_with("p:1 [[break_glass]]: requires approval, and `approvers`"), "{twice}");
        assert_eq!(told(&format!("{entry}[cases]\napprovers=[\"carol\"]")), None);
        assert_eq!(told(&entry.replace("true", "false")), None);
    }

    #[test]
    fn a_web_identity_that_others_may_come_to_have_is_reported() {
        let entry = |origin: &str| {
            let text = format!("[[deploy]]\nidentity=\"arn:aws:iam::*:role/x\"\nassumed_by=[\"{origin}\"]");
            open_web_identities(&Policy::parse("p", &text).unwrap())
        };
        let told = entry("oidc:repo:acme/infra:*");
        assert!(
            told[0].starts_with("p:1 [[deploy]]: `repo:acme/infra:*` of `assumed_by` names a repository"),
            "{told:?}"
        );
        assert!(entry("oidc:repo:acme@12/infra@345:*").is_empty());
        assert_eq!(entry("oidc:system:serviceaccount:ci:deploy").len(), 1);
    }
}
