//! What is taken, and what is refused with which code.

use super::*;

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
    // Of a record without a key nothing else is told.
    let mut builder = BatchBuilder::new(Encoding::None);
    builder.append(START.0 + hour + 1, None, Some(b"v"), &[]);
    let both = append(&log, place, builder.build().unwrap().bytes().clone())
        .await
        .unwrap_err();
    assert_eq!(
        (both.code, both.records.len()),
        (ErrorCode::INVALID_RECORD, 1)
    );
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
