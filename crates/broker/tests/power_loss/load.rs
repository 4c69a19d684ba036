//! What the log is made to do, and what it promises on the way.

use std::time::Duration;

use broker::log::{Log, SettingChange, SettingScope};
use broker::offsets::Place;
use bytes::Bytes;
use kastellan_core::time::Clock;
use uuid::Uuid;
use wire::error::ErrorCode;

use super::promises::{GroupEntry, Promises, Topic};
use super::simulated::{self, START, SimDisk, append, batch, batch_at, create, put};

type Done = Result<(), ErrorCode>;

/// Small files, so that a short script rolls.
pub const SMALL: &[(&str, &str)] = &[("segment.bytes", "1500")];
pub const EACH: &[(&str, &str)] = &[("segment.bytes", "1500"), ("kastellan.durability", "each")];
pub const LOOSE: &[(&str, &str)] = &[("segment.bytes", "1500"), ("kastellan.durability", "os")];

/// A log under load.
pub struct Load {
    pub log: Log,
    pub disk: SimDisk,
    pub clock: Clock,
    pub promises: Promises,
}

/// Does as the script says until something fails.
pub async fn run(disk: &SimDisk) -> Promises {
    let clock = simulated::clock();
    let Ok(opened) = simulated::try_open(disk, 7, &clock).await else {
        return Promises::default();
    };
    let mut load = Load::on(opened.log, disk, Promises::default());
    load.clock = clock;
    let _ = script(&mut load).await;
    load.observe().await;
    load.end()
}

/// About 300 changes of the disk: everything the log does.
pub async fn script(load: &mut Load) -> Done {
    let first = load.create("first", 2, SMALL).await?;
    let [zero, one] = [0, 1].map(|partition| Place {
        topic: first,
        partition,
    });
    let long = "x".repeat(300);
    for round in 0..4 {
        load.put_once(zero).await?;
        load.put(zero, batch(&[&format!("zero-{round}"), &long]))
            .await?;
        load.put(one, batch(&["one", &long])).await?;
        load.group_entry(&format!("commit-{round}")).await?;
        load.put_unseen(zero, batch(&["not durable yet"])).await?;
    }
    load.create("each", 1, EACH).await?;
    load.put(load.place("each"), batch(&["at once", &long]))
        .await?;
    load.create("loose", 1, LOOSE).await?;
    for _ in 0..3 {
        load.put_loosely(load.place("loose"), batch(&["loose", &long]))
            .await?;
    }
    load.create("doomed", 1, SMALL).await?;
    load.put(load.place("doomed"), batch(&["doomed"])).await?;
    load.delete_records(zero, 9).await?;
    load.delete_topic("doomed").await?;
    load.rotate_root().await?;
    for round in 0..3 {
        load.put_once(zero).await?;
        load.put(one, batch(&[&format!("one-{round}"), &long]))
            .await?;
    }
    load.rewrite_groups().await?;
    load.group_entry("behind the snapshot").await?;
    load.set("first", "retention.bytes", "1500").await?;
    load.retain().await;
    load.forget_root(1).await;
    // Written and not waited for: may be there or not.
    for text in ["maybe-1", "maybe-2"] {
        load.put_blindly(one, batch(&[text])).await?;
    }
    load.put(one, batch(&["last"])).await?;
    load.grow("first", 3).await?;
    let two = Place {
        topic: first,
        partition: 2,
    };
    load.put_once(two).await?;
    load.observe().await;
    load.log.stop().await
}

impl Load {
    pub fn on(log: Log, disk: &SimDisk, promises: Promises) -> Self {
        Self {
            log,
            disk: disk.clone(),
            clock: simulated::clock(),
            promises,
        }
    }

    pub fn end(self) -> Promises {
        self.promises
    }

    pub fn place(&self, topic: &str) -> Place {
        Place {
            topic: self.promises.topics[topic].id,
            partition: 0,
        }
    }

    /// What any reader could see by now is a promise too.
    pub async fn observe(&mut self) {
        for place in self.promises.places(false) {
            let Some(view) = self.log.view(place) else {
                continue;
            };
            let mark = self.promises.marks.entry(place).or_default();
            *mark = view.high_watermark.max(*mark);
            let mut offset = view.log_start;
            let known = self.promises.seen.entry(place).or_default();
            while offset < view.high_watermark {
                let read = self.log.read(place, offset, 1 << 20, true).await;
                let Some(read) = read.ok().filter(|read| !read.is_empty()) else {
                    break;
                };
                for bytes in read {
                    let header = wire::record::BatchHeader::parse(&bytes).unwrap();
                    let before = known.insert(header.base_offset, bytes.clone());
                    assert!(before.is_none_or(|before| before == bytes), "{offset}");
                    offset = header.last_offset() + 1;
                }
            }
        }
    }

    /// A little more on a partition, also what nobody knows the outcome of.
    pub async fn go_on(&mut self, seed: u64, context: &str) {
        let places = self.promises.places(false);
        if let Some(place) = places.get(seed as usize % places.len().max(1)) {
            let again = self.put_once(*place).await;
            assert_eq!(again, Ok(()), "{context}: it does not go on");
            let more = self.put(*place, batch(&["after the crash"])).await;
            assert_eq!(more, Ok(()), "{context}: it does not go on");
        }
        let entry = self.group_entry("after the crash").await;
        assert_eq!(entry, Ok(()), "{context}: groups do not go on");
        self.observe().await;
    }

    pub async fn create(
        &mut self,
        name: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> Result<Uuid, ErrorCode> {
        let id = create(&self.log, name, partitions, settings).await?;
        let topic = Topic {
            id,
            partitions,
            is_loose: settings.contains(&("kastellan.durability", "os")),
        };
        self.promises.topics.insert(name.to_owned(), topic);
        for place in self.promises.places(true) {
            self.promises.sent.entry(place).or_default();
        }
        Ok(id)
    }

    pub async fn put(&mut self, place: Place, records: Bytes) -> Done {
        let base = put(&self.log, place, records.clone()).await?;
        self.promises.answered(place, base, records);
        let mark = self.promises.marks.entry(place).or_default();
        *mark = (*mark).max(self.log.view(place).map_or(0, |view| view.high_watermark));
        Ok(())
    }

    /// The next batch of the partition's idempotent producer; the same one again if nobody knows what became of it.
    pub async fn put_once(&mut self, place: Place) -> Done {
        if !self.promises.sequences.contains_key(&place) {
            let producer = self.log.next_producer_id().await?;
            self.promises.producer = Some(producer);
            self.promises.sequences.insert(place, (producer, 0));
        }
        let (producer, sequence) = self.promises.sequences[&place];
        let text = format!("idempotent-{sequence}");
        let records = batch_at(START.0, &[&text], Some((producer, 0, sequence)));
        let base = put(&self.log, place, records.clone()).await?;
        self.promises
            .sequences
            .insert(place, (producer, sequence + 1));
        self.promises.once(place, base, records.clone());
        self.promises.answered(place, base, records);
        Ok(())
    }

    /// Written, and looked at before any sync can have ended.
    pub async fn put_unseen(&mut self, place: Place, records: Bytes) -> Done {
        let before = self.disk.writes();
        self.disk.hold_syncs(true);
        let (log, sent) = (self.log.clone(), records.clone());
        let appending = tokio::spawn(async move { append(&log, place, sent).await });
        // Whoever begins a new file waits for a sync first.
        while !appending.is_finished() && self.disk.writes() == before {
            tokio::task::yield_now().await;
        }
        self.observe().await;
        self.disk.hold_syncs(false);
        let appended = appending.await.unwrap();
        let appended = appended.map_err(|refusal| refusal.code)?;
        let base = appended.base_offset;
        let durable = appended.durable.durable().await;
        durable.map_err(|_| ErrorCode::KAFKA_STORAGE_ERROR)?;
        self.promises.answered(place, base, records);
        Ok(())
    }

    /// Nobody waits until it is durable.
    pub async fn put_blindly(&mut self, place: Place, records: Bytes) -> Done {
        let appended = append(&self.log, place, records).await;
        appended.map(drop).map_err(|refusal| refusal.code)
    }

    /// Answered before the disk has it.
    pub async fn put_loosely(&mut self, place: Place, records: Bytes) -> Done {
        let sent = self.promises.sent.entry(place).or_default();
        sent.insert(records.clone());
        put(&self.log, place, records).await.map(drop)
    }

    pub async fn delete_records(&mut self, place: Place, offset: i64) -> Done {
        let asked = self.promises.asked_starts.entry(place).or_default();
        *asked = offset.max(*asked);
        let start = self.log.delete_records(place, offset).await?;
        self.promises.starts.insert(place, start);
        Ok(())
    }

    pub async fn delete_topic(&mut self, name: &str) -> Done {
        let Some(id) = self.promises.let_go(name) else {
            return Ok(());
        };
        self.log.delete_topic(id).await?;
        self.promises.gone.push(id);
        Ok(())
    }

    pub async fn grow(&mut self, name: &str, partitions: i32) -> Done {
        let id = self.promises.topics[name].id;
        self.log.grow_topic(id, partitions).await?;
        let topic = self.promises.topics.get_mut(name).unwrap();
        topic.partitions = partitions;
        Ok(())
    }

    pub async fn set(&mut self, topic: &str, key: &str, value: &str) -> Done {
        let place = (topic.to_owned(), key.to_owned());
        self.promises.settings.remove(&place);
        let change = SettingChange {
            key: key.to_owned(),
            value: Some(value.to_owned()),
        };
        let scope = SettingScope::Topic(topic.to_owned());
        self.log.change_settings(&scope, vec![change]).await?;
        self.promises.settings.insert(place, value.to_owned());
        Ok(())
    }

    /// Old files go, wherever a topic says so.
    pub async fn retain(&mut self) {
        for place in self.promises.places(false) {
            let end = self.log.view(place).map_or(0, |view| view.end);
            let asked = self.promises.asked_starts.entry(place).or_default();
            *asked = end.max(*asked);
        }
        self.log.retain().await;
        for place in self.promises.places(false) {
            let start = self.log.view(place).map_or(0, |view| view.log_start);
            self.promises.starts.insert(place, start);
        }
    }

    pub async fn group_entry(&mut self, body: &str) -> Done {
        let entry: GroupEntry = (3, Bytes::from(body.to_owned()));
        let ticket = self
            .log
            .groups_journal()
            .append(std::slice::from_ref(&entry))?;
        let durable = ticket.durable().await;
        durable.map_err(|_| ErrorCode::KAFKA_STORAGE_ERROR)?;
        self.promises.groups.push(entry.clone());
        for other in &mut self.promises.groups_or {
            other.push(entry.clone());
        }
        Ok(())
    }

    /// The journal is written anew, as it is when it is large.
    pub async fn rewrite_groups(&mut self) -> Done {
        let all = self.promises.groups.len();
        let snapshot: Vec<GroupEntry> = vec![(4, Bytes::from(format!("{all} entries in one")))];
        self.promises.groups_or.push(snapshot.clone());
        let log = self.log.clone();
        // Where there is no room for it the old file stays.
        let rewrite = move || log.groups_journal().rewrite(&snapshot);
        tokio::task::spawn_blocking(rewrite).await.unwrap()
    }

    pub async fn rotate_root(&mut self) -> Done {
        let rotated = self.log.rotate_root().await;
        self.promises.root = rotated.map_err(|_| ErrorCode::KAFKA_STORAGE_ERROR)?;
        Ok(())
    }

    /// Where nothing needs it any more.
    pub async fn forget_root(&mut self, version: u32) {
        if self.log.forget_root(version).await.is_ok() {
            self.promises.forgotten.insert(version);
        }
    }

    /// Time goes on.
    pub fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }
}
