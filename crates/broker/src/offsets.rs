//! Committed offsets: what each group has read, by topic id and partition.
//!
//! Knows nothing of members or requests; the group machine decides who may commit. A topic that is created again under
//! the same name has another id, and so starts without offsets.

use std::collections::{BTreeMap, HashMap};

use kastellan_core::time::Timestamp;
use uuid::Uuid;
use wire::text::Str;

/// One partition of one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub topic: Uuid,
    pub partition: i32,
}

/// A committed offset, with all that its committer gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    pub offset: i64,
    pub leader_epoch: i32,
    pub metadata: Str,
    pub at: Timestamp,
    /// Set by old clients only.
    pub expires: Option<Timestamp>,
}

/// What a client wants to commit for one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub place: Place,
    pub offset: i64,
    pub leader_epoch: i32,
    pub metadata: Str,
}

/// All committed offsets.
#[derive(Debug, Default)]
pub struct Offsets {
    groups: HashMap<Str, BTreeMap<Place, Committed>>,
    count: usize,
}

impl Offsets {
    /// Committed offsets of all groups.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn set(&mut self, group: &Str, place: Place, committed: Committed) {
        let of_group = self.groups.entry(group.clone()).or_default();
        if of_group.insert(place, committed).is_none() {
            self.count += 1;
        }
    }

    pub fn get(&self, group: &str, place: Place) -> Option<&Committed> {
        self.groups.get(group)?.get(&place)
    }

    /// Offsets of a group, by place.
    pub fn of<'a>(&'a self, group: &str) -> impl Iterator<Item = (Place, &'a Committed)> + use<'a> {
        self.groups
            .get(group)
            .into_iter()
            .flatten()
            .map(|(place, committed)| (*place, committed))
    }

    pub fn has_group(&self, group: &str) -> bool {
        self.groups.contains_key(group)
    }

    pub fn groups(&self) -> impl Iterator<Item = &Str> {
        self.groups.keys()
    }

    pub fn remove(&mut self, group: &str, place: Place) {
        let Some(of_group) = self.groups.get_mut(group) else {
            return;
        };
        if of_group.remove(&place).is_some() {
            self.count -= 1;
        }
        if of_group.is_empty() {
            self.groups.remove(group);
        }
    }

    pub fn remove_group(&mut self, group: &str) {
        if let Some(of_group) = self.groups.remove(group) {
            self.count -= of_group.len();
        }
    }

    /// Removes what was committed for a topic, in all groups.
    pub fn remove_topic(&mut self, topic: Uuid) {
        for of_group in self.groups.values_mut() {
            let before = of_group.len();
            of_group.retain(|place, _| place.topic != topic);
            self.count -= before - of_group.len();
        }
        self.groups.retain(|_, of_group| !of_group.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(offset: i64) -> Committed {
        Committed {
            offset,
            leader_epoch: -1,
            metadata: Str::EMPTY,
            at: Timestamp(0),
            expires: None,
        }
    }

    fn place(topic: u128, partition: i32) -> Place {
        Place {
            topic: Uuid::from_u128(topic),
            partition,
        }
    }

    #[test]
    fn topic_takes_its_offsets_along_and_leaves_those_of_others() {
        let mut offsets = Offsets::default();
        let group = Str::from("g");
        for at in [place(1, 0), place(1, 1), place(2, 0)] {
            offsets.set(&group, at, committed(5));
        }
        offsets.set(&group, place(2, 0), committed(6));
        assert_eq!(offsets.len(), 3);
        offsets.remove_topic(Uuid::from_u128(1));
        assert_eq!(offsets.len(), 1);
        assert_eq!(offsets.get("g", place(2, 0)), Some(&committed(6)));
        offsets.remove("g", place(2, 0));
        assert!(offsets.is_empty() && !offsets.has_group("g"));
    }
}
