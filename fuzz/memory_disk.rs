//! A log on a disk in memory, and a key: what the targets about files share. The disk is the one of the tests.

use std::sync::Arc;

use broker::log::{Log, OpenError, Opened};
use broker::offsets::Place;
use kastellan_core::secret::Secret;
use kastellan_core::time::Clock;
use seal::master::LocalKey;
pub use testing::disk::SimDisk;
pub use testing::log::{clock, options};

pub fn key() -> Arc<LocalKey> {
    Arc::new(LocalKey::new(&Secret::new(vec![7; 32])).unwrap())
}

pub fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

pub async fn open(disk: &SimDisk) -> Result<Opened, OpenError> {
    let clock: Clock = clock();
    Log::open(options(), key(), Arc::new(disk.clone()), clock).await
}

/// The values of the records that a log is made with.
pub fn values() -> Vec<String> {
    (0..6)
        .map(|number| number.to_string().repeat(100))
        .collect()
}

/// A log with two topics, files that rolled, groups, and either a clean stop or none.
pub async fn make(stops: bool) -> (SimDisk, Place) {
    let disk = SimDisk::forgetful();
    let log = open(&disk).await.unwrap().log;
    let mut place = None;
    for name in ["first", "second"] {
        let topic = testing::log::create(&log, name, 1, &[("segment.bytes", "900")]).await;
        let at = Place {
            topic: topic.unwrap(),
            partition: 0,
        };
        place.get_or_insert(at);
        for value in values() {
            let records = testing::log::batch(&[&value]);
            testing::log::put(&log, at, records).await.unwrap();
        }
        let entry = (2, bytes::Bytes::from_static(b"\0\x05group"));
        let ticket = log.groups_journal().append(&[entry]).unwrap();
        ticket.durable().await.unwrap();
    }
    let killed = disk.after_kill();
    if !stops {
        return (killed, place.unwrap());
    }
    log.stop().await.unwrap();
    (disk.after_kill(), place.unwrap())
}

/// Everything that can be read of a partition, from the start of the log.
#[allow(dead_code, reason = "not every target reads")]
pub async fn read_all(log: &Log, place: Place) -> Option<Vec<String>> {
    let view = log.view(place)?;
    let (mut offset, mut found) = (view.log_start, Vec::new());
    while offset < view.high_watermark {
        let batches = log.read(place, offset, 1 << 20, true).await.ok()?;
        assert!(!batches.is_empty(), "a read of what is there gives nothing");
        for bytes in batches {
            let batch = wire::record::Batch::parse(&bytes).unwrap();
            offset = batch.header().last_offset() + 1;
            let caps = wire::record::ExpansionCaps::default();
            for record in wire::record::records(&batch, &caps).unwrap() {
                let value = record.unwrap().value.unwrap();
                found.push(String::from_utf8(value.to_vec()).unwrap());
            }
        }
    }
    Some(found)
}

/// Changes to a file: each is a position (3 bytes), what to do, and a byte.
pub fn change(bytes: &mut Vec<u8>, changes: &[u8]) {
    for change in changes.chunks_exact(5).take(8) {
        let position =
            usize::from(change[0]) << 16 | usize::from(change[1]) << 8 | usize::from(change[2]);
        let position = position % (bytes.len() + 1);
        let byte = change[4];
        match change[3] % 6 {
            0 => bytes.truncate(position),
            1 => bytes.insert(position, byte),
            2 => {
                if position < bytes.len() {
                    bytes.remove(position);
                }
            }
            3 => {
                // A part of it once more.
                let part = bytes.get(position..).unwrap_or_default();
                let part = part.get(..usize::from(byte) * 16).unwrap_or(part).to_vec();
                bytes.extend_from_slice(&part);
            }
            4 => bytes.extend_from_slice(&changes[..changes.len().min(usize::from(byte))]),
            _ => {
                if let Some(one) = bytes.get_mut(position) {
                    *one ^= byte;
                }
            }
        }
    }
}
