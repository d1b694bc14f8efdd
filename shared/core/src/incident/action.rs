//! The name of an action, as incidents keep it.

use std::cmp::Ordering;

/// An action's name: a caller chooses of how many there are findings, so none is looked for by going through all.
#[derive(Clone, Debug)]
pub(super) struct Action(pub(super) Box<str>);

impl Ord for Action {
    fn cmp(&self, other: &Self) -> Ordering {
        #[cfg(test)]
        super::tests::COMPARED.set(super::tests::COMPARED.get() + 1);
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
