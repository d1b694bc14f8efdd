//! A map that takes little room while little is in it: most incidents have one finding.

use std::collections::{BTreeMap, btree_map};

/// So many are kept side by side. A tree's smallest node has room for eleven.
const SIDE_BY_SIDE: usize = 4;

/// A map in the order of its keys.
#[derive(Clone, Debug)]
pub(crate) enum Few<K, V> {
    /// In order, without room to spare.
    Side(Vec<(K, V)>),
    /// Any number.
    Tree(BTreeMap<K, V>),
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self::Side(Vec::new())
    }
}

impl<K: Ord, V> Few<K, V> {
    /// The value of a key, if it has one.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self {
            Self::Side(all) => all.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            Self::Tree(all) => all.get(key),
        }
    }

    /// The key that equals another, as it is kept.
    pub(crate) fn key(&self, key: &K) -> Option<&K> {
        match self {
            Self::Side(all) => all.iter().find(|(known, _)| known == key).map(|(known, _)| known),
            Self::Tree(all) => all.get_key_value(key).map(|(known, _)| known),
        }
    }

    /// Gives a key a value.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self {
            Self::Tree(all) => drop(all.insert(key, value)),
            Self::Side(all) => match all.binary_search_by(|(known, _)| known.cmp(&key)) {
                Ok(place) => {
                    if let Some((_, known)) = all.get_mut(place) {
                        *known = value;
                    }
                }
                Err(_) if all.len() == SIDE_BY_SIDE => {
                    let mut tree: BTreeMap<K, V> = std::mem::take(all).into_iter().collect();
                    tree.insert(key, value);
                    *self = Self::Tree(tree);
                }
                Err(place) => {
                    all.reserve_exact(1);
                    all.insert(place, (key, value));
                }
            },
        }
    }

    /// Removes the last one.
    pub(crate) fn pop_last(&mut self) {
        match self {
            Self::Side(all) => drop(all.pop()),
            Self::Tree(all) => drop(all.pop_last()),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Side(all) => all.len(),
            Self::Tree(all) => all.len(),
        }
    }

    /// All, by their keys.
    pub(crate) fn iter(&self) -> Iter<'_, K, V> {
        match self {
            Self::Side(all) => Iter::Side(all.iter()),
            Self::Tree(all) => Iter::Tree(all.iter()),
        }
    }

    /// All keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values, by their keys.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

/// Goes through a map.
pub(crate) enum Iter<'m, K, V> {
    Side(std::slice::Iter<'m, (K, V)>),
    Tree(btree_map::Iter<'m, K, V>),
}

impl<'m, K, V> Iterator for Iter<'m, K, V> {
    type Item = (&'m K, &'m V);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Side(all) => all.next().map(|(key, value)| (key, value)),
            Self::Tree(all) => all.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_map(given in prop::collection::vec((0u8..12, any::<u8>()), 0..30)) {
            let (mut few, mut map) = (Few::default(), BTreeMap::new());
            for (key, value) in given {
                few.insert(key, value);
                map.insert(key, value);
                prop_assert!(few.iter().eq(map.iter()) && few.len() == map.len());
                prop_assert!((0..12).all(|key| few.get(&key) == map.get(&key)));
            }
        }
    }
}
