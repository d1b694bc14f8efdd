//! What a second policy adds and loses: messages and findings that only one of the two leads to.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use comfy_table::CellAlignment;
use handsoff_cloudtrail::Time;
use handsoff_core::alert::{Alert, Milestone};
use handsoff_core::{Code, Key, Kind, Policy, Reported, ReportedRef, Severity};
use serde::{Serialize, Serializer};
use strum::VariantArray;

use super::rule::Rule;
use crate::args::Format;
use crate::numbers::{count_of, thousands};
use crate::outcome::Outcome;
use crate::output;

/// What came of the same records by one policy.
#[derive(Clone, Copy)]
pub(crate) struct By<'o> {
    /// The policy's name.
    pub(crate) name: &'o str,
    pub(crate) policy: &'o Policy,
    pub(crate) outcome: &'o Outcome,
}

/// A number of the first, and of the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Two {
    pub(crate) first: u64,
    pub(crate) second: u64,
}

impl Two {
    fn of(&mut self, side: Side) -> &mut u64 {
        match side {
            Side::First => &mut self.first,
            Side::Second => &mut self.second,
        }
    }

    /// That of one of them.
    pub(crate) fn get(mut self, side: Side) -> u64 {
        *self.of(side)
    }
}

/// Which of the policies.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::IntoStaticStr, strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub(crate) enum Side {
    First,
    Second,
}

impl Side {
    pub(crate) const ALL: &'static [Self] = Self::VARIANTS;

    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What messages and findings are counted by: the code and principal (of a message those that its incident is named by;
/// a digest has none), and the severity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(crate) severity: Severity,
    pub(crate) rule: Option<Rule>,
}

/// Messages or findings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Difference {
    /// How many there are.
    pub(crate) all: Two,
    /// How many only one has.
    pub(crate) only: Two,
    pub(crate) groups: BTreeMap<Group, Two>,
}

impl Difference {
    fn add(&mut self, side: Side, group: Group) {
        *self.only.of(side) += 1;
        *self.groups.entry(group).or_default().of(side) += 1;
    }

    /// What only one has: the gravest first, then the most.
    pub(crate) fn by(&self, side: Side) -> Vec<(&Group, u64)> {
        let mut groups: Vec<_> =
            self.groups.iter().map(|(group, two)| (group, two.get(side))).filter(|(_, it)| *it > 0).collect();
        groups.sort_by(|(a, n), (b, m)| (b.severity, m, &a.rule).cmp(&(a.severity, n, &b.rule)));
        groups
    }
}

/// All that differs.
pub(crate) struct Comparison {
    pub(crate) names: [String; 2],
    /// What is less severe is left out.
    pub(crate) min: Severity,
    pub(crate) messages: Difference,
    pub(crate) findings: Difference,
    /// The messages that only one policy sends, by time.
    pub(crate) only: Vec<(Side, Alert)>,
}

impl Comparison {
    /// Compares what came of the same records.
    ///
    /// # Errors
    /// When findings can't be read back.
    pub(crate) fn of(first: By<'_>, second: By<'_>, min: Severity) -> io::Result<Self> {
        let (messages, only) = messages(first, second, min);
        Ok(Self {
            names: [first.name.to_owned(), second.name.to_owned()],
            min,
            messages,
            findings: findings(first.outcome, second.outcome, min)?,
            only,
        })
    }

    /// Whether nothing differs.
    pub(crate) fn is_same(&self) -> bool {
        self.messages.only == Two::default() && self.findings.only == Two::default()
    }
}

/// What makes two messages the same: when and why each is sent, about what, how grave, and what it tells.
type Sent = (Option<Time>, String, &'static str, Severity, BTreeSet<Milestone>, String);

fn sent(alert: &Alert) -> Sent {
    let Alert { at, incident, cause, severity, tells, event_id, .. } = alert;
    (*at, incident.clone(), cause.as_str(), *severity, tells.clone(), event_id.clone())
}

fn messages(first: By<'_>, second: By<'_>, min: Severity) -> (Difference, Vec<(Side, Alert)>) {
    let mut difference = Difference::default();
    let mut only = Vec::new();
    let mut groups: BTreeMap<Sent, (Vec<Alert>, Vec<Alert>)> = BTreeMap::new();
    for (side, by) in Side::ALL.iter().copied().zip([first, second]) {
        for alert in by.outcome.alerts(by.policy).into_iter().filter(|alert| alert.severity >= min) {
            *difference.all.of(side) += 1;
            let (ours, theirs) = groups.entry(sent(&alert)).or_default();
            match side {
                Side::First => ours.push(alert),
                Side::Second => theirs.push(alert),
            }
        }
    }
    let rules = [first, second].map(|by| {
        let incidents = by.outcome.incidents.iter();
        let rule = incidents.filter_map(|it| Some((it.id.as_str(), Rule::of(it.lead()?))));
        rule.collect::<BTreeMap<_, _>>()
    });
    for (ours, theirs) in groups.into_values() {
        let both = ours.len().min(theirs.len());
        for ((side, alerts), rules) in Side::ALL.iter().copied().zip([ours, theirs]).zip(&rules) {
            for alert in alerts.into_iter().skip(both) {
                let rule = rules.get(&*alert.incident).cloned();
                difference.add(side, Group { severity: alert.severity, rule });
                only.push((side, alert));
            }
        }
    }
    (difference, only)
}

/// What makes two findings the same: the event, and the verdict on it. In the order of findings.
type Found = (Option<Time>, Key, Code, Severity, Kind, String);

fn found(reported: ReportedRef<'_>) -> Found {
    let (time, key, code) = reported.order();
    let who = reported.principal();
    (time, key, code, reported.severity(), who.kind, who.arn.clone())
}

/// Both are in the order of time, event and code: they are gone through side by side.
fn findings(first: &Outcome, second: &Outcome, min: Severity) -> io::Result<Difference> {
    let mut difference = Difference::default();
    let severe = |it: &io::Result<Reported>| it.as_ref().map_or(true, |it| it.as_ref().severity() >= min);
    let (mut ours, mut theirs) =
        (first.findings.iter().filter(severe), second.findings.iter().filter(severe));
    let (mut one, mut other) = (ours.next().transpose()?, theirs.next().transpose()?);
    loop {
        let order = match (&one, &other) {
            (None, None) => return Ok(difference),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => found(one.as_ref()).cmp(&found(other.as_ref())),
        };
        let mut take = |side, reported: &mut Option<Reported>, next: Option<Reported>| {
            if let Some(reported) = std::mem::replace(reported, next) {
                *difference.all.of(side) += 1;
                if order != Ordering::Equal {
                    let reported = reported.as_ref();
                    let group = Group { severity: reported.severity(), rule: Some(Rule::of(reported)) };
                    difference.add(side, group);
                }
            }
        };
        if order.is_le() {
            take(Side::First, &mut one, ours.next().transpose()?);
        }
        if order.is_ge() {
            take(Side::Second, &mut other, theirs.next().transpose()?);
        }
    }
}

/// Prints the comparison; with `each` every message that only one policy sends.
///
/// # Errors
/// When it can't be written.
pub(crate) fn print(
    comparison: &Comparison,
    format: Format,
    each: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    match (format, each) {
        (Format::Text, _) => text(comparison, each, out),
        (_, true) => comparison
            .only
            .iter()
            .try_for_each(|(only_in, alert)| line(&Message { only_in: *only_in, alert }, out)),
        (_, false) => jsonl(comparison, out),
    }
}

#[derive(Serialize)]
struct Message<'c> {
    only_in: Side,
    #[serde(flatten)]
    alert: &'c Alert,
}

/// A line of the comparison: of the totals, or of a group that one policy has more of.
#[derive(Serialize)]
#[serde(tag = "compared", rename_all = "kebab-case")]
enum Line<'c> {
    Policies { first: &'c str, second: &'c str, messages: Total, findings: Total },
    Messages(Excess<'c>),
    Findings(Excess<'c>),
}

#[derive(Serialize)]
struct Total {
    first: u64,
    second: u64,
    only_first: u64,
    only_second: u64,
}

impl Total {
    fn of(difference: &Difference) -> Self {
        let Difference { all, only, .. } = difference;
        Self { first: all.first, second: all.second, only_first: only.first, only_second: only.second }
    }
}

#[derive(Serialize)]
struct Excess<'c> {
    only_in: Side,
    #[serde(serialize_with = "code_or_digest")]
    code: Option<Code>,
    severity: Severity,
    principal_kind: Option<Kind>,
    principal: &'c str,
    count: u64,
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn code_or_digest<S: Serializer>(code: &Option<Code>, serializer: S) -> Result<S::Ok, S::Error> {
    code.map_or("digest", Code::as_str).serialize(serializer)
}

fn line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn jsonl(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let Comparison { names: [first, second], messages, findings, .. } = comparison;
    let (messages_total, findings_total) = (Total::of(messages), Total::of(findings));
    line(&Line::Policies { first, second, messages: messages_total, findings: findings_total }, out)?;
    for (difference, kind) in [(messages, Line::Messages as fn(_) -> _), (findings, Line::Findings)] {
        for only_in in Side::ALL.iter().copied() {
            for (group, count) in difference.by(only_in) {
                let rule = group.rule.as_ref();
                let excess = Excess {
                    only_in,
                    code: rule.map(|rule| rule.code),
                    severity: group.severity,
                    principal_kind: rule.map(|rule| rule.kind),
                    principal: rule.map_or("", |rule| &rule.principal),
                    count,
                };
                line(&kind(excess), out)?;
            }
        }
    }
    Ok(())
}

fn text(comparison: &Comparison, each: bool, out: &mut dyn Write) -> io::Result<()> {
    let Comparison { names: [first, second], messages, findings, min, .. } = comparison;
    writeln!(out, "The first policy: {first}; the second: {second}.")?;
    if *min > Severity::Info {
        writeln!(out, "What is below {min} is left out.")?;
    }
    let mut table = output::table(["", "first", "second", "only first", "only second"].map(str::to_owned));
    for (name, Difference { all, only, .. }) in [("messages", messages), ("findings", findings)] {
        let [first, second, ours, theirs] = [all.first, all.second, only.first, only.second].map(thousands);
        table.add_row([name.to_owned(), first, second, ours, theirs]);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    writeln!(out, "\n{}\n", table.trim_fmt())?;
    if comparison.is_same() {
        writeln!(out, "No difference: both policies send the same messages and find the same.\n")?;
        return Ok(());
    }
    for side in Side::ALL.iter().copied() {
        if each {
            each_message(comparison, side, out)?;
            continue;
        }
        for (name, difference) in [("message", messages), ("finding", findings)] {
            let only = difference.only.get(side);
            if only > 0 {
                writeln!(out, "Only with the {} policy: {}", side.as_str(), count_of(only, name))?;
                groups(difference, side, out)?;
                writeln!(out)?;
            }
        }
    }
    Ok(())
}

fn groups(difference: &Difference, side: Side, out: &mut dyn Write) -> io::Result<()> {
    for (group, count) in difference.by(side) {
        let (code, who) = group.rule.as_ref().map_or(("digest", ""), |it| (it.code.as_str(), &*it.principal));
        writeln!(out, "  {:>8}  {:<8}  {code:<22}  {who}", thousands(count), group.severity)?;
    }
    Ok(())
}

fn each_message(comparison: &Comparison, side: Side, out: &mut dyn Write) -> io::Result<()> {
    let only: Vec<&Alert> =
        comparison.only.iter().filter(|(of, _)| *of == side).map(|(_, alert)| alert).collect();
    if only.is_empty() {
        return Ok(());
    }
    writeln!(out, "Only with the {} policy: {}", side.as_str(), count_of(only.len() as u64, "message"))?;
    for alert in only {
        writeln!(out, "  {}  {}", alert.time.as_deref().unwrap_or("(no time)           "), alert.subject)?;
    }
    writeln!(out)
}
