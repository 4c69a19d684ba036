//! Records by time.

use super::*;

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
