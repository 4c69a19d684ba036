//! A table that is never longer than its limit: what there is least to say of is forgotten first, and of that the oldest.
//!
//! Whoever sends from ever new addresses, or guesses at ever new names, drives out what is as harmless as he is, and
//! never what is held against him or what vouches for others.

use std::collections::HashMap;
use std::hash::Hash;

/// Of a full table, one in this many is forgotten at once.
const SHARE: usize = 10;

pub struct Table<K, V> {
    entries: HashMap<K, Slot<V>>,
    /// Counts uses.
    tick: u64,
    max: usize,
}

struct Slot<V> {
    value: V,
    used: u64,
}

impl<K: Hash + Eq, V> Table<K, V> {
    pub fn new(max: usize) -> Self {
        Self {
            entries: HashMap::new(),
            tick: 0,
            max,
        }
    }

    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.entries.get(key).map(|slot| &slot.value)
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry of a key. A new one finds room: `weight` says how much there is to say of each.
    pub fn entry(
        &mut self,
        key: K,
        make: impl FnOnce() -> V,
        weight: impl Fn(&V) -> u32,
    ) -> &mut V {
        self.tick += 1;
        if self.entries.len() >= self.max && !self.entries.contains_key(&key) {
            self.make_room(weight);
        }
        let used = self.tick;
        let slot = self.entries.entry(key).or_insert_with(|| Slot {
            value: make(),
            used,
        });
        slot.used = used;
        &mut slot.value
    }

    fn make_room(&mut self, weight: impl Fn(&V) -> u32) {
        let rank = |slot: &Slot<V>| (weight(&slot.value), slot.used);
        let mut ranks: Vec<_> = self.entries.values().map(rank).collect();
        let last = (self.max / SHARE).min(ranks.len().saturating_sub(1));
        let (_, last, _) = ranks.select_nth_unstable(last);
        let last = *last;
        self.entries.retain(|_, slot| rank(slot) > last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lightest_go_first_and_of_those_the_oldest() {
        let mut table = Table::new(20);
        for key in 0..20 {
            table.entry(key, || u32::from(key < 10), |value| *value);
        }
        table.entry(10, || 0, |value| *value);
        table.entry(99, || 0, |value| *value);
        assert!(table.len() <= 20);
        assert!(
            (0..10).all(|key| table.get(&key).is_some()),
            "the heavy stay"
        );
        assert!(table.get(&10).is_some(), "used just now");
        assert!(table.get(&11).is_none(), "the oldest of the light");
        assert!(table.get(&99).is_some());
    }

    #[test]
    fn flood_of_keys_never_drives_out_the_heavy() {
        let mut table = Table::new(1_000);
        table.entry(0, || 1, |value| *value);
        for key in 1..100_000 {
            table.entry(key, || 0, |value| *value);
            assert!(table.len() <= 1_000);
        }
        assert!(table.get(&0).is_some());
    }
}
