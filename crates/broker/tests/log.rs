//! Appends, reads, files and what ends them: the log engine without the wire.

mod simulated;

use std::sync::Arc;
use std::time::Duration;

use broker::disk::RealDisk;
use broker::log::{Append, Log, ReadError, SettingChange, SettingScope};
use broker::offsets::Place;
use bytes::Bytes;
use kastellan_core::secret::Secret;
use seal::master::LocalKey;
use simulated::{
    KEY, START, SimDisk, append, batch, batch_at, open_whole, place, put, stored, texts, values,
};
use wire::error::ErrorCode;
use wire::record::{BatchBuilder, Codec, Encoding, TimedOffset, TimestampType};

async fn fresh(settings: &[(&str, &str)]) -> (SimDisk, Log, Place) {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let place = place(&log, settings).await;
    (disk, log, place)
}

async fn refusal(log: &Log, place: Place, records: Bytes) -> ErrorCode {
    append(log, place, records).await.unwrap_err().code
}

#[tokio::test]
async fn records_are_read_back_and_survive_a_restart() {
    let (disk, log, place) = fresh(&[]).await;
    assert_eq!(put(&log, place, batch(&["a", "b"])).await, Ok(0));
    assert_eq!(put(&log, place, batch(&["c"])).await, Ok(2));
    let expected = [(0, "a"), (1, "b"), (2, "c")].map(|(offset, text)| (offset, text.to_owned()));
    assert_eq!(values(&log, place).await, expected);
    log.stop().await.unwrap();
    let log = open_whole(&disk).await;
    assert_eq!(values(&log, place).await, expected);
    assert_eq!(put(&log, place, batch(&["d"])).await, Ok(3));
    let view = log.view(place).unwrap();
    assert_eq!(
        (
            view.log_start,
            view.high_watermark,
            view.end,
            view.leader_epoch
        ),
        (0, 4, 4, 2)
    );
}

#[tokio::test]
async fn malformed_batches_are_refused_with_their_codes() {
    let (_, log, place) = fresh(&[("max.message.bytes", "1000"), ("segment.bytes", "2000")]).await;
    let good = batch(&["good"]);
    let changed = |at: usize, by: u8| {
        let mut bytes = good.to_vec();
        bytes[at] ^= by;
        Bytes::from(bytes)
    };
    let twice = Bytes::from([&good[..], &good[..]].concat());
    let cases = [
        (Bytes::new(), ErrorCode::INVALID_RECORD),
        (twice, ErrorCode::INVALID_RECORD),
        (changed(16, 3), ErrorCode::INVALID_RECORD),
        (changed(70, 1), ErrorCode::CORRUPT_MESSAGE),
        (
            batch(&["x".repeat(2_000).as_str()]),
            ErrorCode::MESSAGE_TOO_LARGE,
        ),
    ];
    for (records, code) in cases {
        assert_eq!(refusal(&log, place, records).await, code);
    }
    let control = BatchBuilder::new(Encoding::None).control();
    assert_eq!(
        refusal(&log, place, built(control)).await,
        ErrorCode::INVALID_RECORD
    );
    let nothing = Append {
        place,
        records: None,
        produce_version: 9,
        acks: -1,
    };
    assert_eq!(
        log.append(nothing).await.unwrap_err().code,
        ErrorCode::INVALID_RECORD
    );
    let elsewhere = Place {
        partition: 1,
        ..place
    };
    assert_eq!(
        refusal(&log, elsewhere, good.clone()).await,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
    assert_eq!(
        put(&log, place, good).await,
        Ok(0),
        "nothing of all that was written"
    );
}

fn built(mut builder: BatchBuilder) -> Bytes {
    builder.append(START.0, Some(KEY.as_bytes()), Some(b"value"), &[]);
    builder.build().unwrap().bytes().clone()
}

#[tokio::test]
async fn zstd_needs_a_producer_that_knows_it() {
    let (_, log, place) = fresh(&[]).await;
    let zstd = built(BatchBuilder::new(Encoding::default_of(Codec::Zstd)));
    let append = |produce_version| Append {
        place,
        records: Some(zstd.clone()),
        produce_version,
        acks: -1,
    };
    let refused = log.append(append(6)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    assert!(log.append(append(7)).await.is_ok());
}

#[tokio::test]
async fn topic_settings_refuse_what_they_forbid() {
    let (_, log, place) = fresh(&[("min.insync.replicas", "2")]).await;
    assert_eq!(
        refusal(&log, place, batch(&["v"])).await,
        ErrorCode::NOT_ENOUGH_REPLICAS
    );
    let one = Append {
        place,
        records: Some(batch(&["v"])),
        produce_version: 9,
        acks: 1,
    };
    assert!(
        log.append(one).await.is_ok(),
        "only acks=-1 asks for replicas"
    );
    let (_, log, place) = fresh(&[("segment.bytes", "400")]).await;
    let large = batch(&["x".repeat(500).as_str()]);
    assert_eq!(
        refusal(&log, place, large).await,
        ErrorCode::RECORD_LIST_TOO_LARGE
    );
}

#[tokio::test]
async fn records_to_blame_are_named() {
    let (_, log, place) = fresh(&[("cleanup.policy", "compact")]).await;
    let mut builder = BatchBuilder::new(Encoding::None);
    for key in [None, Some(KEY.as_bytes()), None] {
        builder.append(START.0, key, Some(b"v"), &[]);
    }
    let keyless = append(&log, place, builder.build().unwrap().bytes().clone())
        .await
        .unwrap_err();
    assert_eq!(keyless.code, ErrorCode::INVALID_RECORD);
    assert_eq!(
        keyless
            .records
            .iter()
            .map(|(index, _)| *index)
            .collect::<Vec<_>>(),
        [0, 2]
    );
    let hour = 3_600_000;
    let late = append(&log, place, batch_at(START.0 + hour + 1, &["v"], None))
        .await
        .unwrap_err();
    assert_eq!(
        (late.code, late.records.len()),
        (ErrorCode::INVALID_TIMESTAMP, 1)
    );
    assert!(
        append(&log, place, batch_at(START.0 + hour, &["v"], None))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn retry_of_a_producer_gets_the_first_answer() {
    let (disk, log, place) = fresh(&[]).await;
    let of = |epoch, sequence, text: &str| batch_at(START.0, &[text], Some((9, epoch, sequence)));
    assert_eq!(put(&log, place, of(0, 0, "a")).await, Ok(0));
    assert_eq!(put(&log, place, of(0, 1, "b")).await, Ok(1));
    assert_eq!(put(&log, place, of(0, 0, "a")).await, Ok(0));
    assert_eq!(
        refusal(&log, place, of(0, 3, "d")).await,
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER
    );
    assert_eq!(put(&log, place, of(1, 0, "c")).await, Ok(2));
    assert_eq!(
        refusal(&log, place, of(0, 2, "c")).await,
        ErrorCode::INVALID_PRODUCER_EPOCH
    );
    for disk in [disk.after_kill(), disk.after_power_loss(1)] {
        let log = open_whole(&disk).await;
        assert_eq!(
            put(&log, place, of(1, 0, "c")).await,
            Ok(2),
            "known after a crash"
        );
        assert_eq!(put(&log, place, of(1, 1, "d")).await, Ok(3));
        log.stop().await.unwrap();
        let log = open_whole(&disk).await;
        assert_eq!(
            put(&log, place, of(1, 1, "d")).await,
            Ok(3),
            "known after a stop"
        );
        assert_eq!(texts(&log, place).await, ["a", "b", "c", "d"]);
    }
}

#[tokio::test]
async fn retry_waits_until_the_batch_is_durable() {
    let (disk, log, place) = fresh(&[]).await;
    put(&log, place, batch(&["makes the file"])).await.unwrap();
    disk.set_sync_time(Duration::from_millis(200));
    let records = batch_at(START.0, &["a"], Some((9, 0, 0)));
    let first = append(&log, place, records.clone()).await.unwrap();
    let again = append(&log, place, records).await.unwrap();
    assert_eq!(again.base_offset, first.base_offset);
    assert_eq!(
        log.view(place).unwrap().high_watermark,
        1,
        "nothing unsynced may be read"
    );
    again.durable.durable().await.unwrap();
    assert_eq!(log.view(place).unwrap().high_watermark, 2);
}

#[tokio::test]
async fn idle_producers_are_forgotten_after_a_day() {
    let disk = SimDisk::new();
    let clock = simulated::clock();
    let log = simulated::try_open(&disk, 7, &clock).await.unwrap().log;
    let place = place(&log, &[]).await;
    put(&log, place, batch_at(START.0, &["a"], Some((9, 0, 0))))
        .await
        .unwrap();
    clock.advance(Duration::from_secs(86_300));
    log.retain().await;
    assert_eq!(
        refusal(&log, place, batch_at(START.0, &["x"], Some((9, 0, 7)))).await,
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER
    );
    clock.advance(Duration::from_secs(200));
    log.retain().await;
    assert_eq!(
        put(&log, place, batch_at(START.0, &["x"], Some((9, 0, 7)))).await,
        Ok(1)
    );
}

#[tokio::test]
async fn full_files_are_closed_and_read_across() {
    let (disk, log, place) = fresh(&[("segment.bytes", "1000")]).await;
    let expected: Vec<String> = (0..40)
        .map(|number| format!("{number}-{}", "x".repeat(200)))
        .collect();
    for text in &expected {
        put(&log, place, batch(&[text])).await.unwrap();
    }
    assert!(disk.segments(place).len() > 5);
    assert_eq!(texts(&log, place).await, expected);
    // From the middle of any file, and with too little room for one batch.
    for offset in 0..40 {
        let read = log.read(place, offset, 1, true).await.unwrap();
        assert_eq!(read.len(), 1, "at least one");
        assert_eq!(i64::from_be_bytes(read[0][..8].try_into().unwrap()), offset);
        assert_eq!(log.read(place, offset, 1, false).await, Ok(Vec::new()));
    }
    log.stop().await.unwrap();
    assert_eq!(texts(&open_whole(&disk).await, place).await, expected);
}

#[tokio::test]
async fn file_is_closed_when_it_is_old() {
    let disk = SimDisk::new();
    let clock = simulated::clock();
    let log = simulated::try_open(&disk, 7, &clock).await.unwrap().log;
    let place = place(&log, &[("segment.ms", "60000")]).await;
    put(&log, place, batch(&["a"])).await.unwrap();
    clock.advance(Duration::from_secs(59));
    put(&log, place, batch(&["b"])).await.unwrap();
    assert_eq!(disk.segments(place).len(), 1);
    clock.advance(Duration::from_secs(1));
    put(&log, place, batch(&["c"])).await.unwrap();
    assert_eq!(disk.segments(place).len(), 2);
}

#[tokio::test]
async fn broker_time_replaces_the_producers() {
    let disk = SimDisk::new();
    let clock = simulated::clock();
    let log = simulated::try_open(&disk, 7, &clock).await.unwrap().log;
    let place = place(&log, &[("message.timestamp.type", "LogAppendTime")]).await;
    clock.advance(Duration::from_secs(5));
    let now = START.0 + 5_000;
    let records = batch_at(1, &["a", "b"], Some((3, 0, 0)));
    let appended = append(&log, place, records.clone()).await.unwrap();
    assert_eq!(appended.log_append_time, now);
    appended.durable.durable().await.unwrap();
    let batch = &stored(&log, place).await[0];
    assert_eq!(batch.header().max_timestamp, now);
    assert_eq!(
        batch.header().attributes.timestamp_type(),
        TimestampType::LogAppendTime
    );
    clock.advance(Duration::from_secs(5));
    assert_eq!(
        append(&log, place, records).await.unwrap().log_append_time,
        now,
        "a retry gets the first time"
    );
    let found = log.first_at_or_after(place, now).await.unwrap();
    assert_eq!(
        found,
        Some(TimedOffset {
            offset: 0,
            timestamp: now
        })
    );
}

#[tokio::test]
async fn records_are_found_by_time() {
    let (disk, log, place) = fresh(&[("segment.bytes", "600")]).await;
    // Three records a batch, 10 ms apart from batch to batch; one batch is out of order.
    for start in [0, 10, 20, 100, 30, 40, 50] {
        put(
            &log,
            place,
            batch_at(START.0 + start, &["a", "b", "c"], None),
        )
        .await
        .unwrap();
    }
    assert!(disk.segments(place).len() > 2);
    let check = async |log: &Log| {
        let at = async |after: i64| {
            let found = log.first_at_or_after(place, START.0 + after).await.unwrap();
            found.map(|found| (found.offset, found.timestamp - START.0))
        };
        assert_eq!(at(-5).await, Some((0, 0)));
        assert_eq!(at(1).await, Some((1, 1)));
        assert_eq!(at(3).await, Some((3, 10)));
        assert_eq!(at(22).await, Some((8, 22)));
        assert_eq!(at(23).await, Some((9, 100)));
        assert_eq!(at(102).await, Some((11, 102)));
        assert_eq!(at(103).await, None);
        let latest = log.latest_timestamp(place).await.unwrap().unwrap();
        assert_eq!((latest.offset, latest.timestamp - START.0), (11, 102));
    };
    check(&log).await;
    log.stop().await.unwrap();
    let log = open_whole(&disk).await;
    check(&log).await;
    // The largest time is gone with its record.
    log.delete_records(place, 12).await.unwrap();
    let latest = log.latest_timestamp(place).await.unwrap().unwrap();
    assert_eq!((latest.offset, latest.timestamp - START.0), (20, 52));
}

#[tokio::test]
async fn latest_time_is_that_of_durable_records() {
    let (disk, log, place) = fresh(&[]).await;
    assert_eq!(log.latest_timestamp(place).await, Ok(None));
    put(&log, place, batch_at(START.0, &["durable"], None))
        .await
        .unwrap();
    disk.set_sync_time(Duration::from_millis(300));
    let unsynced = append(&log, place, batch_at(START.0 + 9, &["not yet"], None))
        .await
        .unwrap();
    let latest = log.latest_timestamp(place).await.unwrap();
    assert_eq!(
        latest,
        Some(TimedOffset {
            offset: 0,
            timestamp: START.0
        })
    );
    unsynced.durable.durable().await.unwrap();
    assert_eq!(
        log.latest_timestamp(place).await.unwrap().unwrap().offset,
        1
    );
}

#[tokio::test]
async fn deleted_records_are_gone_for_good() {
    let (disk, log, place) = fresh(&[("segment.bytes", "600")]).await;
    for number in 0..10 {
        put(
            &log,
            place,
            batch(&[&format!("{number}-{}", "x".repeat(100))]),
        )
        .await
        .unwrap();
    }
    let files = disk.segments(place).len();
    assert_eq!(
        log.delete_records(place, 11).await,
        Err(ErrorCode::OFFSET_OUT_OF_RANGE)
    );
    assert_eq!(
        log.delete_records(place, -2).await,
        Err(ErrorCode::OFFSET_OUT_OF_RANGE)
    );
    assert_eq!(log.delete_records(place, 7).await, Ok(7));
    assert_eq!(
        log.delete_records(place, 3).await,
        Ok(7),
        "below the start nothing happens"
    );
    assert_eq!(texts(&log, place).await.len(), 3);
    let log = open_whole(&disk.after_power_loss(3)).await;
    assert_eq!(log.view(place).unwrap().log_start, 7);
    drop(log);
    let log = open_whole(&disk.after_kill()).await;
    assert_eq!(log.delete_records(place, -1).await, Ok(10));
    assert_eq!(
        put(&log, place, batch(&["next"])).await,
        Ok(10),
        "offsets go on"
    );
    assert!(disk.segments(place).len() < files);
}

#[tokio::test]
async fn old_records_go_and_offsets_go_on() {
    let disk = SimDisk::new();
    let clock = simulated::clock();
    let log = simulated::try_open(&disk, 7, &clock).await.unwrap().log;
    let place = place(&log, &[("retention.ms", "10000"), ("segment.bytes", "600")]).await;
    for number in 0..6 {
        let time = START.0 + number * 2_000;
        put(
            &log,
            place,
            batch_at(time, &[&format!("{number}-{}", "x".repeat(300))], None),
        )
        .await
        .unwrap();
    }
    log.retain().await;
    assert_eq!(log.view(place).unwrap().log_start, 0, "nothing is old yet");
    clock.advance(Duration::from_secs(15));
    log.retain().await;
    assert_eq!(log.view(place).unwrap().log_start, 3);
    clock.advance(Duration::from_secs(60));
    log.retain().await;
    let view = log.view(place).unwrap();
    assert_eq!((view.log_start, view.end), (6, 6), "emptied");
    log.stop().await.unwrap();
    let log = simulated::try_open(&disk, 7, &clock).await.unwrap().log;
    let view = log.view(place).unwrap();
    assert_eq!((view.log_start, view.end, view.is_offline), (6, 6, false));
    let records = batch_at(clock.now().0, &["next"], None);
    assert_eq!(put(&log, place, records).await, Ok(6));
    assert_eq!(texts(&log, place).await, ["next"]);
    log.stop().await.unwrap();
    assert_eq!(texts(&open_whole(&disk).await, place).await, ["next"]);
}

#[tokio::test]
async fn what_is_too_much_goes_from_the_front() {
    let (disk, log, place) = fresh(&[
        ("retention.bytes", "2000"),
        ("retention.ms", "-1"),
        ("segment.bytes", "600"),
    ])
    .await;
    for number in 0..12 {
        put(
            &log,
            place,
            batch(&[&format!("{number}-{}", "x".repeat(300))]),
        )
        .await
        .unwrap();
    }
    log.retain().await;
    // Files go behind the appends of their thread.
    put(&log, place, batch(&["last"])).await.unwrap();
    let left = log.partition_bytes(place);
    let kept = texts(&log, place).await;
    assert!((2_000..5_000).contains(&left), "{left} bytes");
    assert!(kept.len() < 12 && kept.last().unwrap() == "last");
    log.stop().await.unwrap();
    assert_eq!(texts(&open_whole(&disk).await, place).await, kept);
}

#[tokio::test]
async fn compacted_topics_keep_everything() {
    let (_, log, place) = fresh(&[
        ("cleanup.policy", "compact"),
        ("retention.bytes", "0"),
        ("segment.bytes", "600"),
    ])
    .await;
    for number in 0..6 {
        put(
            &log,
            place,
            batch(&[&format!("{number}-{}", "x".repeat(300))]),
        )
        .await
        .unwrap();
    }
    log.retain().await;
    assert_eq!(texts(&log, place).await.len(), 6);
}

#[tokio::test]
async fn deleted_topic_leaves_no_file_and_its_name_is_free() {
    let (disk, log, place) = fresh(&[]).await;
    put(&log, place, batch(&["a"])).await.unwrap();
    log.delete_topic(place.topic).await.unwrap();
    assert!(log.view(place).is_none());
    assert_eq!(
        refusal(&log, place, batch(&["b"])).await,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
    assert!(disk.segments(place).is_empty());
    let again = simulated::place(&log, &[]).await;
    assert_ne!(again.topic, place.topic);
    assert_eq!(put(&log, again, batch(&["fresh"])).await, Ok(0));
}

#[tokio::test]
async fn waiter_of_a_long_poll_is_woken_by_durable_records() {
    let (disk, log, place) = fresh(&[]).await;
    put(&log, place, batch(&["a"])).await.unwrap();
    assert_eq!(log.readable_bytes(place, 1), 0);
    let waiter = broker::log::Waiter::new();
    log.watch(place, &waiter);
    disk.set_sync_time(Duration::from_millis(100));
    let appended = append(&log, place, batch(&["b"])).await.unwrap();
    assert_eq!(log.readable_bytes(place, 1), 0, "not durable yet");
    tokio::time::timeout(Duration::from_secs(5), waiter.woken())
        .await
        .unwrap();
    assert!(log.readable_bytes(place, 1) > 0);
    appended.durable.durable().await.unwrap();
}

/// Appends batches of one partition that all wait while the thread that writes is held up by a sync; `then` comes
/// before it goes on.
async fn append_together(
    disk: &SimDisk,
    log: &Log,
    place: Place,
    batches: Vec<Bytes>,
    then: impl FnOnce(),
) -> Vec<Result<i64, ErrorCode>> {
    let slow = simulated::create(log, "slow", 1, &[("kastellan.durability", "each")]).await;
    let slow = Place {
        topic: slow.unwrap(),
        partition: 0,
    };
    put(log, slow, batch(&["opens its file"])).await.unwrap();
    let before = disk.writes();
    disk.hold_syncs(true);
    let (clone, waits) = (log.clone(), batch(&["holds up the thread"]));
    let first = tokio::spawn(async move { put(&clone, slow, waits).await });
    while disk.writes() == before {
        tokio::task::yield_now().await;
    }
    let appends = batches.into_iter().map(|records| {
        let log = log.clone();
        tokio::spawn(async move { put(&log, place, records).await })
    });
    let appends: Vec<_> = appends.collect();
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    then();
    disk.hold_syncs(false);
    first.await.unwrap().unwrap();
    let mut answers = Vec::new();
    for append in appends {
        answers.push(append.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn one_write_takes_all_batches_that_wait() {
    let (disk, log, place) = fresh(&[]).await;
    put(&log, place, batch(&["first"])).await.unwrap();
    let batches: Vec<_> = (0..50).map(|n| batch(&[&format!("{n}")])).collect();
    let mut before = 0;
    let answers = append_together(&disk, &log, place, batches, || before = disk.writes()).await;
    assert_eq!(answers, (1..51).map(Ok).collect::<Vec<_>>());
    assert_eq!(disk.writes() - before, 1);
    assert_eq!(texts(&log, place).await.len(), 51);
    let log = open_whole(&disk.after_kill()).await;
    assert_eq!(texts(&log, place).await.len(), 51);
}

#[tokio::test]
async fn retry_of_a_batch_that_waits_gets_its_place() {
    let (disk, log, place) = fresh(&[]).await;
    let once = |sequence| batch_at(START.0, &["once"], Some((7, 0, sequence)));
    put(&log, place, once(0)).await.unwrap();
    let batches = vec![once(1), once(1), once(2), once(1), once(4)];
    let answers = append_together(&disk, &log, place, batches, || {}).await;
    let out_of_order = Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(answers, [Ok(1), Ok(1), Ok(2), Ok(1), out_of_order]);
    assert_eq!(texts(&log, place).await.len(), 3);
}

#[tokio::test]
async fn batches_that_find_no_room_together_are_refused_together_and_may_come_again() {
    let (disk, log, place) = fresh(&[]).await;
    let text = "x".repeat(200);
    let once = |sequence: i32| batch_at(START.0, &[&text], Some((7, 0, sequence)));
    put(&log, place, once(0)).await.unwrap();
    put(&log, place, once(1)).await.unwrap();
    let batches = (2..6).map(once).collect();
    let small = || disk.set_capacity(Some(disk.used() + 700));
    let answers = append_together(&disk, &log, place, batches, small).await;
    assert_eq!(answers, [Err(ErrorCode::KAFKA_STORAGE_ERROR); 4]);
    assert_eq!(log.view(place).unwrap().end, 2);
    disk.set_capacity(None);
    let later = put(&log, place, once(3)).await;
    assert_eq!(later, Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER));
    for sequence in [2, 3, 2] {
        let again = put(&log, place, once(sequence)).await;
        assert_eq!(again, Ok(i64::from(sequence)));
    }
    assert_eq!(texts(&log, place).await.len(), 4);
    let log = open_whole(&disk.after_kill()).await;
    assert_eq!(texts(&log, place).await.len(), 4);
    assert_eq!(put(&log, place, once(3)).await, Ok(3), "still known");
}

#[tokio::test]
async fn files_roll_between_batches_that_wait() {
    let (disk, log, place) = fresh(&[("segment.bytes", "900")]).await;
    let text = "x".repeat(200);
    put(&log, place, batch(&[&text])).await.unwrap();
    let batches = (0..20).map(|_| batch(&[&text])).collect();
    let answers = append_together(&disk, &log, place, batches, || {}).await;
    assert_eq!(answers, (1..21).map(Ok).collect::<Vec<_>>());
    assert!(disk.segments(place).len() > 5);
    assert_eq!(texts(&log, place).await.len(), 21);
    let log = open_whole(&disk.after_kill()).await;
    assert_eq!(texts(&log, place).await.len(), 21);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sync_serves_many_producers() {
    let (disk, log, place) = fresh(&[]).await;
    put(&log, place, batch(&["makes the file"])).await.unwrap();
    disk.set_sync_time(Duration::from_millis(3));
    let before = disk.syncs();
    let producers: Vec<_> = (0..16)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    put(&log, place, batch(&["v"])).await.unwrap();
                }
            })
        })
        .collect();
    for producer in producers {
        producer.await.unwrap();
    }
    let syncs = disk.syncs() - before;
    assert!(320 / syncs >= 8, "{syncs} syncs for 320 batches");
}

#[tokio::test]
async fn durability_os_does_not_wait_for_the_disk() {
    let (disk, log, place) = fresh(&[("kastellan.durability", "os")]).await;
    put(&log, place, batch(&["makes the file"])).await.unwrap();
    let before = disk.syncs();
    put(&log, place, batch(&["a"])).await.unwrap();
    assert_eq!(disk.syncs(), before);
    assert_eq!(texts(&log, place).await.len(), 2, "readable at once");
    log.stop().await.unwrap();
    assert_eq!(texts(&open_whole(&disk).await, place).await.len(), 2);
}

#[tokio::test]
async fn failed_sync_ends_all_promises_until_a_restart() {
    let (disk, log, place) = fresh(&[]).await;
    put(&log, place, batch(&["a"])).await.unwrap();
    disk.fail_sync(disk.syncs() + 1);
    let storage = Err(ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(put(&log, place, batch(&["lost"])).await, storage);
    assert!(log.has_failed());
    let what = tokio::time::timeout(Duration::from_secs(5), log.failed())
        .await
        .unwrap();
    assert!(
        what.contains("sync failed") && what.contains(".seg"),
        "{what}"
    );
    // The disk works again; the log does not believe it.
    assert_eq!(put(&log, place, batch(&["b"])).await, storage);
    assert_eq!(
        simulated::create(&log, "other", 1, &[]).await,
        Err(ErrorCode::KAFKA_STORAGE_ERROR)
    );
    assert_eq!(
        log.delete_records(place, 1).await,
        Err(ErrorCode::KAFKA_STORAGE_ERROR)
    );
    assert_eq!(
        log.next_producer_id().await,
        Err(ErrorCode::KAFKA_STORAGE_ERROR)
    );
    assert!(log.groups_journal().append(&[(3, Bytes::new())]).is_err());
    assert!(log.stop().await.is_err(), "not a clean stop");
    assert_eq!(log.view(place).unwrap().high_watermark, 1);
    let log = open_whole(&disk.after_kill()).await;
    assert_eq!(put(&log, place, batch(&["c"])).await, Ok(2));
    let log = open_whole(&disk.after_power_loss(4)).await;
    assert!(put(&log, place, batch(&["c"])).await.is_ok());
}

#[tokio::test]
async fn full_disk_refuses_and_goes_on_when_there_is_room() {
    // Every number of bytes that may be left when files are made, written and closed.
    for left in (0..3_000).step_by(48) {
        let (disk, log, place) = fresh(&[("segment.bytes", "700")]).await;
        let text = "x".repeat(200);
        let mut kept = Vec::new();
        let write = async |kept: &mut Vec<String>| {
            let value = format!("{}-{text}", kept.len());
            let written = put(&log, place, batch(&[&value])).await;
            if written.is_ok() {
                kept.push(value);
            }
            written
        };
        write(&mut kept).await.unwrap();
        disk.set_capacity(Some(disk.used() + left));
        let mut refused = None;
        for _ in 0..12 {
            refused = write(&mut kept).await.err();
            if refused.is_some() {
                break;
            }
        }
        assert_eq!(
            refused,
            Some(ErrorCode::KAFKA_STORAGE_ERROR),
            "{left} bytes left"
        );
        assert!(
            !log.has_failed(),
            "{left} bytes left: a full disk is no failure"
        );
        assert_eq!(write(&mut kept).await.err(), refused);
        let _ = simulated::create(
            &log,
            "not-whole",
            1,
            &[("retention.ms", "1"), ("segment.ms", "1")],
        )
        .await;
        let topics = log.topics().len();
        // The free space is looked at every second; nothing here waits for that.
        disk.set_capacity(None);
        write(&mut kept)
            .await
            .unwrap_or_else(|code| panic!("{left} bytes left, then room: {code:?}"));
        assert_eq!(texts(&log, place).await, kept, "{left} bytes left");
        let next = open_whole(&disk.after_kill()).await;
        assert_eq!(texts(&next, place).await, kept, "{left} bytes left, killed");
        assert_eq!(
            next.topics().len(),
            topics,
            "a topic is made as a whole or not at all"
        );
        log.stop().await.unwrap();
        let next = open_whole(&disk).await;
        assert_eq!(
            texts(&next, place).await,
            kept,
            "{left} bytes left, stopped"
        );
    }
}

#[tokio::test]
async fn unreadable_file_takes_its_partition_offline_and_no_other() {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let topic = simulated::create(&log, "t", 2, &[]).await.unwrap();
    let [zero, one] = [0, 1].map(|partition| Place { topic, partition });
    put(&log, zero, batch(&["a"])).await.unwrap();
    put(&log, one, batch(&["b"])).await.unwrap();
    disk.set_unreadable(Some(&disk.segments(zero)[0]));
    assert_eq!(
        log.read(zero, 0, 1_000, true).await,
        Err(ReadError::Offline)
    );
    assert_eq!(
        refusal(&log, zero, batch(&["c"])).await,
        ErrorCode::KAFKA_STORAGE_ERROR
    );
    assert_eq!(texts(&log, one).await, ["b"]);
    assert!(!log.has_failed());
}

#[tokio::test]
async fn epochs_tell_where_each_run_began() {
    let (disk, log, place) = fresh(&[]).await;
    put(&log, place, batch(&["a", "b"])).await.unwrap();
    assert_eq!(log.epoch_end(place, 1), Some((1, 2)));
    assert_eq!(log.epoch_end(place, 2), None);
    log.stop().await.unwrap();
    open_whole(&disk).await.stop().await.unwrap();
    let disk = disk.after_kill();
    let log = open_whole(&disk).await;
    put(&log, place, batch(&["c"])).await.unwrap();
    assert_eq!(log.view(place).unwrap().leader_epoch, 3);
    assert_eq!(log.epoch_end(place, 1), Some((1, 2)));
    assert_eq!(
        log.epoch_end(place, 2),
        Some((1, 2)),
        "an epoch without records is none"
    );
    assert_eq!(log.epoch_end(place, 3), Some((3, 3)));
    let log = open_whole(&disk.after_kill()).await;
    assert_eq!(log.epoch_end(place, 3), Some((3, 3)), "known after a crash");
}

#[tokio::test]
async fn settings_act_at_once_and_survive() {
    let (disk, log, place) = fresh(&[]).await;
    let change = |value: Option<&str>| SettingChange {
        key: "max.message.bytes".to_owned(),
        value: value.map(str::to_owned),
    };
    let scope = SettingScope::Topic(simulated::TOPIC.to_owned());
    log.change_settings(&scope, vec![change(Some("10"))])
        .await
        .unwrap();
    assert_eq!(
        refusal(&log, place, batch(&["v"])).await,
        ErrorCode::MESSAGE_TOO_LARGE
    );
    let log = open_whole(&disk.after_power_loss(9)).await;
    assert_eq!(
        refusal(&log, place, batch(&["v"])).await,
        ErrorCode::MESSAGE_TOO_LARGE
    );
    log.change_settings(&scope, vec![change(None)])
        .await
        .unwrap();
    assert!(put(&log, place, batch(&["v"])).await.is_ok());
}

#[tokio::test]
async fn verification_reads_everything_and_names_damage() {
    let (disk, log, place) = fresh(&[("segment.bytes", "600")]).await;
    for number in 0..6 {
        put(
            &log,
            place,
            batch(&[&format!("{number}-{}", "x".repeat(300))]),
        )
        .await
        .unwrap();
    }
    let seen = log.verify().await;
    assert_eq!(seen.files, disk.segments(place).len() as u64);
    assert!(seen.damage.is_empty(), "{:?}", seen.damage);
    let oldest = disk.segments(place)[0].clone();
    disk.edit(&oldest, |bytes| bytes[450] ^= 1);
    let seen = log.verify().await;
    assert_eq!(seen.damage.len(), 1);
    assert!(seen.damage[0].contains(&oldest), "{:?}", seen.damage);
}

#[tokio::test]
async fn export_gives_batches_as_kafka_stores_them() {
    let (_, log, place) = fresh(&[("segment.bytes", "600")]).await;
    for number in 0..6 {
        put(
            &log,
            place,
            batch(&[&format!("{number}-{}", "x".repeat(300))]),
        )
        .await
        .unwrap();
    }
    let mut file = Vec::new();
    let exported = log
        .export(place, |bytes| {
            file.extend_from_slice(bytes);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!((exported.batches, exported.bytes), (6, file.len() as u64));
    let batches = wire::record::batches(&Bytes::from(file), wire::record::Trailing::Refused);
    let offsets: Vec<i64> = batches
        .map(|batch| batch.unwrap().header().base_offset)
        .collect();
    assert_eq!(offsets, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn closed_files_are_not_held_open() {
    let dir = std::env::temp_dir().join(format!("kastellan-files-{}", std::process::id()));
    let disk = Arc::new(RealDisk::open(&dir).unwrap());
    let key = Arc::new(LocalKey::new(&Secret::new(vec![7; 32])).unwrap());
    let opened = Log::open(simulated::options(), key, disk, simulated::clock()).await;
    let log = opened.unwrap().log;
    let place = place(&log, &[("segment.bytes", "600")]).await;
    for number in 0..40 {
        let value = format!("{number}-{}", "x".repeat(300));
        put(&log, place, batch(&[&value])).await.unwrap();
    }
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let open = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let open = open.filter(|path| path.starts_with(&dir)).count();
    assert!(open < 10, "{open} files are open");
    assert_eq!(texts(&log, place).await.len(), 40);
    log.stop().await.unwrap();
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn second_process_is_told_that_the_directory_is_taken() {
    let dir = std::env::temp_dir().join(format!("kastellan-lock-{}", std::process::id()));
    let first = RealDisk::open(&dir).unwrap();
    let second = RealDisk::open(&dir).err().unwrap();
    assert_eq!(second.kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    assert!(RealDisk::open(&dir).is_ok());
    std::fs::remove_dir_all(dir).unwrap();
}
