//! A map of bounded size.

use std::collections::BTreeMap;

/// Holds at most `MOST` keys: the first ones in their order, so that what it holds doesn't depend on the order in which
/// they come. A key that stays was never left out, so what is counted of it is whole.
#[derive(Clone, Debug)]
pub(super) struct Few<K, V, const MOST: usize> {
    map: BTreeMap<K, V>,
    more: bool,
}

impl<K, V, const MOST: usize> Default for Few<K, V, MOST> {
    fn default() -> Self {
        Self { map: BTreeMap::new(), more: false }
    }
}

impl<K: Ord + Clone, V: Default, const MOST: usize> Few<K, V, MOST> {
    /// What is held of a key; `None` if it isn't one of the first.
    pub(super) fn at(&mut self, key: &K) -> Option<&mut V> {
        if !self.map.contains_key(key) {
            if self.map.len() >= MOST {
                self.more = true;
                let (last, _) = self.map.last_key_value()?;
                if key > last {
                    return None;
                }
                self.map.pop_last();
            }
            self.map.insert(key.clone(), V::default());
        }
        self.map.get_mut(key)
    }

    /// Whether there were more than it holds.
    pub(super) fn is_cut(&self) -> bool {
        self.more
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.map.get(key)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.map.iter()
    }

    pub(super) fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.map.keys()
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_keys_stay_with_whole_counts_in_any_order() {
        let calls: Vec<u32> = (0..50).map(|n| n * 7 % 10).collect();
        let mut backwards = calls.clone();
        backwards.reverse();
        for order in [calls, backwards] {
            let mut few: Few<u32, u32, 4> = Few::default();
            for key in order {
                if let Some(count) = few.at(&key) {
                    *count += 1;
                }
            }
            assert_eq!(few.iter().collect::<Vec<_>>(), [(&0, &5), (&1, &5), (&2, &5), (&3, &5)]);
            assert!(few.is_cut());
        }
    }
}
