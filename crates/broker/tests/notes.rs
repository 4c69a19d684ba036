//! What the log puts on the trail.

use testing::log as simulated;

use std::sync::{Arc, Mutex};

use broker::log::{AnchorMark, LogOptions, Opened};
use broker::offsets::Place;
use broker::options::Trail;
use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::ports::{Pending, TrailSink, Unavailable};
use simulated::{SimDisk, TOPIC, batch, clock, options, place, put, try_open_with};

#[derive(Default)]
struct Sink(Mutex<Vec<Event>>);

impl TrailSink for Sink {
    fn record<'a>(&'a self, event: Event) -> Pending<'a, Result<Option<u64>, Unavailable>> {
        self.note(event);
        Box::pin(async { Ok(None) })
    }

    fn note(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Sink {
    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn kinds(&self) -> Vec<String> {
        self.take().into_iter().map(|event| event.kind).collect()
    }
}

async fn open(disk: &SimDisk, sink: &Arc<Sink>, last_anchor: Option<AnchorMark>) -> Opened {
    let options = LogOptions {
        trail: Some(Trail(sink.clone())),
        last_anchor,
        ..options()
    };
    try_open_with(disk, options, 7, &clock()).await.unwrap()
}

/// A log with some files, stopped; and what was noted last.
async fn stopped(sink: &Arc<Sink>) -> (SimDisk, Place, AnchorMark) {
    let disk = SimDisk::new();
    let log = open(&disk, sink, None).await.log;
    let place = place(&log, &[("segment.bytes", "900")]).await;
    for text in ["a", "b", "c"] {
        let value = text.repeat(400);
        put(&log, place, batch(&[&value])).await.unwrap();
    }
    assert_eq!(sink.kinds(), [""; 0]);
    log.stop().await.unwrap();
    let events = sink.take();
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    let mark = AnchorMark::read(event).unwrap();
    assert!(mark.digest.is_some());
    (disk, place, mark)
}

#[tokio::test]
async fn damage_found_at_the_start_is_on_record_with_its_place() {
    let sink = Arc::new(Sink::default());
    let (disk, place, _) = stopped(&sink).await;
    let path = disk.segments(place).pop().unwrap();
    let disk = disk.after_kill();
    disk.edit(&path, |bytes| bytes[300] ^= 1);
    assert_eq!(open(&disk, &sink, None).await.damage.len(), 1);
    let events = sink.take();
    let event = events
        .iter()
        .find(|event| event.kind == "log.corruption")
        .unwrap();
    assert_eq!(
        (event.class, event.outcome),
        (Class::Critical, Outcome::Failed)
    );
    assert_eq!(event.resources[0].name, TOPIC);
    assert_eq!(event.detail["partition"], "0");
    assert_eq!(event.detail["file"], path);
    assert!(event.detail.contains_key("reason"));
}

#[tokio::test]
async fn damage_found_by_a_reader_is_on_record_once() {
    let sink = Arc::new(Sink::default());
    let (disk, place, _) = stopped(&sink).await;
    let log = open(&disk, &sink, None).await.log;
    let path = disk.segments(place).remove(0);
    disk.set_unreadable(Some(&path));
    for _ in 0..3 {
        assert!(log.read(place, 0, 1 << 20, true).await.is_err());
    }
    assert_eq!(sink.kinds(), ["log.corruption"]);
}

#[tokio::test]
async fn failed_sync_is_on_record() {
    let sink = Arc::new(Sink::default());
    let (disk, place, _) = stopped(&sink).await;
    let log = open(&disk, &sink, None).await.log;
    disk.fail_sync(disk.syncs() + 1);
    assert!(put(&log, place, batch(&["lost"])).await.is_err());
    assert_eq!(sink.kinds(), ["log.failed"]);
}

#[tokio::test]
async fn new_root_key_and_strangers_are_on_record() {
    let sink = Arc::new(Sink::default());
    let (disk, _, _) = stopped(&sink).await;
    disk.put("p/strange/file", vec![4]);
    let log = open(&disk, &sink, None).await.log;
    log.rotate_root().await.unwrap();
    let events = sink.take();
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event.kind.as_str(),
                event.detail.values().next().unwrap().as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [("log.quarantined", "p/strange"), ("log.root_rotated", "2")]
    );
}

#[tokio::test]
async fn directory_that_is_older_than_the_trail_is_noticed_and_the_same_one_is_not() {
    let sink = Arc::new(Sink::default());
    let (first, place, first_mark) = stopped(&sink).await;
    let disk = first.after_kill();
    let log = open(&disk, &sink, Some(first_mark.clone())).await.log;
    assert_eq!(sink.kinds(), [""; 0], "it is as it was left");
    put(&log, place, batch(&["more"])).await.unwrap();
    log.stop().await.unwrap();
    let second_mark = AnchorMark::read(&sink.take()[0]).unwrap();
    // Killed later on: the trail is behind, which is fine.
    drop(open(&disk.after_kill(), &sink, Some(first_mark.clone())).await);
    assert_eq!(sink.kinds(), [""; 0]);
    // An old copy, an empty directory, another log.
    for older in [first.after_kill(), SimDisk::new()] {
        let opened = open(&older, &sink, Some(second_mark.clone())).await;
        assert_eq!(opened.damage, [""; 0], "a warning, no refusal");
        assert_eq!(sink.kinds(), ["log.rolled_back"]);
    }
    let other = AnchorMark {
        digest: Some("another".to_owned()),
        ..second_mark
    };
    drop(open(&disk, &sink, Some(other)).await);
    assert_eq!(sink.kinds(), ["log.rolled_back"]);
}
