//! Files: rolled, closed, opened again; epochs.

use super::*;

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
async fn epochs_tell_where_each_run_began() {
    let (disk, log, place) = fresh(&[]).await;
    put(&log, place, batch(&["a", "b"])).await.unwrap();
    assert_eq!(log.epoch_end(place, 1), Some((1, 2)));
    assert_eq!(log.epoch_end(place, 2), None);
    assert_eq!(
        log.epoch_end(place, 0),
        Some((0, 0)),
        "older than all that is known"
    );
    assert_eq!(log.epoch_end(place, -1), None);
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
