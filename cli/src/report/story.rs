//! Stories: incidents that are tied by an identity which one made and the other used.

use std::collections::BTreeMap;

use handsoff_cloudtrail::Time;
use handsoff_core::story::Index;
use handsoff_core::{Incident, ReportedRef, Severity};

/// An incident.
pub(super) struct Row<'o> {
    pub(super) incident: &'o Incident,
    pub(super) lead: ReportedRef<'o>,
    pub(super) severity: Severity,
    pub(super) times: Option<(Time, Time)>,
    pub(super) messages: u64,
    /// Whose identity its caller is, if another incident of the story made it.
    pub(super) made: Option<String>,
}

/// Puts the incidents of each story together, by time; the gravest story first, of these the earliest.
pub(super) fn tie<'o>(mut rows: Vec<Row<'o>>, stories: &Index<'_>) -> Vec<Vec<Row<'o>>> {
    let place: BTreeMap<&str, usize> =
        rows.iter().enumerate().map(|(index, row)| (&*row.incident.id, index)).collect();
    // Each incident's story is that of the one it points to; one that points to itself begins a story.
    let mut places: Vec<usize> = (0..rows.len()).collect();
    for (index, row) in rows.iter_mut().enumerate() {
        let Some((who, made)) = stories.maker(row.incident) else { continue };
        let Some(&maker) = place.get(&*made.incident) else { continue };
        row.made = Some(who);
        let (one, other) = (root(&mut places, index), root(&mut places, maker));
        if let Some(of) = places.get_mut(one.max(other)) {
            *of = one.min(other);
        }
    }
    let mut tied: BTreeMap<usize, Vec<Row<'o>>> = BTreeMap::new();
    for (index, row) in rows.into_iter().enumerate() {
        // Incidents come the worst first: so do the stories, by the first of each.
        tied.entry(root(&mut places, index)).or_default().push(row);
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
