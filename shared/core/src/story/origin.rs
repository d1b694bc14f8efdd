//! Where a session comes from: from who issued it back to a person, as far as that is known.

use std::collections::BTreeSet;

use handsoff_cloudtrail::Time;

use super::facts::Facts;
use super::issued::{HOPS, Issued};
use crate::note::Note;
use crate::ties::{Identity, Ties};

/// The name of the note.
const NAME: &str = "origin";

/// Who had an agent's tool make a request through AWS's MCP server, and from where, as far as that is known: its record and that
/// of the request come in any order.
pub(super) async fn tool<F: Facts>(facts: &F, ties: &Ties) -> Result<Option<Note>, F::Error> {
    let Some(request) = &ties.request else { return Ok(None) };
    let known = facts.issued(request).await?.into_iter().max();
    Ok(known.map(|call| Note::new("tool", call.through())))
}

/// The origin of the session that a call was made in, from who issued it back to a person, as far as that is known.
pub(super) async fn origin<F: Facts>(
    facts: &F,
    ties: &Ties,
    used: Option<Time>,
) -> Result<Option<Note>, F::Error> {
    let (mut hops, mut seen): (Vec<Issued>, BTreeSet<Identity>) = Default::default();
    let (mut next, mut used): (Vec<Identity>, _) = (ties.sessions().cloned().collect(), used);
    while hops.len() < HOPS {
        let mut found = None;
        for one in next.drain(..) {
            if !seen.insert(one.clone()) {
                continue;
            }
            let known = facts.issued(&one).await?.into_iter().filter(|issued| issued.is_before(used));
            found = known.max_by(|a, b| (a.names_caller(), a).cmp(&(b.names_caller(), b)));
            if found.is_some() {
                break;
            }
        }
        let Some(issued) = found else { break };
        next = issued.sessions().cloned().collect();
        used = issued.at.or(used);
        hops.push(issued);
    }
    let chosen = || {
        let name = ties.chosen.as_ref()?;
        Some(format!("not known: {name} is only the session name, chosen by the caller"))
    };
    Ok(words(&hops).or_else(chosen).map(|text| Note::new(NAME, text)))
}

fn words(hops: &[Issued]) -> Option<String> {
    let (last, first) = (hops.first()?, hops.last()?);
    let did: Vec<String> = hops.iter().rev().map(Issued::did).collect();
    let name = if last.name.is_empty() { String::new() } else { format!(" as {}", last.name) };
    let from = if first.from.is_empty() { String::new() } else { format!(", from {}", first.from) };
    let at = first.at.map(|at| format!(" at {at}")).unwrap_or_default();
    Some(format!("{} {}{name}{from}{at}", first.by, did.join(", which ")))
}
