//! The log engine on a simulated disk: opened, filled and read with one call each. What fails here panics.

use std::sync::Arc;

use broker::log::{Append, AppendRefusal, Appended, Log, LogOptions, NewTopic, OpenError, Opened};
use broker::offsets::Place;
use bytes::Bytes;
use kastellan_core::secret::Secret;
use kastellan_core::time::{Clock, Timestamp};
use seal::master::LocalKey;
use uuid::Uuid;
use wire::error::ErrorCode;
use wire::record::{Batch, BatchBuilder, Encoding, ExpansionCaps, records};

pub use crate::disk::{Dice, SimDisk};

/// Names and values that must never show on the disk.
pub const TOPIC: &str = "secret-topic-name";
pub const KEY: &str = "secret-record-key";
pub const START: Timestamp = Timestamp(1_767_225_600_000);

pub fn options() -> LogOptions {
    LogOptions {
        append_threads: 1,
        sync_threads: 1,
        min_free: Some(0),
        ..LogOptions::default()
    }
}

pub fn clock() -> Clock {
    Clock::manual(START)
}

pub async fn try_open(disk: &SimDisk, key: u8, clock: &Clock) -> Result<Opened, OpenError> {
    try_open_with(disk, options(), key, clock).await
}

pub async fn try_open_with(
    disk: &SimDisk,
    options: LogOptions,
    key: u8,
    clock: &Clock,
) -> Result<Opened, OpenError> {
    let key = Arc::new(LocalKey::new(&Secret::new(vec![key; 32])).unwrap());
    Log::open(options, key, Arc::new(disk.clone()), clock.clone()).await
}

pub async fn open(disk: &SimDisk) -> Opened {
    try_open(disk, 7, &clock()).await.unwrap()
}

/// Opens where nothing may be damaged.
pub async fn open_whole(disk: &SimDisk) -> Log {
    let opened = open(disk).await;
    assert_eq!(opened.damage, [""; 0]);
    opened.log
}

pub async fn create(
    log: &Log,
    name: &str,
    partitions: i32,
    settings: &[(&str, &str)],
) -> Result<Uuid, ErrorCode> {
    let settings = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let new = NewTopic {
        name: name.to_owned(),
        partitions,
        settings: settings.collect(),
    };
    log.create_topic(new).await
}

/// A topic with one partition.
pub async fn place(log: &Log, settings: &[(&str, &str)]) -> Place {
    Place {
        topic: create(log, TOPIC, 1, settings).await.unwrap(),
        partition: 0,
    }
}

/// A batch of values; `producer` is id, epoch, first sequence.
pub fn batch_at(time: i64, values: &[&str], producer: Option<(i64, i16, i32)>) -> Bytes {
    let mut builder = BatchBuilder::new(Encoding::None);
    if let Some((id, epoch, sequence)) = producer {
        builder = builder.producer(id, epoch, sequence);
    }
    for (at, value) in values.iter().enumerate() {
        builder.append(
            time + at as i64,
            Some(KEY.as_bytes()),
            Some(value.as_bytes()),
            &[],
        );
    }
    builder.build().unwrap().bytes().clone()
}

pub fn batch(values: &[&str]) -> Bytes {
    batch_at(START.0, values, None)
}

pub async fn append(log: &Log, place: Place, records: Bytes) -> Result<Appended, AppendRefusal> {
    let append = Append {
        place,
        records: Some(records),
        produce_version: 9,
        acks: -1,
    };
    log.append(append).await
}

/// Appends and waits until it is durable.
pub async fn put(log: &Log, place: Place, records: Bytes) -> Result<i64, ErrorCode> {
    let appended = append(log, place, records)
        .await
        .map_err(|refusal| refusal.code)?;
    let base = appended.base_offset;
    appended
        .durable
        .durable()
        .await
        .map_err(|_| ErrorCode::KAFKA_STORAGE_ERROR)?;
    Ok(base)
}

/// All batches below the high watermark.
pub async fn stored(log: &Log, place: Place) -> Vec<Batch> {
    let view = log.view(place).unwrap();
    let mut offset = view.log_start;
    let mut all = Vec::new();
    while offset < view.high_watermark {
        let read = log.read(place, offset, 1 << 20, true).await.unwrap();
        assert!(
            !read.is_empty(),
            "nothing at {offset} below {}",
            view.high_watermark
        );
        for bytes in read {
            let batch = Batch::parse(&bytes).unwrap();
            batch.verify_crc().unwrap();
            let base = batch.header().base_offset;
            // The first one may begin below the start.
            let follows = base == offset || all.is_empty() && base < offset;
            assert!(follows, "{base} is read where {offset} belongs");
            offset = batch.header().last_offset() + 1;
            all.push(batch);
        }
    }
    all
}

/// The values of a partition, with their offsets.
pub async fn values(log: &Log, place: Place) -> Vec<(i64, String)> {
    let mut values = Vec::new();
    for batch in stored(log, place).await {
        for record in records(&batch, &ExpansionCaps::default()).unwrap() {
            let record = record.unwrap();
            let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
            values.push((record.offset, value));
        }
    }
    values
}

/// Just the values.
pub async fn texts(log: &Log, place: Place) -> Vec<String> {
    values(log, place)
        .await
        .into_iter()
        .map(|(_, value)| value)
        .collect()
}
