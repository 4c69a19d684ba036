//! What the catalog says, in the order of its journal. Pure: entries in, state out.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use kastellan_core::time::Timestamp;
use uuid::Uuid;

use super::entry::Entry;
use crate::bytes_io::Out;
use crate::offsets::Place;
use crate::settings::Settings;

pub(crate) const TOPIC: i8 = 2;
pub(crate) const BROKER: i8 = 4;
pub(crate) const GROUP: i8 = 32;

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub cluster: Option<(String, i32)>,
    pub incarnation: u32,
    pub topics: BTreeMap<Uuid, TopicState>,
    pub broker: Settings,
    pub groups: BTreeMap<String, Settings>,
    pub log_starts: HashMap<Place, i64>,
    pub anchors: HashMap<Place, Anchor>,
    pub next_producer: i64,
    /// The last entry says that the log stopped well.
    pub stopped: Option<HashMap<Place, (i64, u64)>>,
}

#[derive(Clone, Debug)]
pub(crate) struct TopicState {
    pub name: String,
    pub partitions: i32,
    pub created: Timestamp,
    pub settings: Settings,
}

/// The newest file of a partition that may hold batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub base: i64,
    pub incarnation: u32,
    pub synced_end: i64,
}

impl Anchor {
    /// Files follow one another by incarnation, then by base. How far one is durable may be noted while the next one is
    /// begun, and come late.
    fn follow(&mut self, next: Self) {
        match (next.incarnation, next.base).cmp(&(self.incarnation, self.base)) {
            Ordering::Less => {}
            Ordering::Equal => self.synced_end = self.synced_end.max(next.synced_end),
            Ordering::Greater => *self = next,
        }
    }
}

impl State {
    pub(crate) fn apply(&mut self, entry: Entry) {
        self.stopped = None;
        match entry {
            Entry::Cluster { id, node } => self.cluster = Some((id, node)),
            Entry::Started { incarnation } => self.incarnation = incarnation,
            Entry::Stopped(list) => {
                self.stopped = Some(
                    list.into_iter()
                        .map(|(place, end, len)| (place, (end, len)))
                        .collect(),
                );
            }
            Entry::TopicCreated {
                id,
                name,
                partitions,
                created,
            } => {
                self.topics.insert(
                    id,
                    TopicState {
                        name,
                        partitions,
                        created,
                        settings: Settings::default(),
                    },
                );
            }
            Entry::TopicDeleted { id } => {
                self.topics.remove(&id);
                self.log_starts.retain(|place, _| place.topic != id);
                self.anchors.retain(|place, _| place.topic != id);
            }
            Entry::PartitionsAdded { id, count } => {
                if let Some(topic) = self.topics.get_mut(&id) {
                    topic.partitions = count;
                }
            }
            Entry::Setting {
                scope,
                name,
                key,
                value,
            } => self.set(scope, &name, key, value),
            Entry::LogStart { place, offset, .. } => {
                let start = self.log_starts.entry(place).or_default();
                *start = offset.max(*start);
            }
            Entry::ProducerIds { next } => self.next_producer = next.max(self.next_producer),
            Entry::Anchor {
                place,
                base,
                incarnation,
                synced_end,
            } => {
                let anchor = Anchor {
                    base,
                    incarnation,
                    synced_end,
                };
                self.anchors
                    .entry(place)
                    .and_modify(|known| known.follow(anchor))
                    .or_insert(anchor);
            }
        }
    }

    fn set(&mut self, scope: i8, name: &str, key: String, value: Option<String>) {
        let settings = match scope {
            TOPIC => self
                .topics
                .values_mut()
                .find(|topic| topic.name == name)
                .map(|topic| &mut topic.settings),
            BROKER => Some(&mut self.broker),
            GROUP => Some(self.groups.entry(name.to_owned()).or_default()),
            _ => None,
        };
        if let Some(settings) = settings {
            settings.set(key, value);
        }
    }

    /// Over all anchors: two states with the same digest name the same files, durable to the same ends.
    pub(crate) fn digest(&self) -> String {
        let mut anchors: Vec<_> = self.anchors.iter().collect();
        anchors.sort_by_key(|(place, _)| **place);
        let mut out = Out::default();
        for (place, anchor) in anchors {
            out.uuid(place.topic)
                .put(place.partition.to_be_bytes())
                .put(anchor.base.to_be_bytes())
                .put(anchor.incarnation.to_be_bytes())
                .put(anchor.synced_end.to_be_bytes());
        }
        seal::digest::sha256_hex([out.0.as_slice()])
    }

    /// Entries that lead to this state again.
    pub(crate) fn snapshot(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        if let Some((id, node)) = &self.cluster {
            entries.push(Entry::Cluster {
                id: id.clone(),
                node: *node,
            });
        }
        for (id, topic) in &self.topics {
            entries.push(Entry::TopicCreated {
                id: *id,
                name: topic.name.clone(),
                partitions: topic.partitions,
                created: topic.created,
            });
            push_settings(&mut entries, TOPIC, &topic.name, &topic.settings);
        }
        push_settings(&mut entries, BROKER, "1", &self.broker);
        for (name, settings) in &self.groups {
            push_settings(&mut entries, GROUP, name, settings);
        }
        for (place, offset) in &self.log_starts {
            entries.push(Entry::LogStart {
                place: *place,
                offset: *offset,
                is_request: false,
            });
        }
        for (place, anchor) in &self.anchors {
            let Anchor {
                base,
                incarnation,
                synced_end,
            } = *anchor;
            entries.push(Entry::Anchor {
                place: *place,
                base,
                incarnation,
                synced_end,
            });
        }
        entries.push(Entry::ProducerIds {
            next: self.next_producer,
        });
        entries.push(Entry::Started {
            incarnation: self.incarnation,
        });
        entries
    }
}

fn push_settings(entries: &mut Vec<Entry>, scope: i8, name: &str, settings: &Settings) {
    for (key, value) in settings.iter() {
        let (key, value) = (key.to_owned(), Some(value.to_owned()));
        entries.push(Entry::Setting {
            scope,
            name: name.to_owned(),
            key,
            value,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn note_about_a_file_that_comes_late_does_not_make_it_the_newest_again() {
        let place = Place {
            topic: Uuid::from_u128(1),
            partition: 0,
        };
        let anchor = |incarnation, base, synced_end| Anchor {
            base,
            incarnation,
            synced_end,
        };
        let mut state = State::default();
        for (next, expected) in [
            (anchor(1, 0, 0), anchor(1, 0, 0)),
            (anchor(1, 0, 5), anchor(1, 0, 5)),
            (anchor(1, 9, 9), anchor(1, 9, 9)),
            (anchor(1, 0, 8), anchor(1, 9, 9)),
            (anchor(1, 9, 12), anchor(1, 9, 12)),
            (anchor(1, 9, 11), anchor(1, 9, 12)),
            // A repair gave up records.
            (anchor(2, 4, 4), anchor(2, 4, 4)),
        ] {
            state.apply(Entry::Anchor {
                place,
                base: next.base,
                incarnation: next.incarnation,
                synced_end: next.synced_end,
            });
            assert_eq!(state.anchors[&place], expected);
        }
    }
}
