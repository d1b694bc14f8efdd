//! The name of an action, as incidents keep it.

#[cfg(test)]
use std::cell::Cell;
use std::cmp::Ordering;

#[cfg(test)]
thread_local! {
    /// How often two names of actions were compared.
    pub(super) static COMPARED: Cell<u64> = const { Cell::new(0) };
}

/// An action's name: a caller chooses of how many there are findings, so none is looked for by going through all.
#[derive(Clone, Debug)]
pub(super) struct Action(pub(super) Box<str>);

impl Ord for Action {
    fn cmp(&self, other: &Self) -> Ordering {
        #[cfg(test)]
        COMPARED.set(COMPARED.get() + 1);
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Action {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Action {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Action {}
