//! A failed sync, a full disk, a file that cannot be read, a directory that is taken.

use super::*;

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
async fn second_process_is_told_that_the_directory_is_taken() {
    let dir = std::env::temp_dir().join(format!("kastellan-lock-{}", std::process::id()));
    let first = RealDisk::open(&dir).unwrap();
    let second = RealDisk::open(&dir).err().unwrap();
    assert_eq!(second.kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    assert!(RealDisk::open(&dir).is_ok());
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn free_space_is_looked_at_before_a_file_is_begun() {
    let disk = SimDisk::new();
    disk.set_capacity(Some(20_000));
    let options = LogOptions {
        min_free: Some(12_000),
        ..simulated::options()
    };
    let clock = simulated::clock();
    let opened = simulated::try_open_with(&disk, options, 7, &clock).await;
    let log = opened.unwrap().log;
    let place = place(&log, &[("segment.bytes", "900")]).await;
    let text = "x".repeat(300);
    let mut taken = 0;
    // Faster than the second in which the space is looked at.
    while put(&log, place, batch(&[&text])).await.is_ok() {
        taken += 1;
    }
    let free = 20_000 - disk.used();
    assert!(
        taken > 4 && (11_000..12_000).contains(&free),
        "{taken}: {free}"
    );
    assert!(log.is_full() && !log.has_failed());
    assert_eq!(texts(&log, place).await.len(), taken);
}
