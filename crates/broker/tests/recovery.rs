//! What a start makes of each state the files may be in: go on, repair what was never promised, or say what is damaged
//! and touch nothing.

use testing::log as simulated;

use std::ops::Range;
use std::time::Duration;

use broker::log::{OpenError, ReadError};
use broker::offsets::Place;
use simulated::{SimDisk, TOPIC, batch, batch_at, create, open, open_whole, put, texts, try_open};
use wire::error::ErrorCode;

const SMALL: &[(&str, &str)] = &[("segment.bytes", "900")];

/// Positions of the frames of a file.
fn frames(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut frames = Vec::new();
    let mut at = 256;
    while let Some(len) = bytes.get(at..at + 4) {
        let len = u32::from_be_bytes(len.try_into().unwrap()) as usize;
        frames.push(at..at + len);
        at += len;
    }
    frames
}

/// Batches of the same size, each durable before the next, and then a kill.
async fn killed(settings: &[(&str, &str)], batches: usize) -> (SimDisk, Place) {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let place = simulated::place(&log, settings).await;
    for number in 0..batches {
        put(&log, place, batch(&[&text(number)])).await.unwrap();
    }
    (disk.after_kill(), place)
}

fn text(number: usize) -> String {
    format!("{number}-{}", "x".repeat(300))
}

fn written(numbers: Range<usize>) -> Vec<String> {
    numbers.map(text).collect()
}

/// As [`killed`], but stopped well.
async fn stopped(settings: &[(&str, &str)], batches: usize) -> (SimDisk, Place) {
    let (disk, place) = killed(settings, batches).await;
    open_whole(&disk).await.stop().await.unwrap();
    (disk, place)
}

/// The partition is offline and says why, again at every start, and its files stay as they are.
async fn assert_damaged(disk: &SimDisk, place: Place, why: &str) {
    let files = |disk: &SimDisk| -> Vec<_> {
        let paths = disk.segments(place);
        paths
            .into_iter()
            .map(|path| (disk.bytes(&path), path))
            .collect()
    };
    let before = files(disk);
    let mut disk = disk.clone();
    for start in ["first start", "after a stop", "after a kill"] {
        let opened = open(&disk).await;
        let damage = opened.damage.join("; ");
        assert!(
            !damage.is_empty(),
            "{start}: nothing is said, although: {why}"
        );
        if start == "first start" {
            assert!(damage.contains(why), "{start}: {damage}");
        }
        let log = opened.log;
        assert!(log.view(place).unwrap().is_offline, "{start}");
        assert_eq!(
            log.read(place, 0, 1_000, true).await,
            Err(ReadError::Offline),
            "{start}"
        );
        assert_eq!(
            put(&log, place, batch(&["more"])).await,
            Err(ErrorCode::KAFKA_STORAGE_ERROR),
            "{start}"
        );
        if start == "first start" {
            log.stop().await.unwrap();
        }
        drop(log);
        assert!(
            files(&disk) == before,
            "{start}: damaged files were changed"
        );
        disk = disk.after_kill();
    }
}

async fn assert_whole(disk: &SimDisk, place: Place, expected: Vec<String>) {
    let log = open_whole(disk).await;
    assert_eq!(texts(&log, place).await, expected);
    put(&log, place, batch(&["goes on"])).await.unwrap();
    log.stop().await.unwrap();
    let log = open_whole(disk).await;
    assert_eq!(texts(&log, place).await.len(), expected.len() + 1);
}

#[tokio::test]
async fn file_that_the_catalog_names_must_be_there() {
    let (disk, place) = killed(&[], 3).await;
    assert_whole(&disk.after_kill(), place, written(0..3)).await;
    disk.remove(&disk.segments(place)[0]);
    assert_damaged(&disk, place, "the catalog names as the newest is missing").await;
}

#[tokio::test]
async fn header_and_first_frame_of_a_named_file_must_be_whole() {
    for position in [0, 20, 70, 200, 260, 300] {
        let (disk, place) = killed(&[], 3).await;
        disk.edit(&disk.segments(place)[0], |bytes| bytes[position] ^= 1);
        assert_damaged(&disk, place, "the header or the first frame is damaged").await;
    }
}

#[tokio::test]
async fn file_whose_creation_was_cut_is_set_aside() {
    for content in [Vec::new(), vec![0; 4096], vec![7; 300]] {
        let (disk, place) = killed(&[], 3).await;
        let dir = format!("p/{}/0", place.topic.simple());
        disk.put(
            &format!("{dir}/00000000000000000003-00000009.seg"),
            content.clone(),
        );
        assert_whole(&disk, place, written(0..3)).await;
        let aside = disk
            .files()
            .into_iter()
            .find(|path| path.starts_with("quarantine/"))
            .unwrap();
        assert_eq!(disk.bytes(&aside), content, "it is kept");
    }
}

/// The sync of a new file may have failed and lost it, whatever is read of it now: the next file must not rest on it.
#[tokio::test]
async fn file_that_was_never_in_use_is_discarded() {
    let (stopped, place) = stopped(&[], 1).await;
    // The file, its directory, its name in the catalog.
    for sync in 1..=3 {
        let disk = stopped.after_kill();
        let log = open_whole(&disk).await;
        disk.fail_sync(disk.syncs() + sync);
        assert!(put(&log, place, batch(&[&text(1)])).await.is_err());
        drop(log);
        let restarted = disk.after_kill();
        let log = open_whole(&restarted).await;
        put(&log, place, batch(&[&text(1)])).await.unwrap();
        drop(log);
        for seed in 0..20 {
            let log = open_whole(&restarted.after_power_loss(seed)).await;
            assert_eq!(texts(&log, place).await, written(0..2), "sync {sync}");
        }
    }
}

#[tokio::test]
async fn unfinished_recovery_is_done_again() {
    let (before, place) = killed(&[], 3).await;
    let recovered = before.after_kill();
    drop(open_whole(&recovered).await);
    let [_, carried] = &recovered.segments(place)[..] else {
        panic!("recovery made no file")
    };
    // The new file is there, the old one is not yet cut.
    before.put(carried, recovered.bytes(carried));
    assert_whole(&before, place, written(0..3)).await;
}

/// What a recovery carries over is not counted twice by the next one.
#[tokio::test]
async fn retries_are_known_after_any_number_of_kills() {
    let mut disk = SimDisk::new();
    let once = |sequence: i32| batch_at(simulated::START.0, &["once"], Some((7, 0, sequence)));
    let log = open_whole(&disk).await;
    let place = simulated::place(&log, &[]).await;
    for sequence in 0..6 {
        put(&log, place, once(sequence)).await.unwrap();
    }
    drop(log);
    for kill in 0..4 {
        disk = disk.after_kill();
        let log = open_whole(&disk).await;
        for sequence in 1..6 {
            let again = put(&log, place, once(sequence)).await;
            assert_eq!(again, Ok(i64::from(sequence)), "after kill {kill}");
        }
        assert_eq!(texts(&log, place).await.len(), 6);
    }
}

#[tokio::test]
async fn file_before_the_newest_must_be_the_one_it_names() {
    type Change = fn(&mut Vec<u8>);
    let changes: [(Change, &str); 4] = [
        (
            |bytes| bytes.truncate(bytes.len() - 96),
            "it is not the file that the next one names",
        ),
        (
            |bytes| bytes.extend([0; 16]),
            "it is not the file that the next one names",
        ),
        (
            |bytes| *bytes.last_mut().unwrap() ^= 1,
            "its last frame is not the one that the next file names",
        ),
        (|bytes| bytes[20] ^= 1, ""),
    ];
    for (change, why) in changes {
        let (disk, place) = killed(SMALL, 3).await;
        let files = disk.segments(place);
        assert_eq!(files.len(), 2, "{files:?}");
        disk.edit(&files[0], change);
        assert_damaged(&disk, place, why).await;
    }
    let (disk, place) = killed(SMALL, 3).await;
    disk.remove(&disk.segments(place)[0]);
    assert_damaged(
        &disk,
        place,
        "the file is missing although the next one follows it",
    )
    .await;
}

#[tokio::test]
async fn files_must_begin_at_the_log_start_and_follow_one_another() {
    let (disk, place) = killed(SMALL, 7).await;
    assert!(disk.segments(place).len() >= 4);
    let first_gone = disk.after_kill();
    first_gone.remove(&first_gone.segments(place)[0]);
    assert_damaged(
        &first_gone,
        place,
        "the first file begins above the log start",
    )
    .await;
    disk.remove(&disk.segments(place)[1]);
    assert_damaged(&disk, place, "the next file does not go on where it ends").await;
}

#[tokio::test]
async fn file_that_a_removal_left_behind_goes() {
    let (disk, place) = killed(SMALL, 7).await;
    let oldest = disk.segments(place)[0].clone();
    let content = disk.bytes(&oldest);
    let log = open_whole(&disk).await;
    log.delete_records(place, 5).await.unwrap();
    log.stop().await.unwrap();
    assert!(!disk.files().contains(&oldest));
    // The removal did not reach the disk.
    disk.put(&oldest, content);
    assert_whole(&disk, place, written(5..7)).await;
    assert!(!disk.files().contains(&oldest));
}

#[tokio::test]
async fn after_a_clean_stop_nothing_is_rewritten() {
    let (disk, place) = stopped(SMALL, 5).await;
    let before: Vec<_> = disk.segments(place);
    let log = open_whole(&disk).await;
    assert_eq!(disk.segments(place), before);
    assert_eq!(texts(&log, place).await, written(0..5));
    // A stop without an append in between is a clean stop too.
    log.stop().await.unwrap();
    assert_whole(&disk, place, written(0..5)).await;
}

#[tokio::test]
async fn stop_after_a_recovery_without_an_append_is_clean() {
    // Killed right behind the close frames: everything is durable, nothing is carried over.
    let (disk, place) = stopped(&[], 3).await;
    let newest = disk.segments(place).last().unwrap().clone();
    let catalog = disk
        .files()
        .into_iter()
        .find(|path| path.starts_with("catalog/"))
        .unwrap();
    // The catalog's last frame, which says that the log stopped, never reached the disk.
    disk.edit(&catalog, |bytes| {
        let last = frames(bytes).last().unwrap().start;
        bytes.truncate(last);
    });
    let log = open_whole(&disk).await;
    log.stop().await.unwrap();
    assert_whole(&disk, place, written(0..3)).await;
    assert!(disk.files().contains(&newest));
}

#[tokio::test]
async fn any_changed_byte_of_a_stopped_file_is_noticed() {
    let (disk, place) = stopped(&[], 2).await;
    let newest = disk.segments(place).last().unwrap().clone();
    for position in (0..disk.bytes(&newest).len()).step_by(5) {
        let changed = disk.after_kill();
        changed.edit(&newest, |bytes| bytes[position] ^= 0x10);
        let opened = open(&changed).await;
        assert_eq!(opened.damage.len(), 1, "byte {position}");
        assert!(opened.log.view(place).unwrap().is_offline);
    }
}

#[tokio::test]
async fn any_cut_of_a_stopped_file_is_noticed() {
    let (disk, place) = stopped(&[], 2).await;
    let newest = disk.segments(place).last().unwrap().clone();
    let len = disk.bytes(&newest).len();
    for cut in (0..len).step_by(16).chain([len - 1]) {
        let changed = disk.after_kill();
        changed.edit(&newest, |bytes| bytes.truncate(cut));
        let opened = open(&changed).await;
        assert_eq!(opened.damage.len(), 1, "cut at {cut}");
        // A kill right after that start must not make it forget.
        let again = open(&changed.after_kill()).await;
        let is_data = cut < frames(&disk.bytes(&newest))[2].start;
        assert!(
            !is_data || again.damage.len() == 1,
            "cut at {cut}, second start"
        );
    }
}

#[tokio::test]
async fn torn_end_is_cut_and_damage_before_it_is_not() {
    let (disk, place) = killed(&[], 4).await;
    let file = disk.segments(place)[0].clone();
    let all = frames(&disk.bytes(&file));
    let last = all.last().unwrap().clone();
    // No frame behind the last one says that it was durable.
    for cut in [last.start + 1, last.start + 20, last.end - 1] {
        let torn = disk.after_kill();
        torn.edit(&file, |bytes| bytes.truncate(cut));
        assert_whole(&torn, place, written(0..3)).await;
    }
    let garbage = disk.after_kill();
    garbage.edit(&file, |bytes| bytes.extend([0xA5; 5_000]));
    assert_whole(&garbage, place, written(0..4)).await;
    for frame in &all[1..3] {
        for position in [
            frame.start,
            frame.start + 5,
            frame.start + 9,
            frame.start + 40,
            frame.end - 1,
        ] {
            let damaged = disk.after_kill();
            damaged.edit(&file, |bytes| bytes[position] ^= 1);
            assert_damaged(&damaged, place, "durable bytes are damaged").await;
        }
    }
}

#[tokio::test]
async fn synced_end_in_the_catalog_tells_a_cut_from_a_torn_end() {
    let disk = SimDisk::new();
    let mut options = simulated::options();
    options.retention_check = Duration::from_millis(100);
    let opened = simulated::try_open_with(&disk, options, 7, &simulated::clock()).await;
    let log = opened.unwrap().log;
    let place = simulated::place(&log, &[]).await;
    put(&log, place, batch(&["durable"])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let disk = disk.after_kill();
    let file = disk.segments(place)[0].clone();
    let last = frames(&disk.bytes(&file)).last().unwrap().start;
    disk.edit(&file, |bytes| bytes.truncate(last));
    assert_damaged(&disk, place, "records that were durable are missing").await;
}

#[tokio::test]
async fn frames_cannot_be_swapped() {
    let (disk, place) = killed(&[], 4).await;
    let file = disk.segments(place)[0].clone();
    disk.edit(&file, |bytes| {
        let all = frames(bytes);
        let (one, two) = (all[1].clone(), all[2].clone());
        assert_eq!(one.len(), two.len());
        let (a, b) = (bytes[one.clone()].to_vec(), bytes[two.clone()].to_vec());
        bytes[one].copy_from_slice(&b);
        bytes[two].copy_from_slice(&a);
    });
    assert_damaged(&disk, place, "durable bytes are damaged").await;
}

#[tokio::test]
async fn files_cannot_change_places() {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let topic = create(&log, TOPIC, 2, &[]).await.unwrap();
    let [zero, one] = [0, 1].map(|partition| Place { topic, partition });
    put(&log, zero, batch(&["zero"])).await.unwrap();
    put(&log, one, batch(&["one"])).await.unwrap();
    let disk = disk.after_kill();
    let [a, b] = [zero, one].map(|place| disk.segments(place)[0].clone());
    let content = disk.bytes(&a);
    disk.put(&a, disk.bytes(&b));
    disk.put(&b, content);
    let opened = open(&disk).await;
    assert_eq!(opened.damage.len(), 2, "{:?}", opened.damage);
    for told in &opened.damage {
        assert!(told.contains("the file belongs elsewhere"), "{told}");
    }
    for place in [zero, one] {
        assert_eq!(
            opened.log.read(place, 0, 1_000, true).await,
            Err(ReadError::Offline)
        );
    }
}

#[tokio::test]
async fn older_state_of_a_file_is_not_taken_for_the_newest() {
    let (disk, place) = killed(&[], 2).await;
    let file = disk.segments(place)[0].clone();
    let older = disk.bytes(&file);
    let log = open_whole(&disk).await;
    put(&log, place, batch(&["newer"])).await.unwrap();
    log.stop().await.unwrap();
    disk.put(&file, older);
    assert_damaged(&disk, place, "it is not the file that the next one names").await;
}

#[tokio::test]
async fn damage_of_an_old_file_is_found_when_it_is_read() {
    let (disk, place) = stopped(SMALL, 6).await;
    let oldest = disk.segments(place)[0].clone();
    let batch_frame = frames(&disk.bytes(&oldest))[1].clone();
    disk.edit(&oldest, |bytes| bytes[batch_frame.start + 50] ^= 1);
    let log = open_whole(&disk).await;
    assert_eq!(
        log.read(place, 0, 10_000, true).await,
        Err(ReadError::Offline)
    );
    assert!(log.view(place).unwrap().is_offline);
}

#[tokio::test]
async fn one_damaged_partition_leaves_the_others_alone() {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let topic = create(&log, TOPIC, 2, &[]).await.unwrap();
    let [zero, one] = [0, 1].map(|partition| Place { topic, partition });
    put(&log, zero, batch(&["zero"])).await.unwrap();
    put(&log, one, batch(&["one"])).await.unwrap();
    let disk = disk.after_kill();
    disk.remove(&disk.segments(zero)[0]);
    let opened = open(&disk).await;
    assert_eq!(opened.damage.len(), 1);
    assert_eq!(texts(&opened.log, one).await, ["one"]);
    put(&opened.log, one, batch(&["more"])).await.unwrap();
}

#[tokio::test]
async fn wrong_master_key_opens_nothing() {
    let (disk, _) = killed(&[], 1).await;
    assert!(matches!(
        try_open(&disk, 8, &simulated::clock()).await,
        Err(OpenError::Keyring(_))
    ));
    assert!(try_open(&disk, 7, &simulated::clock()).await.is_ok());
}

#[tokio::test]
async fn missing_keyring_is_not_made_anew_over_records() {
    let (disk, _) = killed(&[], 1).await;
    disk.remove("keyring");
    assert!(matches!(
        try_open(&disk, 7, &simulated::clock()).await,
        Err(OpenError::KeyringMissing)
    ));
}

#[tokio::test]
async fn damaged_journals_refuse_the_start() {
    for (dir, step) in [("catalog/", 31), ("groups/", 7), ("keyring", 11)] {
        let (disk, _) = stopped(&[], 1).await;
        let path = disk
            .files()
            .into_iter()
            .find(|path| path.starts_with(dir))
            .unwrap();
        // The end of the catalog is its last changes, which a crash may cut: the snapshot is what must be whole.
        let snapshot = frames_or_all(&disk.bytes(&path), dir);
        for position in (0..snapshot).step_by(step) {
            let changed = disk.after_kill();
            changed.edit(&path, |bytes| bytes[position] ^= 1);
            let refused = try_open(&changed, 7, &simulated::clock()).await.is_err();
            assert!(refused, "{path}: byte {position} of {snapshot}");
        }
    }
}

/// Bytes up to the end of a journal's snapshot, or of the whole keyring.
fn frames_or_all(bytes: &[u8], dir: &str) -> usize {
    const SNAPSHOT_END: u8 = 17;
    if dir == "keyring" {
        return bytes.len();
    }
    let end = frames(bytes)
        .into_iter()
        .find(|frame| bytes[frame.start + 12] == SNAPSHOT_END);
    end.unwrap().end
}

#[tokio::test]
async fn directory_that_the_catalog_does_not_know_is_set_aside_and_kept() {
    let (disk, place) = stopped(&[], 2).await;
    disk.put(
        "p/0123456789abcdef0123456789abcdef/0/some.seg",
        vec![1, 2, 3],
    );
    disk.put("p/strange/file", vec![4]);
    assert_whole(&disk, place, written(0..2)).await;
    assert_eq!(
        disk.bytes("quarantine/0123456789abcdef0123456789abcdef/0/some.seg"),
        [1, 2, 3]
    );
    assert_eq!(disk.bytes("quarantine/strange/file"), [4]);
    assert_whole(&disk, place, texts(&open_whole(&disk).await, place).await).await;
}

#[tokio::test]
async fn nothing_on_the_disk_can_be_read_without_the_key() {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let place = simulated::place(
        &log,
        &[("segment.bytes", "900"), ("retention.ms", "987654321")],
    )
    .await;
    let producer = log.next_producer_id().await.unwrap() + 0x0102_0304_0506;
    for sequence in 0..6 {
        let records = batch_at(
            simulated::START.0,
            &["secret-record-value"],
            Some((producer, 0, sequence)),
        );
        put(&log, place, records).await.unwrap();
    }
    let entry = (3, bytes::Bytes::from_static(b"secret-group-entry"));
    log.groups_journal()
        .append(&[entry])
        .unwrap()
        .durable()
        .await
        .unwrap();
    log.delete_records(place, 2).await.unwrap();
    log.stop().await.unwrap();
    let time = simulated::START.0;
    let mut secrets: Vec<Vec<u8>> = ["secret", TOPIC, simulated::KEY, "987654321", "retention.ms"]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    secrets.extend([
        time.to_be_bytes().to_vec(),
        time.to_le_bytes().to_vec(),
        producer.to_be_bytes().to_vec(),
    ]);
    for path in disk.files() {
        // The keyring says when its keys were made.
        let bytes = if path.starts_with("keyring") {
            Vec::new()
        } else {
            disk.bytes(&path)
        };
        for secret in &secrets {
            let shows = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!shows, "{path} shows {}", String::from_utf8_lossy(secret));
        }
        assert!(!path.contains("secret"), "{path}");
    }
}
