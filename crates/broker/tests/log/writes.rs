//! How batches reach the disk: together, and durable by the rule of their topic.

use super::*;

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
async fn small_batch_is_written_where_it_is_asked_for() {
    let (disk, log, place) = fresh(&[]).await;
    put(&log, place, batch(&["makes the file"])).await.unwrap();
    for _ in 0..1_000 {
        let before = disk.writes();
        let mut appended = std::pin::pin!(append(&log, place, batch(&["a"])));
        // Whoever asks writes it: polled once, with nobody else given a turn.
        let polled =
            std::future::poll_fn(|context| std::task::Poll::Ready(appended.as_mut().poll(context)));
        if let std::task::Poll::Ready(done) = polled.await {
            done.unwrap();
            assert_eq!(disk.writes() - before, 1);
            return;
        }
        // The thread still had the shard: it answers before it lets go.
        appended.await.unwrap();
    }
    panic!("always went to the thread");
}

#[tokio::test]
async fn batch_with_a_sync_of_its_own_is_left_to_the_thread() {
    let (disk, log, each) = fresh(&[("kastellan.durability", "each")]).await;
    put(&log, each, batch(&["makes the file"])).await.unwrap();
    disk.hold_syncs(true);
    let held = append(&log, each, batch(&["a"]));
    let mut held = std::pin::pin!(held);
    let polled =
        std::future::poll_fn(|context| std::task::Poll::Ready(held.as_mut().poll(context))).await;
    assert!(polled.is_pending(), "would have waited for the disk here");
    disk.hold_syncs(false);
    held.await.unwrap();
}

#[tokio::test]
async fn record_that_nobody_waits_for_becomes_readable_by_itself() {
    let (_disk, log, place) = fresh(&[]).await;
    put(&log, place, batch(&["makes the file"])).await.unwrap();
    let waiter = broker::log::Waiter::new();
    log.watch(place, &waiter);
    for text in ["a", "b", "c"] {
        let unwatched = Append {
            place,
            records: Some(batch(&[text])),
            produce_version: 9,
            acks: 1,
        };
        drop(log.append(unwatched).await.unwrap().durable);
    }
    while log.view(place).unwrap().high_watermark < 4 {
        tokio::time::timeout(Duration::from_secs(20), waiter.woken())
            .await
            .unwrap();
        log.watch(place, &waiter);
    }
    assert_eq!(texts(&log, place).await.len(), 4);
}
