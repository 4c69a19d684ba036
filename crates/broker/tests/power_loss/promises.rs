//! What clients were told or could see, in so far as it must hold after a crash; and the check that it does.

use std::collections::{BTreeMap, BTreeSet};

use broker::log::Log;
use broker::offsets::Place;
use bytes::Bytes;
use uuid::Uuid;

use super::simulated::{self, SimDisk, put, stored};

pub type GroupEntry = (u16, Bytes);
/// Of the five batches of a producer that are remembered, one may be another by now: a batch that nobody was told of.
const REMEMBERED: usize = 4;

#[derive(Clone, Debug)]
pub struct Topic {
    pub id: Uuid,
    pub partitions: i32,
    /// Answers before the disk has it: the end of the log may be lost, and nothing else.
    pub is_loose: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Promises {
    pub topics: BTreeMap<String, Topic>,
    pub gone: Vec<Uuid>,
    /// Batches that were answered for, by base offset, as the producer wrote them.
    pub answered: BTreeMap<Place, BTreeMap<i64, Bytes>>,
    /// Batches that readers were shown, as they were shown.
    pub seen: BTreeMap<Place, BTreeMap<i64, Bytes>>,
    /// Everything that was ever sent.
    pub sent: BTreeMap<Place, BTreeSet<Bytes>>,
    /// High watermarks that were seen.
    pub marks: BTreeMap<Place, i64>,
    /// Log starts that may be, and those that were confirmed.
    pub asked_starts: BTreeMap<Place, i64>,
    pub starts: BTreeMap<Place, i64>,
    pub groups: Vec<GroupEntry>,
    /// Snapshots that may stand in the journal instead.
    pub groups_or: Vec<Vec<GroupEntry>>,
    pub producer: Option<i64>,
    pub settings: BTreeMap<(String, String), String>,
    /// The last batches of the idempotent producer of each partition, and its next sequence.
    pub retries: BTreeMap<Place, Vec<(Bytes, i64)>>,
    pub sequences: BTreeMap<Place, (i64, i32)>,
    /// Version of the newest root key.
    pub root: u32,
    /// Root keys that are no more.
    pub forgotten: BTreeSet<u32>,
}

impl Promises {
    pub fn places(&self, is_loose: bool) -> Vec<Place> {
        let topics = self.topics.values();
        let topics = topics.filter(|topic| topic.is_loose == is_loose);
        topics
            .flat_map(|topic| {
                (0..topic.partitions).map(|partition| Place {
                    topic: topic.id,
                    partition,
                })
            })
            .collect()
    }

    pub fn answered(&mut self, place: Place, base: i64, records: Bytes) {
        self.answered
            .entry(place)
            .or_default()
            .insert(base, records);
    }

    pub fn once(&mut self, place: Place, base: i64, records: Bytes) {
        let known = self.retries.entry(place).or_default();
        known.push((records, base));
        if known.len() > REMEMBERED {
            known.remove(0);
        }
    }

    /// Nobody may rely on anything of a topic any more.
    pub fn let_go(&mut self, name: &str) -> Option<Uuid> {
        let id = self.topics.remove(name)?.id;
        self.settings.retain(|(topic, _), _| topic != name);
        let other = |place: &Place| place.topic != id;
        self.answered.retain(|place, _| other(place));
        self.seen.retain(|place, _| other(place));
        self.marks.retain(|place, _| other(place));
        self.starts.retain(|place, _| other(place));
        self.retries.retain(|place, _| other(place));
        self.sequences.retain(|place, _| other(place));
        Some(id)
    }
}

/// Opens the disk and holds the log to its promises. What groups have now stays.
pub async fn check(disk: &SimDisk, promises: &mut Promises, context: &str) -> Log {
    let opened = simulated::open(disk).await;
    assert!(opened.damage.is_empty(), "{context}: {:?}", opened.damage);
    let is_there = opened.groups.starts_with(&promises.groups);
    let mut others = promises.groups_or.iter();
    assert!(
        is_there || others.any(|other| opened.groups.starts_with(other)),
        "{context}: group entries are lost: {:?} of {:?} or {:?}",
        opened.groups,
        promises.groups,
        promises.groups_or
    );
    promises.groups = opened.groups;
    promises.groups_or.clear();
    let log = opened.log;
    check_topics(&log, promises, context);
    check_roots(&log, promises, context).await;
    for (place, mark) in &promises.marks {
        check_records(&log, promises, *place, *mark, context).await;
    }
    for place in promises.places(true) {
        let sent = &promises.sent[&place];
        for batch in stored(&log, place).await {
            let is_known = sent.iter().any(|sent| sent[16..] == batch.bytes()[16..]);
            assert!(is_known, "{context}: nobody wrote that");
        }
    }
    for (place, known) in &promises.retries {
        for (records, base) in known {
            let again = put(&log, *place, records.clone()).await;
            assert_eq!(again, Ok(*base), "{context}: a retry is not recognised");
        }
    }
    if let Some(producer) = promises.producer {
        let next = log.next_producer_id().await.unwrap();
        assert!(
            next > producer,
            "{context}: producer id {next} is given twice"
        );
    }
    log
}

fn check_topics(log: &Log, promises: &Promises, context: &str) {
    let topics = log.topics();
    for (name, topic) in &promises.topics {
        let found = topics
            .by_name(name)
            .unwrap_or_else(|| panic!("{context}: {name} is gone"));
        assert_eq!(found.id, topic.id, "{context}");
        assert!(found.partitions >= topic.partitions, "{context}: {name}");
    }
    for id in &promises.gone {
        assert!(
            topics.by_id(*id).is_none(),
            "{context}: a deleted topic is back"
        );
    }
    for ((name, key), value) in &promises.settings {
        let settings = &topics.by_name(name).unwrap().settings;
        assert_eq!(settings.get(key), Some(value.as_str()), "{context}");
    }
}

async fn check_roots(log: &Log, promises: &Promises, context: &str) {
    let roots = log.root_keys().await.unwrap();
    let newest = roots.iter().map(|root| root.version).max();
    assert!(
        newest >= Some(promises.root),
        "{context}: a root key is lost"
    );
    let back = roots
        .iter()
        .find(|root| promises.forgotten.contains(&root.version));
    assert_eq!(back, None, "{context}: a forgotten root key is back");
}

async fn check_records(log: &Log, promises: &Promises, place: Place, mark: i64, context: &str) {
    let view = log.view(place).unwrap();
    assert!(
        view.high_watermark >= mark,
        "{context}: {view:?} is below {mark}"
    );
    let confirmed = promises.starts.get(&place).copied().unwrap_or(0);
    let asked = promises.asked_starts.get(&place).copied().unwrap_or(0);
    assert!(
        (confirmed..=asked.max(confirmed)).contains(&view.log_start),
        "{context}: {view:?}, asked for {asked}"
    );
    let all = stored(log, place).await;
    let found = |base: i64| all.iter().find(|batch| batch.header().base_offset == base);
    let of =
        |map: &BTreeMap<Place, BTreeMap<i64, Bytes>>| map.get(&place).cloned().unwrap_or_default();
    for (base, records) in of(&promises.answered) {
        match found(base) {
            // Base offset and epoch are the log's, the rest is the producer's.
            Some(found) => assert_eq!(found.bytes()[16..], records[16..], "{context}: {base}"),
            None => assert!(base < view.log_start, "{context}: offset {base} is lost"),
        }
    }
    for (base, shown) in of(&promises.seen) {
        match found(base) {
            Some(found) => assert_eq!(*found.bytes(), shown, "{context}: {base} has changed"),
            None => assert!(
                base < view.log_start,
                "{context}: {base} was seen and is gone"
            ),
        }
    }
}
