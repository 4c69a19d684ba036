//! Idempotent producers.

use super::*;

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
async fn too_many_producers_in_all_partitions_are_forgotten_from_the_idle_end() {
    let disk = SimDisk::new();
    let clock = simulated::clock();
    let options = LogOptions {
        max_producers: 40,
        ..simulated::options()
    };
    let opened = simulated::try_open_with(&disk, options, 7, &clock).await;
    let log = opened.unwrap().log;
    let topic = simulated::create(&log, "many", 2, &[]).await.unwrap();
    let place = |producer: i64| Place {
        topic,
        partition: i32::from(producer % 2 == 1),
    };
    let once = |producer: i64| batch_at(START.0, &["once"], Some((producer, 0, 0)));
    let mut bases = Vec::new();
    for producer in 0..60 {
        clock.advance(Duration::from_secs(1));
        bases.push(put(&log, place(producer), once(producer)).await.unwrap());
    }
    // Whoever was used lately is known still, and a retry is no second record.
    for producer in 25..60 {
        let again = put(&log, place(producer), once(producer)).await;
        assert_eq!(
            again,
            Ok(bases[usize::try_from(producer).unwrap()]),
            "{producer}"
        );
    }
    // The first ones are forgotten: their batch is taken as new.
    assert_eq!(put(&log, place(0), once(0)).await, Ok(30));
    assert_eq!(put(&log, place(1), once(1)).await, Ok(30));
}
