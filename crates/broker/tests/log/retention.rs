//! Records go: by request, by age, by size, with their topic.

use super::*;

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
