//! Which incidents are of one story before anything ties them: those of a principal and day.

use crate::code::IncidentKind;
use crate::group;
use crate::principal::Kind;
use crate::reported::ReportedRef;
use crate::severity::Severity;

/// The incident of the denied calls that the principal of a finding made on its day.
pub(crate) fn denials_of(finding: ReportedRef<'_>) -> Option<String> {
    Some(group::name(IncidentKind::Denials, &principal_and_day(finding)?))
}

/// The incident of the denied calls of its principal and day, for a finding that says what the principal could do all the
/// same: a call that succeeded, grave enough to be alerted.
pub fn worked_around(finding: ReportedRef<'_>) -> Option<String> {
    let succeeded = finding.call().is_some_and(|call| call.error.is_none());
    let worked =
        succeeded && finding.severity() >= Severity::Medium && !group::is_denials(finding.incident());
    denials_of(finding).filter(|_| worked)
}

/// What the alerts of incidents have in common that are of one story, if nothing shows that it began in another: those of
/// a principal and day, but of a session that is an incident of its own.
pub(crate) fn thread(finding: ReportedRef<'_>) -> String {
    let (incident, principal) = (finding.incident(), finding.principal());
    let of_the_day = group::is_denials(incident)
        || principal.arn.contains(":user/")
        || matches!(principal.kind, Kind::Workload | Kind::Unknown);
    let parts = principal_and_day(finding).filter(|_| of_the_day && !group::is_glass(incident));
    parts.map_or_else(|| incident.to_owned(), |parts| group::name_of("story", &parts))
}

/// The incident of those that failed from the address of a sign-in on its day.
pub(crate) fn failed_before(finding: ReportedRef<'_>) -> Option<String> {
    let call = finding.call().filter(|call| call.action == "signin:ConsoleLogin")?;
    let from = group::sign_ins_from(&call.account, call.source_ip.parse().ok()?);
    Some(group::denials_incident(&from, call.time)).filter(|incident| incident != finding.incident())
}

/// As [`group::denial_group`] and the day have it.
fn principal_and_day(finding: ReportedRef<'_>) -> Option<[String; 2]> {
    let (principal, account) = (finding.principal(), finding.account());
    let arn = Some(&*principal.arn).filter(|arn| !arn.is_empty())?;
    let shared = arn.rsplit('/').next().and_then(handsoff_cloudtrail::permission_set_of).is_some();
    let person = principal.human.as_deref().filter(|_| shared).unwrap_or_default();
    let role = if person.is_empty() { group::without_suffix(arn) } else { group::IDENTITY_CENTER.to_owned() };
    Some([format!("{account}|{role}|{person}"), group::day(finding.time())])
}
