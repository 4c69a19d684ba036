//! Root keys and the master key over them: made, retired, forgotten, and asked for at the start. And how much of a record's
//! length shows.

use testing::log as simulated;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use broker::log::{Log, LogOptions, OpenError, Opened, RotateError};
use broker::offsets::Place;
use kastellan_core::secret::Secret;
use seal::at_rest::Padding;
use seal::master::{LocalKey, MasterKey, MasterKeyError};
use simulated::{SimDisk, batch, clock, open_whole, options, place, put, texts, try_open_with};

const SMALL: &[(&str, &str)] = &[("segment.bytes", "900")];

fn text(number: usize) -> String {
    format!("{number}-{}", "x".repeat(300))
}

async fn put_some(log: &Log, place: Place, count: usize) {
    let before = texts(log, place).await.len();
    for number in before..before + count {
        put(log, place, batch(&[&text(number)])).await.unwrap();
    }
}

async fn assert_holds(log: &Log, place: Place, count: usize) {
    let expected: Vec<_> = (0..count).map(text).collect();
    assert_eq!(texts(log, place).await, expected);
}

/// Version, whether it is active, whether files name it.
async fn roots(log: &Log) -> Vec<(u32, bool, bool)> {
    let roots = log.root_keys().await.unwrap().into_iter();
    roots
        .map(|root| (root.version, root.is_active, root.files > 0))
        .collect()
}

#[tokio::test]
async fn rotated_root_key_is_for_new_files_and_older_files_open_with_theirs() {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let place = place(&log, SMALL).await;
    put_some(&log, place, 5).await;
    assert_eq!(roots(&log).await, [(1, true, true)]);
    assert_eq!(log.rotate_root().await.unwrap(), 2);
    put_some(&log, place, 5).await;
    assert_eq!(roots(&log).await, [(1, false, true), (2, true, true)]);
    assert_holds(&log, place, 10).await;
    let killed = open_whole(&disk.after_kill()).await;
    assert_holds(&killed, place, 10).await;
    log.stop().await.unwrap();
    let log = open_whole(&disk).await;
    assert_holds(&log, place, 10).await;
    assert_eq!(log.rotate_root().await.unwrap(), 3);
    put_some(&log, place, 5).await;
    assert_holds(&open_whole(&disk.after_kill()).await, place, 15).await;
}

#[tokio::test]
async fn rotation_may_be_cut_at_any_moment() {
    let base = SimDisk::new();
    let log = open_whole(&base).await;
    let place = place(&log, SMALL).await;
    put_some(&log, place, 4).await;
    log.stop().await.unwrap();
    let mut cut = 0;
    loop {
        cut += 1;
        let disk = base.after_kill();
        let log = open_whole(&disk).await;
        let before = disk.changes();
        disk.cut_power_at(before + cut);
        let rotated = log.rotate_root().await.is_ok();
        for choice in 0..8 {
            let seed = cut * 100 + choice;
            let next = match choice {
                0 => disk.after_kill(),
                _ => disk.after_power_loss(seed),
            };
            let log = open_whole(&next).await;
            let versions = roots(&log).await;
            assert!(
                !rotated || versions.len() == 2,
                "cut {cut}: a root key is lost"
            );
            assert_holds(&log, place, 4).await;
            put_some(&log, place, 3).await;
            log.rotate_root().await.unwrap();
            put_some(&log, place, 3).await;
            assert_holds(&open_whole(&next.after_power_loss(seed)).await, place, 10).await;
        }
        if disk.changes() < before + cut {
            assert!(rotated && cut > 8, "{cut}");
            break;
        }
    }
}

#[tokio::test]
async fn retired_root_key_is_forgotten_only_when_no_file_names_it() {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let place = place(&log, SMALL).await;
    put_some(&log, place, 5).await;
    assert!(matches!(
        log.forget_root(1).await,
        Err(RotateError::Active(1))
    ));
    assert!(matches!(
        log.forget_root(9).await,
        Err(RotateError::Unknown(9))
    ));
    log.rotate_root().await.unwrap();
    put_some(&log, place, 5).await;
    let refused = log.forget_root(1).await;
    assert!(
        matches!(refused, Err(RotateError::InUse { version: 1, .. })),
        "{refused:?}"
    );
    // A file that was set aside counts too.
    let first = disk.segments(place).remove(0);
    let bytes = disk.bytes(&first);
    log.delete_records(place, 9).await.unwrap();
    log.stop().await.unwrap();
    let log = open_whole(&disk).await;
    disk.put("quarantine/old.seg", bytes);
    let refused = log.forget_root(1).await;
    assert!(
        matches!(refused, Err(RotateError::InUse { version: 1, .. })),
        "{refused:?}"
    );
    disk.remove("quarantine/old.seg");
    while roots(&log).await[0].2 {
        // The writer drops files in its own time.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    log.forget_root(1).await.unwrap();
    assert_eq!(roots(&log).await, [(2, true, true)]);
    log.stop().await.unwrap();
    let log = open_whole(&disk).await;
    assert_eq!(texts(&log, place).await, [text(9)]);
}

/// A key service that does not answer the first times.
struct Distant {
    key: LocalKey,
    fails: AtomicUsize,
    asked: AtomicUsize,
}

impl Distant {
    fn new(byte: u8, fails: usize) -> Arc<Self> {
        Arc::new(Self {
            key: LocalKey::new(&Secret::new(vec![byte; 32])).unwrap(),
            fails: AtomicUsize::new(fails),
            asked: AtomicUsize::new(0),
        })
    }

    fn answer(&self) -> Result<(), MasterKeyError> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        match asked < self.fails.load(Ordering::Relaxed) {
            true => Err(MasterKeyError::Unreachable("no route to it".to_owned())),
            false => Ok(()),
        }
    }
}

impl MasterKey for Distant {
    fn provider(&self) -> &str {
        self.key.provider()
    }

    fn wrap(&self, context: &str, key: &Secret) -> Result<Vec<u8>, MasterKeyError> {
        self.answer()?;
        self.key.wrap(context, key)
    }

    fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Secret, MasterKeyError> {
        self.answer()?;
        self.key.unwrap(context, wrapped)
    }
}

async fn start(disk: &SimDisk, key: Arc<Distant>, patience: Duration) -> Result<Opened, OpenError> {
    let options = LogOptions {
        key_patience: patience,
        ..options()
    };
    Log::open(options, key, Arc::new(disk.clone()), clock()).await
}

#[tokio::test]
async fn key_service_that_cannot_be_reached_is_asked_again_for_a_while() {
    let disk = SimDisk::new();
    // A first start and a later one.
    for _ in 0..2 {
        let opened = start(&disk, Distant::new(7, 2), Duration::from_secs(20)).await;
        opened.unwrap().log.stop().await.unwrap();
    }
    let gone = Distant::new(7, usize::MAX);
    let refused = start(&disk, gone.clone(), Duration::from_millis(150)).await;
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("cannot be reached"), "{refused}");
    assert_eq!(gone.asked.load(Ordering::Relaxed), 3);
    let wrong = Distant::new(8, 0);
    let refused = start(&disk, wrong.clone(), Duration::from_secs(20)).await;
    assert!(refused.is_err());
    assert_eq!(
        wrong.asked.load(Ordering::Relaxed),
        1,
        "a wrong key is wrong at once"
    );
}

#[tokio::test]
async fn key_service_is_needed_at_the_start_and_for_a_new_root_key_only() {
    let disk = SimDisk::new();
    let key = Distant::new(7, 0);
    let log = start(&disk, key.clone(), Duration::ZERO).await.unwrap().log;
    let place = place(&log, SMALL).await;
    key.fails.store(usize::MAX, Ordering::Relaxed);
    put_some(&log, place, 6).await;
    assert_holds(&log, place, 6).await;
    assert!(matches!(
        log.rotate_root().await,
        Err(RotateError::Keyring(_))
    ));
    assert_eq!(roots(&log).await, [(1, true, true)]);
    put_some(&log, place, 2).await;
    key.fails.store(0, Ordering::Relaxed);
    assert_eq!(log.rotate_root().await.unwrap(), 2);
}

/// Lengths of the frames of all files.
fn frame_lengths(disk: &SimDisk) -> Vec<usize> {
    let mut lengths = Vec::new();
    for path in disk.files() {
        let bytes = disk.bytes(&path);
        let mut at = 256;
        while bytes.starts_with(b"KSTLLOG1") && at < bytes.len() {
            let len = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            lengths.push(len);
            at += len;
        }
    }
    lengths
}

#[tokio::test]
async fn coarse_padding_hides_lengths_and_both_paddings_are_read() {
    let disk = SimDisk::new();
    let mut expected = Vec::new();
    for padding in [Padding::Coarse, Padding::Fine, Padding::Coarse] {
        let options = LogOptions {
            padding,
            ..options()
        };
        let opened = try_open_with(&disk, options, 7, &clock()).await.unwrap();
        assert_eq!(opened.damage, [""; 0]);
        let log = opened.log;
        let place = match log.topics().by_name(simulated::TOPIC) {
            Some(topic) => Place {
                topic: topic.id,
                partition: 0,
            },
            None => place(&log, &[("segment.bytes", "2000")]).await,
        };
        for len in [1, 50, 200, 201, 700] {
            let value = "v".repeat(len);
            put(&log, place, batch(&[&value])).await.unwrap();
            expected.push(value);
        }
        assert_eq!(texts(&log, place).await, expected);
        log.stop().await.unwrap();
        let coarse = |len: &usize| len.is_multiple_of(256) || *len == 96;
        let is_coarse = frame_lengths(&disk).iter().all(coarse);
        assert_eq!(is_coarse, expected.len() == 5, "{:?}", frame_lengths(&disk));
    }
}
