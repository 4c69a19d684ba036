//! What is damaged is given up only where somebody says so, and then the rest is served again.

use testing::log as simulated;

use std::sync::Arc;

use broker::log::{Log, OpenError};
use broker::offsets::Place;
use broker::repair::{JournalKind, Offline, PartitionReport, RepairError};
use kastellan_core::secret::Secret;
use seal::master::LocalKey;
use simulated::{
    SimDisk, TOPIC, batch, batch_at, clock, create, open, open_whole, options, put, texts, try_open,
};

const SMALL: &[(&str, &str)] = &[("segment.bytes", "900")];

fn text(number: usize) -> String {
    format!("{number}-{}", "x".repeat(300))
}

fn written(count: usize) -> Vec<String> {
    (0..count).map(text).collect()
}

/// A repair waits for the disk: it runs on a thread of its own.
async fn offline<T: Send + 'static>(
    disk: &SimDisk,
    work: impl FnOnce(Offline) -> T + Send + 'static,
) -> T {
    let disk = Arc::new(disk.clone());
    let work = move || {
        let key = Arc::new(LocalKey::new(&Secret::new(vec![7; 32])).unwrap());
        work(Offline::open(options(), key, disk, clock()).unwrap())
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn inspect(disk: &SimDisk, from: Option<i64>) -> Result<PartitionReport, RepairError> {
    offline(disk, move |log| log.inspect_partition(TOPIC, 0, from)).await
}

async fn repair(disk: &SimDisk, from: i64) -> Result<PartitionReport, RepairError> {
    offline(disk, move |log| log.repair_partition(TOPIC, 0, from)).await
}

/// Two partitions; the first has these many batches of an idempotent producer.
async fn stopped(batches: usize) -> (SimDisk, Place) {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let topic = create(&log, TOPIC, 2, SMALL).await.unwrap();
    let place = |partition| Place { topic, partition };
    put(&log, place(1), batch(&["beside it"])).await.unwrap();
    for number in 0..batches {
        put(&log, place(0), once(number)).await.unwrap();
    }
    log.stop().await.unwrap();
    (disk, place(0))
}

fn once(number: usize) -> bytes::Bytes {
    let sequence = i32::try_from(number).unwrap();
    batch_at(simulated::START.0, &[&text(number)], Some((5, 0, sequence)))
}

/// Flips a bit of the batch that begins at an offset.
fn damage(disk: &SimDisk, place: Place, file: usize, frame: usize) {
    let path = disk.segments(place).remove(file);
    disk.edit(&path, |bytes| {
        let mut at = 256;
        for _ in 0..frame {
            at += u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        }
        bytes[at + 40] ^= 1;
    });
}

fn everything(disk: &SimDisk) -> Vec<(String, Vec<u8>)> {
    let files = disk.files().into_iter();
    files
        .map(|path| (path.clone(), disk.bytes(&path)))
        .collect()
}

async fn assert_goes_on(disk: &SimDisk, place: Place, kept: usize) {
    let log = open_whole(disk).await;
    assert_eq!(texts(&log, place).await, written(kept));
    let beside = Place {
        partition: 1,
        ..place
    };
    assert_eq!(texts(&log, beside).await, ["beside it"]);
    let offset = i64::try_from(kept).unwrap();
    if kept > 0 {
        let again = put(&log, place, once(kept - 1)).await;
        assert_eq!(again, Ok(offset - 1), "a retry of what was kept is known");
    }
    assert_eq!(put(&log, place, once(kept)).await, Ok(offset));
    assert_eq!(put(&log, place, once(kept + 1)).await, Ok(offset + 1));
    let log = open_whole(&disk.after_kill()).await;
    assert_eq!(texts(&log, place).await, written(kept + 2));
}

#[tokio::test]
async fn report_names_the_damage_and_the_loss_and_changes_nothing() {
    let (disk, place) = stopped(10).await;
    let whole = inspect(&disk, None).await.unwrap();
    assert_eq!((whole.good_until, whole.lost()), (10, 0));
    assert_eq!(whole.damage, [""; 0]);
    // Two batches a file: offset 5 lies in the third one, behind its opening frame and offset 4.
    damage(&disk, place, 2, 2);
    let before = everything(&disk);
    let report = inspect(&disk, None).await.unwrap();
    assert_eq!(
        (report.log_start, report.good_until, report.end),
        (0, 5, 10)
    );
    assert_eq!((report.keeps_until, report.lost()), (5, 5));
    assert!(
        report.damage[0].contains("damaged at byte"),
        "{:?}",
        report.damage
    );
    let readable: Vec<_> = report.dropped.iter().map(|file| file.readable).collect();
    assert_eq!(readable, [None, Some((6, 7)), Some((8, 9))]);
    let more = inspect(&disk, Some(3)).await.unwrap();
    assert_eq!((more.keeps_until, more.lost()), (3, 7));
    assert_eq!(everything(&disk), before);
}

#[tokio::test]
async fn what_lies_before_the_damage_is_served_again_and_the_rest_is_kept_aside() {
    let (disk, place) = stopped(10).await;
    damage(&disk, place, 2, 2);
    // A closed file is looked at when somebody reads it.
    let log = open_whole(&disk.after_kill()).await;
    assert!(log.read(place, 5, 1 << 20, true).await.is_err());
    assert!(log.view(place).unwrap().is_offline);
    let files = disk.segments(place);
    let report = repair(&disk, 5).await.unwrap();
    assert_eq!(report.lost(), 5);
    let aside = disk
        .files()
        .into_iter()
        .filter(|path| path.starts_with("quarantine/"));
    assert_eq!(aside.count(), files.len() - 2, "nothing is removed");
    assert_goes_on(&disk, place, 5).await;
}

#[tokio::test]
async fn more_than_what_is_damaged_may_be_given_up() {
    for (from, kept) in [(4, 4), (1, 1), (0, 0)] {
        let (disk, place) = stopped(10).await;
        damage(&disk, place, 2, 2);
        repair(&disk, from).await.unwrap();
        assert_goes_on(&disk, place, kept).await;
    }
}

#[tokio::test]
async fn any_damage_of_a_file_can_be_repaired() {
    for (file, kept) in [(0, 0), (1, 2), (4, 8)] {
        for what in ["header", "opening", "missing", "cut"] {
            let (disk, place) = stopped(10).await;
            let path = disk.segments(place).remove(file);
            match what {
                "header" => disk.edit(&path, |bytes| bytes[100] ^= 1),
                "opening" => disk.edit(&path, |bytes| bytes[290] ^= 1),
                "missing" => disk.remove(&path),
                _ => disk.edit(&path, |bytes| bytes.truncate(300)),
            }
            let context = format!("{what} of file {file}");
            let report = inspect(&disk, None).await.unwrap();
            assert_eq!(report.good_until, kept, "{context}: {report:?}");
            repair(&disk, kept).await.unwrap();
            assert_goes_on(&disk, place, usize::try_from(kept).unwrap()).await;
        }
    }
}

#[tokio::test]
async fn nothing_is_given_up_that_is_whole_or_that_nobody_named() {
    let (disk, place) = stopped(10).await;
    let before = everything(&disk);
    assert!(matches!(repair(&disk, 10).await, Err(RepairError::Whole)));
    assert!(matches!(repair(&disk, 3).await, Err(RepairError::Whole)));
    damage(&disk, place, 2, 2);
    let damaged = everything(&disk);
    for from in [-1, 6, 10, i64::MAX] {
        let refused = repair(&disk, from).await;
        let range = matches!(
            refused,
            Err(RepairError::OutOfRange {
                log_start: 0,
                good_until: 5
            })
        );
        assert!(range, "{from}: {refused:?}");
    }
    let unknown = offline(&disk, |log| log.repair_partition("other", 0, 0)).await;
    assert!(matches!(unknown, Err(RepairError::UnknownTopic(_))));
    let unknown = offline(&disk, |log| log.repair_partition(TOPIC, 2, 0)).await;
    assert!(matches!(
        unknown,
        Err(RepairError::UnknownPartition { last: 1, .. })
    ));
    assert_eq!(everything(&disk), damaged);
    assert_ne!(before, damaged);
}

#[tokio::test]
async fn repair_may_be_cut_at_any_moment_and_done_again() {
    let (base, place) = stopped(10).await;
    damage(&base, place, 2, 2);
    for cut in 1.. {
        let disk = base.after_kill();
        disk.cut_power_at(cut);
        let done = repair(&disk, 5).await.is_ok();
        for choice in 0..6 {
            let next = match choice {
                0 => disk.after_kill(),
                _ => disk.after_power_loss(cut * 100 + choice),
            };
            let report = inspect(&next, None).await.unwrap();
            if !report.damage.is_empty() {
                assert!(!done, "cut at {cut}: {report:?}");
                repair(&next, 5)
                    .await
                    .unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
            }
            assert_goes_on(&next, place, 5).await;
        }
        if disk.changes() < cut {
            assert!(done && cut > 20, "{cut}");
            break;
        }
    }
}

/// Topics `first` .. and so on, each with one durable batch, and entries of groups.
async fn busy() -> (SimDisk, i64) {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let mut producer = 0;
    for name in ["first", "second", "third"] {
        let topic = create(&log, name, 1, &[]).await.unwrap();
        let place = Place {
            topic,
            partition: 0,
        };
        put(&log, place, batch(&[name])).await.unwrap();
        let entry = (4, group_entry(name, topic));
        let ticket = log.groups_journal().append(&[entry]).unwrap();
        ticket.durable().await.unwrap();
        producer = log.next_producer_id().await.unwrap();
    }
    (disk.after_kill(), producer)
}

/// "This offset was removed": group, topic, partition.
fn group_entry(group: &str, topic: uuid::Uuid) -> bytes::Bytes {
    let mut body = u16::try_from(group.len()).unwrap().to_be_bytes().to_vec();
    body.extend_from_slice(group.as_bytes());
    body.extend_from_slice(topic.as_bytes());
    body.extend_from_slice(&0_i32.to_be_bytes());
    body.into()
}

fn journal(disk: &SimDisk, dir: &str) -> String {
    let mut files = disk.files().into_iter();
    files.find(|path| path.starts_with(dir)).unwrap()
}

/// Flips a bit in the frame this many behind the end of the snapshot.
fn damage_journal(disk: &SimDisk, dir: &str, behind: usize) {
    const SNAPSHOT_END: u8 = 17;
    disk.edit(&journal(disk, dir), |bytes| {
        let mut at = 256;
        let mut after = None;
        while after != Some(behind) {
            after = match after {
                None if bytes[at + 12] == SNAPSHOT_END => Some(0),
                other => other.map(|count| count + 1),
            };
            at += u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        }
        bytes[at + 30] ^= 1;
    });
}

#[tokio::test]
async fn catalog_goes_on_with_what_lies_before_the_damage() {
    let (disk, producer) = busy().await;
    let whole = offline(&disk, |log| log.repair_journal(JournalKind::Catalog)).await;
    assert!(matches!(whole, Err(RepairError::Whole)));
    // Behind the snapshot: the first topic, its anchor; then the block of producer ids is damaged.
    damage_journal(&disk, "catalog/", 2);
    assert!(matches!(
        try_open(&disk.after_kill(), 7, &clock()).await,
        Err(OpenError::Journal(_))
    ));
    let before = everything(&disk);
    let report = offline(&disk, |log| log.inspect_journal(JournalKind::Catalog)).await;
    let report = report.unwrap();
    assert!(report.damaged_at.is_some());
    let lost = report.lost.join("; ");
    assert!(lost.contains("second") && lost.contains("third"), "{lost}");
    assert!(!lost.contains("first"), "{lost}");
    assert_eq!(everything(&disk), before);
    let file = report.file.clone();
    let repaired = offline(&disk, |log| log.repair_journal(JournalKind::Catalog)).await;
    assert_eq!(repaired.unwrap(), report);
    assert_eq!(
        disk.bytes(&format!("quarantine/{}", file.replace('/', "_"))),
        before.iter().find(|(path, _)| *path == file).unwrap().1
    );
    let log = open_whole(&disk).await;
    let topics = log.topics();
    assert_eq!(
        topics
            .iter()
            .map(|topic| topic.name.as_str())
            .collect::<Vec<_>>(),
        ["first"]
    );
    let first = Place {
        topic: topics.by_name("first").unwrap().id,
        partition: 0,
    };
    assert_eq!(texts(&log, first).await, ["first"]);
    assert!(
        log.next_producer_id().await.unwrap() > producer,
        "no id is given twice"
    );
    assert_eq!(put(&log, first, batch(&["goes on"])).await, Ok(1));
    let aside = disk
        .files()
        .into_iter()
        .filter(|path| path.starts_with("quarantine/"));
    assert_eq!(aside.count(), 3, "the journal, and the files of two topics");
}

#[tokio::test]
async fn groups_journal_goes_on_with_what_lies_before_the_damage() {
    let (disk, _) = busy().await;
    damage_journal(&disk, "groups/", 1);
    assert!(try_open(&disk.after_kill(), 7, &clock()).await.is_err());
    let report = offline(&disk, |log| log.inspect_journal(JournalKind::Groups)).await;
    let report = report.unwrap();
    assert_eq!((report.kept, report.lost.len()), (1, 1), "{report:?}");
    assert!(report.lost[0].contains("third"), "{report:?}");
    let repaired = offline(&disk, |log| log.repair_journal(JournalKind::Groups)).await;
    assert_eq!(repaired.unwrap(), report);
    let opened = open(&disk).await;
    assert_eq!(opened.damage, [""; 0]);
    assert_eq!(opened.groups.len(), 1);
}

#[tokio::test]
async fn repair_of_a_journal_may_be_cut_at_any_moment() {
    let (base, _) = busy().await;
    damage_journal(&base, "catalog/", 2);
    for cut in 1.. {
        let disk = base.after_kill();
        disk.cut_power_at(cut);
        let done = offline(&disk, |log| log.repair_journal(JournalKind::Catalog))
            .await
            .is_ok();
        for choice in 0..6 {
            let next = match choice {
                0 => disk.after_kill(),
                _ => disk.after_power_loss(cut * 100 + choice),
            };
            let opens = try_open(&next.after_kill(), 7, &clock()).await.is_ok();
            if !opens {
                assert!(!done, "cut at {cut}");
                let again = offline(&next, |log| log.repair_journal(JournalKind::Catalog)).await;
                again.unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
            }
            let log: Log = open_whole(&next).await;
            assert!(log.topics().by_name("first").is_some(), "cut at {cut}");
        }
        if disk.changes() < cut {
            assert!(done && cut > 5, "{cut}");
            break;
        }
    }
}

#[tokio::test]
async fn missing_journal_is_not_begun_anew_over_topics() {
    for dir in ["catalog/", "groups/"] {
        let (disk, _) = stopped(2).await;
        disk.remove(&journal(&disk, dir));
        let refused = try_open(&disk, 7, &clock())
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(refused.contains("journal is missing"), "{dir}: {refused}");
    }
}
