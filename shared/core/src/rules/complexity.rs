//! How complex EventBridge finds an event pattern. It refuses a rule above [`MOST`].
//!
//! EventBridge matches with event-ruler, which compiles a pattern into automata, one for each place where the value of
//! a field is looked at, and measures them (its `MachineComplexityEvaluator`): how many beginnings of wildcard
//! patterns can one value match at the same time, at worst? Only `wildcard` counts, and `anything-but` of wildcards;
//! `prefix`, `suffix`, plain values and `exists` are free. The limit itself stands on no page of AWS ("Rule is too
//! complex" is what one gets).
//!
//! The walk is over the bytes of a value, where a state is a set of places in the patterns of one automaton. Each
//! place weighs as many patterns as go through it; all wildcards of one `anything-but` are one pattern.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// The highest complexity of a rule that EventBridge takes.
pub const MOST: usize = 10;

/// Complexities above are not told apart: measuring costs time, and far beyond [`MOST`] nobody cares.
const CAP: usize = 64;

/// So many states of one automaton are looked at. Patterns that a rule may have need a few hundred.
const STATES: usize = 20_000;

/// Why a text is no event pattern.
#[derive(Debug, thiserror::Error)]
pub enum ComplexityError {
    /// It isn't JSON.
    #[error("no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is a list or a plain value.
    #[error("an event pattern is an object")]
    NoObject,
    /// One of the choices of this `$or` is no pattern.
    #[error("a choice of {0} is no object")]
    Choice(String),
    /// This field has no values to compare with.
    #[error("{0} is neither an object nor a list")]
    Field(String),
}

/// The complexity of an event pattern, at most 64.
///
/// # Errors
/// When the text isn't an event pattern.
pub fn complexity(pattern: &str) -> Result<usize, ComplexityError> {
    let pattern: Value = serde_json::from_str(pattern)?;
    let object = pattern.as_object().ok_or(ComplexityError::NoObject)?;
    let mut branches = vec![Branch::new()];
    flatten(object, "", &mut branches)?;
    let mut machine = Machine::default();
    for branch in &branches {
        machine.add(branch);
    }
    Ok(machine.automata.values().map(Automaton::complexity).max().unwrap_or(0))
}

/// A pattern without `$or`: fields by their paths, with the values that they may have.
type Branch = BTreeMap<String, Vec<Value>>;

fn flatten(
    object: &Map<String, Value>,
    path: &str,
    branches: &mut Vec<Branch>,
) -> Result<(), ComplexityError> {
    for (key, value) in object {
        let field = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Array(choices) if key == "$or" => {
                let mut all = Vec::new();
                for choice in choices {
                    let choice = choice.as_object().ok_or_else(|| ComplexityError::Choice(field.clone()))?;
                    let mut chosen = branches.clone();
                    flatten(choice, path, &mut chosen)?;
                    all.append(&mut chosen);
                }
                *branches = all;
            }
            Value::Object(inner) => flatten(inner, &field, branches)?,
            Value::Array(values) => {
                for branch in branches.iter_mut() {
                    branch.insert(field.clone(), values.clone());
                }
            }
            _ => return Err(ComplexityError::Field(field)),
        }
    }
    Ok(())
}

/// Where a match stands: how far it is in the fields, by what was matched so far. Branches that begin alike share it.
type Stand = usize;

/// The automata of a pattern, by where a match stands and which field is looked at next.
#[derive(Default)]
struct Machine {
    stands: BTreeMap<(Stand, String, String), Stand>,
    automata: BTreeMap<(Stand, String), Automaton>,
}

impl Machine {
    /// Fields are looked at in the order of their paths.
    fn add(&mut self, branch: &Branch) {
        let mut stands = BTreeSet::from([0]);
        for (field, values) in branch {
            let mut next = BTreeSet::new();
            for stand in stands {
                let automaton = self.automata.entry((stand, field.clone())).or_default();
                for value in values {
                    automaton.add(value);
                    let key = (stand, field.clone(), value.to_string());
                    let new = self.stands.len() + 1;
                    next.insert(*self.stands.entry(key).or_insert(new));
                }
            }
            stands = next;
        }
    }
}

/// A place in the wildcard patterns of a field: patterns that begin alike share it.
#[derive(Default)]
struct Place {
    /// The place after this byte.
    after: BTreeMap<u8, usize>,
    /// The place after a `*`, which any further byte leads back to.
    star: Option<usize>,
    is_star: bool,
    /// The patterns that go through here, or end here.
    patterns: BTreeSet<String>,
    /// Those that end here.
    ends: BTreeSet<String>,
}

/// The wildcard patterns of a field.
struct Automaton {
    places: Vec<Place>,
}

impl Default for Automaton {
    fn default() -> Self {
        Self { places: vec![Place::default()] }
    }
}

impl Automaton {
    fn add(&mut self, value: &Value) {
        let id = value.to_string();
        let but = value.get("anything-but").and_then(|but| but.get("wildcard"));
        match value.get("wildcard").or(but) {
            Some(Value::String(wildcard)) => self.add_wildcard(wildcard, &id),
            Some(Value::Array(wildcards)) => {
                for wildcard in wildcards.iter().filter_map(Value::as_str) {
                    self.add_wildcard(wildcard, &id);
                }
            }
            _ => {}
        }
    }

    /// A value is held against with its quotes.
    fn add_wildcard(&mut self, wildcard: &str, id: &str) {
        let mut place = 0;
        let mut bytes = wildcard.bytes();
        let mut step = |automaton: &mut Self, token: Option<u8>| {
            place = automaton.step(place, token);
            if let Some(place) = automaton.places.get_mut(place) {
                place.patterns.insert(id.to_owned());
            }
            place
        };
        step(self, Some(b'"'));
        while let Some(byte) = bytes.next() {
            match byte {
                b'*' => step(self, None),
                // Before a star or another one it makes plain characters of them.
                b'\\' => step(self, bytes.next()),
                byte => step(self, Some(byte)),
            };
        }
        let end = step(self, Some(b'"'));
        if let Some(end) = self.places.get_mut(end) {
            end.ends.insert(id.to_owned());
        }
    }

    /// The place behind another one, made if it isn't there; `None` stands for a star.
    fn step(&mut self, from: usize, token: Option<u8>) -> usize {
        let new = self.places.len();
        let Some(place) = self.places.get_mut(from) else { return from };
        let next = match token {
            Some(byte) => *place.after.entry(byte).or_insert(new),
            None => *place.star.get_or_insert(new),
        };
        if next == new {
            self.places.push(Place { is_star: token.is_none(), ..Place::default() });
        }
        next
    }

    fn complexity(&self) -> usize {
        let mut seen: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
        let mut todo = vec![BTreeSet::from([0])];
        let mut most = 0;
        // The last found first: what weighs most is mostly deep.
        while let Some(state) = todo.pop() {
            let bytes: BTreeSet<u8> = state
                .iter()
                .filter_map(|at| self.places.get(*at))
                .flat_map(|place| place.after.keys())
                .copied()
                .collect();
            // One byte that stands in no pattern is like any other such: it leads to stars alone.
            for byte in bytes {
                let next = self.after(&state, byte);
                if seen.contains(&next) {
                    continue;
                }
                most = most.max(self.weight(&next));
                if most >= CAP || seen.len() >= STATES {
                    return most.min(CAP);
                }
                seen.insert(next.clone());
                todo.push(next);
            }
        }
        most
    }

    /// All places after one more byte. A star stands for nothing too.
    fn after(&self, state: &BTreeSet<usize>, byte: u8) -> BTreeSet<usize> {
        let mut next = BTreeSet::new();
        for at in state {
            let Some(place) = self.places.get(*at) else { continue };
            if place.is_star {
                next.insert(*at);
            }
            if let Some(after) = place.after.get(&byte) {
                next.insert(*after);
                next.extend(self.places.get(*after).and_then(|after| after.star));
            }
        }
        next
    }

    fn weight(&self, state: &BTreeSet<usize>) -> usize {
        let places = || state.iter().filter_map(|at| self.places.get(*at));
        let through: usize =
            places().filter(|place| place.ends.is_empty()).map(|place| place.patterns.len()).sum();
        // Of a pattern that ends in several places one is a match: the others are the same.
        let ended: BTreeSet<&String> = places().flat_map(|place| &place.ends).collect();
        through + ended.len()
    }
}

#[cfg(test)]
mod tests;
