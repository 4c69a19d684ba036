//! What a start and a sync cost, counted in operations of the disk: times belong to `bench/`.

use super::*;
use testing::disk::Counts;

/// A start on a disk, and what it asked of it.
async fn start(disk: &SimDisk) -> (Log, Counts) {
    let disk = disk.after_kill();
    let log = open_whole(&disk).await;
    (log, disk.counts())
}

#[tokio::test]
async fn closed_file_costs_a_start_no_more_than_its_header_and_its_last_frame() {
    const FILES: u64 = 1_000;
    let (disk, log, place) = fresh(&[("segment.bytes", "300")]).await;
    let text = "x".repeat(100);
    for _ in 0..FILES {
        put(&log, place, batch(&[&text])).await.unwrap();
    }
    assert_eq!(disk.segments(place).len() as u64, FILES);
    log.stop().await.unwrap();
    let (few_disk, few_log, few_place) = fresh(&[("segment.bytes", "300")]).await;
    for _ in 0..3 {
        put(&few_log, few_place, batch(&[&text])).await.unwrap();
    }
    few_log.stop().await.unwrap();
    let (log, many) = start(&disk).await;
    let (_, few) = start(&few_disk).await;
    assert_eq!(log.view(place).unwrap().end as u64, FILES);
    assert!(many.opened - few.opened <= FILES, "{many:?}");
    // A header, the head of the close frame and all of it; and an entry of the catalog, by its head.
    assert!(many.reads - few.reads <= 5 * FILES, "{many:?}");
    assert!(many.read_bytes - few.read_bytes <= 800 * FILES, "{many:?}");
    assert!(many.syncs <= few.syncs, "{many:?}, {few:?}");
}

#[tokio::test]
async fn start_after_a_kill_reads_each_tail_once_and_writes_only_what_was_not_proven() {
    const PARTITIONS: i32 = 100;
    const BATCHES: usize = 12;
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let topic = simulated::create(&log, "t", PARTITIONS, &[]).await.unwrap();
    let text = "x".repeat(5_000);
    for partition in 0..PARTITIONS {
        for _ in 0..BATCHES {
            let place = Place { topic, partition };
            put(&log, place, batch(&[&text])).await.unwrap();
        }
    }
    let killed = disk.after_kill();
    let tails: usize = (0..PARTITIONS)
        .flat_map(|partition| killed.segments(Place { topic, partition }))
        .map(|path| killed.bytes(&path).len())
        .sum();
    let (_, counts) = start(&disk).await;
    let partitions = PARTITIONS as u64;
    let last_batches = partitions * (text.len() as u64 + 200);
    // The heads of frames, the last batch once more to carry it over, and the journals.
    let most = tails as u64 + 2 * last_batches + partitions * (BATCHES as u64 * 32 + 2_000);
    assert!(counts.read_bytes < most, "{counts:?} of {most}");
    // A new file with a header, an opening frame, a batch; its directory; an anchor; the old file cut.
    assert!(counts.writes < 5 * partitions, "{counts:?}");
    assert!(counts.syncs < 7 * partitions, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sync_serves_many_producers() {
    const PRODUCERS: i64 = 16;
    const ROUNDS: i64 = 10;
    let (disk, log, place) = fresh(&[]).await;
    put(&log, place, batch(&["makes the file"])).await.unwrap();
    let before = disk.syncs();
    for round in 1..=ROUNDS {
        // As long as a sync takes, others come.
        disk.hold_syncs(true);
        let producers = (0..PRODUCERS).map(|_| {
            let log = log.clone();
            tokio::spawn(async move { put(&log, place, batch(&["v"])).await })
        });
        let producers: Vec<_> = producers.collect();
        while log.view(place).unwrap().end < 1 + round * PRODUCERS {
            tokio::task::yield_now().await;
        }
        disk.hold_syncs(false);
        for producer in producers {
            producer.await.unwrap().unwrap();
        }
    }
    let syncs = disk.syncs() - before;
    let batches = (ROUNDS * PRODUCERS) as u64;
    assert!(batches / syncs >= 8, "{syncs} syncs for {batches} batches");
}
