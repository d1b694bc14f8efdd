//! Stories: incidents that are tied by an identity which one made and the other used.

use std::collections::BTreeMap;

use handsoff_trail::Time;
use handsoff_watch::Finding;

use super::gather::Row;

/// A user or role that was made.
pub(super) struct Made {
    what: Identity,
    at: Option<Time>,
    incident: String,
}

/// An identity: its account, `user` or `role`, and its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Identity(String, &'static str, String);

impl Made {
    /// What a finding made.
    pub(super) fn by(finding: &Finding) -> Option<Self> {
        let kind = match &*finding.action {
            "iam:CreateUser" => "user",
            "iam:CreateRole" => "role",
            _ => return None,
        };
        let name = finding.resources.first().filter(|_| finding.error.is_none())?;
        let name = name.rsplit('/').next().unwrap_or(name).to_owned();
        let what = Identity(finding.account.clone(), kind, name);
        Some(Self { what, at: finding.time, incident: finding.incident.clone() })
    }
}

/// Who an incident's caller is.
fn caller(row: &Row<'_>) -> Option<Identity> {
    let mut parts = row.lead.principal.arn.splitn(6, ':').skip(4);
    let (account, resource) = (parts.next()?, parts.next()?);
    let (kind, name) = resource.split_once('/')?;
    let kind = ["user", "role"].into_iter().find(|it| *it == kind)?;
    Some(Identity(account.to_owned(), kind, name.rsplit('/').next()?.to_owned()))
}

/// Puts the incidents of each story together, by time; the gravest story first, of these the earliest.
pub(super) fn tie<'o>(mut rows: Vec<Row<'o>>, made: &[Made]) -> Vec<Vec<Row<'o>>> {
    let place: BTreeMap<String, usize> =
        rows.iter().enumerate().map(|(index, row)| (row.incident.id.clone(), index)).collect();
    let mut makers: BTreeMap<&Identity, Vec<&Made>> = BTreeMap::new();
    for made in made {
        makers.entry(&made.what).or_default().push(made);
    }
    // Each incident's story is that of the one it points to; one that points to itself begins a story.
    let mut stories: Vec<usize> = (0..rows.len()).collect();
    for (index, row) in rows.iter_mut().enumerate() {
        let Some(who) = caller(row) else { continue };
        let last = row.times.map(|(_, last)| last);
        // The last that made it before it was used: a name may be made anew.
        let made = makers.get(&who).into_iter().flatten().filter(|made| made.at <= last);
        let Some(made) = made.max_by_key(|made| (made.at, &made.incident)) else { continue };
        let Some(&maker) = place.get(&made.incident).filter(|maker| **maker != index) else { continue };
        row.made = Some(who.2);
        let (one, other) = (root(&mut stories, index), root(&mut stories, maker));
        if let Some(of) = stories.get_mut(one.max(other)) {
            *of = one.min(other);
        }
    }
    let mut tied: BTreeMap<usize, Vec<Row<'o>>> = BTreeMap::new();
    for (index, row) in rows.into_iter().enumerate() {
        // Incidents come the worst first: so do the stories, by the first of each.
        tied.entry(root(&mut stories, index)).or_default().push(row);
    }
    for rows in tied.values_mut() {
        rows.sort_by(|a, b| (a.times, &a.incident.id).cmp(&(b.times, &b.incident.id)));
    }
    tied.into_values().collect()
}

/// The first of an incident's story.
fn root(stories: &mut [usize], mut index: usize) -> usize {
    while let Some(&next) = stories.get(index).filter(|next| **next != index) {
        // Halves the way for who comes after.
        let beyond = stories.get(next).copied().unwrap_or(next);
        if let Some(of) = stories.get_mut(index) {
            *of = beyond;
        }
        index = beyond;
    }
    index
}
