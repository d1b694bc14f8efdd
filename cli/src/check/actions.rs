//! Whether the actions that a policy names exist.
//!
//! The table of operations is never complete: AWS adds some hundreds a year. So what it lacks is an error only where
//! it has something so near that a typo is likelier.

use std::collections::BTreeSet;

use handsoff_cloudtrail::{AccessLevel, Action, Class, operations, service_of};
use handsoff_core::Policy;
use handsoff_core::policy::{ActionPattern, Change, Line, nearest};
use handsoff_core::show::clean;

/// What is wrong with an action pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// It means nothing, and something is near that does.
    Typo(String),
    /// Nothing is known that it means.
    Unknown(String),
}

/// The mistakes in all action patterns of a policy.
pub(super) fn mistakes(policy: &Policy) -> Vec<Mistake> {
    let mut found = Vec::new();
    for (line, key, pattern) in patterns(policy) {
        let at = format!("{line}: `{}` of `{key}`", clean(pattern.as_str(), 128));
        found.extend(mistake(pattern).map(|mistake| match mistake {
            Mistake::Typo(what) => Mistake::Typo(format!("{at} {what}")),
            Mistake::Unknown(what) => Mistake::Unknown(format!("{at} {what}")),
        }));
    }
    found
}

/// All action patterns of a policy, with the line of their entry and the key that has them.
fn patterns(policy: &Policy) -> impl Iterator<Item = (&Line, &'static str, &ActionPattern)> {
    let deploy = policy.deploy.iter().flat_map(|entry| {
        let list = entry.may_change.iter().flatten();
        list.filter_map(move |change| match change {
            Change::Action(pattern) => Some((&entry.line, "may_change", pattern)),
            Change::Class(_) => None,
        })
    });
    let workloads = policy
        .workloads
        .iter()
        .flat_map(|entry| entry.may_write.iter().map(move |pattern| (&entry.line, "may_write", pattern)));
    let exceptions = policy
        .exceptions
        .iter()
        .flat_map(|entry| entry.actions.iter().map(move |pattern| (&entry.line, "actions", pattern)));
    deploy.chain(workloads).chain(exceptions)
}

/// Patterns of exceptions that cover what gives rights, ways in or data away, or destroys, without naming it.
pub(super) fn broad(policy: &Policy) -> Vec<String> {
    let patterns = policy.exceptions.iter().flat_map(|entry| entry.actions.iter().map(move |it| (entry, it)));
    let warned = patterns.filter_map(|(entry, pattern)| {
        let (service, name) = pattern.as_str().split_once(':')?;
        let of_service =
            |(known, _): &(&str, &str)| known.eq_ignore_ascii_case(service) && name.contains('*');
        let mut grave = operations().filter(of_service).filter(|(service, name)| {
            let action = Action::named(*service, *name);
            pattern.matches(&action) && is_grave(&action)
        });
        let (_, first) = grave.next()?;
        let others = match grave.count() {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        Some(format!(
            "{}: `{}` of `actions` covers severe changes, such as `{service}:{first}`{others}: name the \
             actions that are meant",
            entry.line,
            clean(pattern.as_str(), 128)
        ))
    });
    warned.collect()
}

fn is_grave(action: &Action<'_>) -> bool {
    action.access() == AccessLevel::PermissionsManagement
        || action.class().is_some_and(|class| class != Class::Network)
}

fn mistake(pattern: &ActionPattern) -> Option<Mistake> {
    let (service, name) = pattern.as_str().split_once(':')?;
    let service = service.to_ascii_lowercase();
    let own: Vec<&str> = operations().filter(|(known, _)| *known == service).map(|(_, name)| name).collect();
    if own.is_empty() && !is_known(&service, name) {
        return Some(unknown_service(&service, name));
    }
    if name.contains('*') {
        let meant = own.iter().any(|name| pattern.matches(&Action::named(service.as_str(), *name)));
        let what = format!("matches no action of `{service}` that handsoff knows: is it one that is newer?");
        return (!meant).then_some(Mistake::Unknown(what));
    }
    if is_known(&service, name) {
        return None;
    }
    Some(match meant(&service, name, &own) {
        Some(meant) => Mistake::Typo(format!(
            "is no action: did you mean `{service}:{meant}`? (One that is newer than handsoff's table is written with a `*` at its end)"
        )),
        None => Mistake::Unknown(format!(
            "is no action of `{service}` that handsoff knows: is it one that is newer{}?",
            elsewhere(name).map(|other| format!(", or `{other}`")).unwrap_or_default()
        )),
    })
}

/// What handsoff has in any of its tables. Sign-ins are in no reference.
pub(crate) fn is_known(service: &str, name: &str) -> bool {
    let action = Action::named(service, name);
    handsoff_cloudtrail::access_level(service, name).is_some()
        || Class::of(service, name).is_some()
        || (service == "signin" && action.effect(None).1 == handsoff_cloudtrail::Basis::List)
}

/// The name that was meant: without the version that CloudTrail writes behind some, or the nearest of the service.
fn meant<'n>(service: &str, name: &'n str, own: &[&'n str]) -> Option<&'n str> {
    let bare = name.find("20").map(|at| name.split_at(at).0).filter(|bare| is_known(service, bare));
    bare.or_else(|| nearest(name, own.iter().copied()))
}

/// The one action of this name in another service.
fn elsewhere(name: &str) -> Option<String> {
    let mut others = operations().filter(|(_, known)| known.eq_ignore_ascii_case(name));
    match (others.next(), others.next()) {
        (Some((service, name)), None) => Some(format!("{service}:{name}")),
        _ => None,
    }
}

fn unknown_service(service: &str, name: &str) -> Mistake {
    let renamed = service_of(service);
    let services: BTreeSet<&str> = operations().map(|(service, _)| service).collect();
    let meant = match services.get(renamed) {
        Some(renamed) => Some(*renamed),
        None => nearest(
            service,
            services.iter().copied().filter(|known| is_known(known, name) || name.contains('*')),
        ),
    };
    let meant =
        meant.map(|meant| format!("; did you mean `{meant}:{}`?", clean(name, 128))).unwrap_or_default();
    Mistake::Unknown(format!("is of a service that handsoff doesn't know{meant}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(action: &str) -> Option<Mistake> {
        let text = format!("[[workload]]\nidentity = \"arn:aws:iam::*:role/x\"\nmay_write = [\"{action}\"]");
        let mut found = mistakes(&Policy::parse("p", &text).unwrap());
        assert!(found.len() < 2);
        found.pop()
    }

    #[test]
    fn a_typo_is_an_error_that_says_what_was_meant() {
        for (written, meant) in [
            ("s3:PutObjct", "s3:PutObject"),
            ("glue:StratJobRun", "glue:StartJobRun"),
            ("sqs:sendmesage", "sqs:SendMessage"),
            ("dynamodb:PutItems", "dynamodb:PutItem"),
            ("lambda:UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode"),
        ] {
            let Some(Mistake::Typo(what)) = found(written) else { panic!("{written}: {:?}", found(written)) };
            let start =
                format!("p:1 [[workload]]: `{written}` of `may_write` is no action: did you mean `{meant}`?");
            assert!(what.starts_with(&start), "{what}");
        }
    }

    #[test]
    fn a_typo_in_what_a_pipeline_may_change_is_one_too() {
        let text =
            "[[deploy]]\nidentity = \"arn:aws:iam::*:role/x\"\nmay_change = [\"ordinary\", \"s3:PutObjct\"]";
        let found = mistakes(&Policy::parse("p", text).unwrap());
        let [Mistake::Typo(what)] = found.as_slice() else { panic!("{found:?}") };
        assert!(what.starts_with("p:1 [[deploy]]: `s3:PutObjct` of `may_change` is no action"), "{what}");
    }

    #[test]
    fn what_the_table_cannot_know_is_a_warning() {
        for (written, why) in [
            ("ec2:BrandNewOperation", "is no action of `ec2` that handsoff knows"),
            ("iam:AssumeRoleWithSAML", "is it one that is newer, or `sts:AssumeRoleWithSAML`?"),
            ("s3:Putt*", "matches no action of `s3` that handsoff knows"),
            ("newservice:Create", "is of a service that handsoff doesn't know"),
            ("lamda:Invoke*", "doesn't know; did you mean `lambda:Invoke*`?"),
            ("monitoring:PutMetricAlarm", "doesn't know; did you mean `cloudwatch:PutMetricAlarm`?"),
        ] {
            let Some(Mistake::Unknown(what)) = found(written) else {
                panic!("{written}: {:?}", found(written))
            };
            assert!(what.contains(why), "{what}");
        }
    }

    #[test]
    fn what_exists_is_fine_in_any_case() {
        for written in [
            "s3:PutObject",
            "S3:putobject",
            "s3:Put*",
            "sqs:*",
            "signin:ConsoleLogin",
            "s3:PutBucketEncryption",
            "ssm:StartSession",
        ] {
            assert_eq!(found(written), None, "{written}");
        }
    }

    /// All that the table has, and all that handsoff itself names.
    #[test]
    fn no_known_operation_is_a_mistake() {
        let mut looked_at = 0;
        for (service, name) in operations().step_by(53) {
            let pattern = ActionPattern::parse(&format!("{service}:{name}")).unwrap();
            assert_eq!(mistake(&pattern), None, "{service}:{name}");
            looked_at += 1;
        }
        assert!(looked_at > 300, "{looked_at}");
    }
}
