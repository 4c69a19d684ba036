//! Many producers at once, a crash at any moment; and files changed at random. The log may say that something is
//! damaged, but never shows a record that was not written, and never loses one that was answered for.

use testing::log as simulated;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use broker::log::Log;
use broker::offsets::Place;
use simulated::{
    Dice, START, SimDisk, append, batch, batch_at, create, open, open_whole, put, try_open, values,
};

const PRODUCERS: i64 = 6;
const EACH: i32 = 12;
/// Appends of one producer that are on their way at once.
const IN_FLIGHT: usize = 3;
/// Crashes without `KASTELLAN_SEEDS`.
const ROUNDS: u64 = 400;

/// Offset of each value that was answered for.
type Answered = BTreeMap<(Place, String), i64>;

/// Appends in order until something fails; retries nothing.
async fn produce(log: Log, place: Place, id: i64) -> Answered {
    let mut answered = Answered::new();
    let mut on_their_way = std::collections::VecDeque::new();
    for sequence in 0..EACH {
        let value = format!("{id}/{sequence}/{}", "x".repeat(120));
        let records = batch_at(START.0, &[&value], Some((id, 0, sequence)));
        let Ok(appended) = append(&log, place, records).await else {
            break;
        };
        on_their_way.push_back((value, appended));
        if on_their_way.len() == IN_FLIGHT {
            settle(place, on_their_way.pop_front(), &mut answered).await;
        }
    }
    while !on_their_way.is_empty() {
        settle(place, on_their_way.pop_front(), &mut answered).await;
    }
    answered
}

async fn settle(
    place: Place,
    oldest: Option<(String, broker::log::Appended)>,
    answered: &mut Answered,
) {
    if let Some((value, appended)) = oldest
        && appended.durable.durable().await.is_ok()
    {
        answered.insert((place, value), appended.base_offset);
    }
}

/// All producers at once, on two partitions with small files.
async fn load(disk: &SimDisk) -> (Vec<Place>, Answered, BTreeMap<Place, i64>) {
    let Ok(opened) = try_open(disk, 7, &simulated::clock()).await else {
        return Default::default();
    };
    let log = opened.log;
    let Ok(topic) = create(&log, "t", 2, &[("segment.bytes", "2000")]).await else {
        return Default::default();
    };
    let places = [0, 1].map(|partition| Place { topic, partition });
    let tasks: Vec<_> = (0..PRODUCERS)
        .map(|id| tokio::spawn(produce(log.clone(), places[id as usize % 2], id)))
        .collect();
    let mut answered = Answered::new();
    for task in tasks {
        answered.extend(task.await.unwrap());
    }
    let marks = places.map(|place| (place, log.view(place).map_or(0, |view| view.high_watermark)));
    (places.to_vec(), answered, marks.into_iter().collect())
}

/// What was answered is there once, at its offset, and each producer's values are in its order.
async fn check(log: &Log, places: &[Place], answered: &Answered, context: &str) {
    let mut seen = BTreeMap::new();
    for place in places.iter().filter(|place| log.view(**place).is_some()) {
        let mut last = BTreeMap::new();
        for (offset, value) in values(log, *place).await {
            let mut parts = value.split('/');
            let producer = parts.next().unwrap().to_owned();
            let sequence: i32 = parts.next().unwrap().parse().unwrap();
            let before = last.insert(producer, sequence);
            assert_eq!(
                before.map_or(0, |before| before + 1),
                sequence,
                "{context}: order of {value}"
            );
            assert!(
                seen.insert((*place, value), offset).is_none(),
                "{context}: twice"
            );
        }
    }
    for (value, offset) in answered {
        assert_eq!(seen.get(value), Some(offset), "{context}: {}", value.1);
    }
}

async fn crash_rounds(seeds: std::ops::Range<u64>) {
    let whole = SimDisk::new();
    let (_, answered, _) = load(&whole).await;
    assert_eq!(answered.len() as i64, PRODUCERS * i64::from(EACH));
    let changes = whole.changes() as usize;
    for seed in seeds {
        let disk = SimDisk::new();
        let mut dice = Dice::new(seed);
        disk.cut_power_at(1 + dice.roll(changes) as u64);
        let (places, answered, marks) = load(&disk).await;
        let context = format!("seed {seed}");
        let disk = if dice.roll(4) == 0 {
            disk.after_kill()
        } else {
            disk.after_power_loss(seed)
        };
        let log = open_whole(&disk).await;
        check(&log, &places, &answered, &context).await;
        for (place, mark) in marks {
            let now = log.view(place).map_or(0, |view| view.high_watermark);
            assert!(now >= mark, "{context}: high watermark {now} below {mark}");
        }
        drop(log);
        let log = open_whole(&disk.after_power_loss(seed + 1)).await;
        check(&log, &places, &answered, &format!("{context}, again")).await;
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long a test runs is no configuration"
)]
fn rounds() -> u64 {
    std::env::var("KASTELLAN_SEEDS").map_or(ROUNDS, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_producers_lose_nothing_in_a_crash() {
    crash_rounds(0..rounds()).await;
}

/// Changes a file at random.
fn change(disk: &SimDisk, dice: &mut Dice) -> String {
    let files = disk.files();
    let path = files[dice.roll(files.len())].clone();
    let other = disk.bytes(&files[dice.roll(files.len())]);
    disk.edit(&path, |bytes| {
        let len = bytes.len().max(1);
        let at = dice.roll(len) / 16 * 16;
        match dice.roll(7) {
            0 => {
                let at = dice.roll(len);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.roll(8);
                }
            }
            1 => bytes.truncate(dice.roll(len)),
            2 => bytes
                .iter_mut()
                .skip(at)
                .take(512)
                .for_each(|byte| *byte = 0),
            3 => {
                let copy: Vec<u8> = bytes.iter().skip(at).take(64).copied().collect();
                bytes.splice(at.min(bytes.len())..at.min(bytes.len()), copy);
            }
            4 => {
                bytes.drain(at.min(bytes.len())..(at + 16).min(bytes.len()));
            }
            5 => *bytes = other,
            _ => bytes.extend(other.iter().take(dice.roll(1_000))),
        }
    });
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_files_never_show_what_was_not_written() {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let place = simulated::place(&log, &[("segment.bytes", "900")]).await;
    for number in 0..7 {
        put(
            &log,
            place,
            batch(&[&format!("{number}-{}", "x".repeat(250))]),
        )
        .await
        .unwrap();
    }
    let written: BTreeSet<_> = values(&log, place).await.into_iter().collect();
    let killed = disk.after_kill();
    log.stop().await.unwrap();
    for seed in 0..400 {
        let is_stopped = seed % 2 == 0;
        let changed = if is_stopped {
            disk.after_kill()
        } else {
            killed.after_kill()
        };
        let mut dice = Dice::new(seed);
        let path = change(&changed, &mut dice);
        let context = format!("seed {seed}, {path}");
        let Ok(opened) = try_open(&changed, 7, &simulated::clock()).await else {
            assert!(
                !path.starts_with("p/"),
                "{context}: one partition keeps the log from starting"
            );
            continue;
        };
        let found = readable(&opened.log, place).await;
        assert!(
            found.is_subset(&written),
            "{context}: shows what was not written"
        );
        if is_stopped && path.starts_with("p/") {
            let view = opened.log.view(place).unwrap();
            let is_noticed = !opened.damage.is_empty() || view.is_offline;
            assert!(
                is_noticed || found == written,
                "{context}: loses records without a word"
            );
        }
    }
}

/// What can be read, up to the first error.
async fn readable(log: &Log, place: Place) -> BTreeSet<(i64, String)> {
    let mut found = BTreeSet::new();
    let Some(view) = log.view(place) else {
        return found;
    };
    let mut offset = view.log_start;
    while let Ok(read) = log.read(place, offset, 1, true).await {
        let Some(bytes) = read.first() else { break };
        let batch = wire::record::Batch::parse(bytes).unwrap();
        for record in wire::record::records(&batch, &Default::default()).unwrap() {
            let record = record.unwrap();
            let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
            found.insert((record.offset, value));
        }
        offset = batch.header().last_offset() + 1;
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_go_on_while_old_files_go() {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let place = simulated::place(&log, &[("segment.bytes", "600")]).await;
    let reader = tokio::spawn({
        let log = log.clone();
        async move {
            let (mut offset, mut read) = (0, 0);
            while offset < 200 {
                match log.read(place, offset, 2_000, true).await {
                    Ok(batches) if batches.is_empty() => {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        offset = offset.max(log.view(place).unwrap().log_start);
                    }
                    Ok(batches) => {
                        read += batches.len();
                        let last = batches.last().unwrap();
                        offset = wire::record::BatchHeader::parse(last)
                            .unwrap()
                            .last_offset()
                            + 1;
                    }
                    // The file went in between: as a client would, go on at the log start.
                    Err(_) => {
                        let view = log.view(place).unwrap();
                        assert!(!view.is_offline, "a removed file is no damage");
                        offset = offset.max(view.log_start);
                    }
                }
            }
            read
        }
    });
    for number in 0..200 {
        let base = put(
            &log,
            place,
            batch(&[&format!("{number}-{}", "x".repeat(200))]),
        )
        .await
        .unwrap();
        if number % 5 == 0 {
            log.delete_records(place, base).await.unwrap();
        }
    }
    assert!(reader.await.unwrap() > 0);
    assert!(
        !log.view(place).unwrap().is_offline,
        "a removed file is no damage"
    );
    let opened = open(&disk.after_kill()).await;
    assert!(opened.damage.is_empty(), "{:?}", opened.damage);
}
