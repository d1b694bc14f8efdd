//! Codes of no detector, one for each way that codes are dealt with: what core does depends on their properties alone.

use handsoff_cloudtrail::Class;

use super::{AlertRule, Code, Repeats, Row, Scope};
use crate::code::IncidentKind;

pub(crate) const ALL: [Code; 11] =
    [CHANGE, BY_CODE, ATTACK, OPENED, ACTIVITY, ESCALATION, UNAPPROVED, CLOSED, DRILL, DENIED, PROBING];

const CALL: Row = Row::of("sample", IncidentKind::Drift);
const GLASS: Row = Row::of("sample-glass", IncidentKind::Glass);
const DENIALS: Row = Row { repeats: Repeats::Always, ..Row::of("sample-denials", IncidentKind::Denials) };

pub(crate) const CHANGE: Code = Code::new(&Row {
    place: 1,
    name: "change",
    title: "Production changed by hand",
    repeats: Repeats::Ordinary,
    ..CALL
});
pub(crate) const BY_CODE: Code =
    Code::new(&Row { place: 2, name: "by-code", title: "By code", repeats: Repeats::Always, ..CALL });
pub(crate) const ATTACK: Code = Code::new(&Row {
    place: 3,
    name: "attack",
    title: "Attacked",
    alerts: AlertRule::Gravest,
    class: Some(Class::Detection),
    ..CALL
});
pub(crate) const OPENED: Code =
    Code::new(&Row { place: 4, name: "opened", title: "Opened", opens_session: true, ..GLASS });
pub(crate) const ACTIVITY: Code =
    Code::new(&Row { place: 5, name: "activity", title: "Activity", is_routine: true, ..GLASS });
pub(crate) const ESCALATION: Code =
    Code::new(&Row { place: 6, name: "escalation", title: "Escalates", alerts: AlertRule::Grave, ..GLASS });
pub(crate) const UNAPPROVED: Code = Code::new(&Row {
    place: 7,
    name: "unapproved",
    title: "Unapproved",
    scope: Scope::Session,
    alerts: AlertRule::Once,
    ..GLASS
});
pub(crate) const CLOSED: Code =
    Code::new(&Row { place: 8, name: "closed", title: "Closed", scope: Scope::SessionEnd, ..GLASS });
pub(crate) const DRILL: Code =
    Code::new(&Row { place: 9, name: "drill", title: "Drill due", scope: Scope::Drill, ..GLASS });
pub(crate) const DENIED: Code = Code::new(&Row { place: 10, name: "denied", title: "Denied", ..DENIALS });
pub(crate) const PROBING: Code =
    Code::new(&Row { place: 11, name: "probing", title: "Probing", says_more: true, ..DENIALS });
