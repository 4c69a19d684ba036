//! Loads by dice, over several crashes of every kind.

use std::time::Duration;

use testing::disk::{Dice, LostPages};
use wire::error::ErrorCode;

use super::load::{EACH, LOOSE, Load, SMALL};
use super::simulated::{batch, try_open};
use super::*;

/// Without the variable.
const SEEDS: u64 = 60;
/// Crashes that one load sees.
const LIVES: usize = 3;

#[allow(
    clippy::disallowed_methods,
    reason = "how long a test runs is no configuration"
)]
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[allow(clippy::print_stdout, reason = "figures of a long run")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_loads_keep_their_promises_over_crashes() {
    let (first, count) = (
        number("KASTELLAN_FIRST_SEED", 0),
        number("KASTELLAN_SEEDS", SEEDS),
    );
    let (mut crashes, mut changes) = (0, 0);
    for seed in first..first + count {
        let (more, changed) = live(seed).await;
        crashes += more;
        changes += changed;
        if count > SEEDS && (seed + 1).is_multiple_of(500) {
            println!("seed {seed}: {crashes} crashes, {changes} changes of the disk");
        }
    }
    println!("{count} seeds, {crashes} crashes, {changes} changes of the disk");
    assert!(crashes >= count);
}

/// One disk, from its first start on.
async fn live(seed: u64) -> (u64, u64) {
    let mut dice = Dice::new(seed + 1);
    let (mut disk, mut promises) = (SimDisk::new(), Promises::default());
    let (mut crashes, mut changes) = (0, 0);
    for life in 0..LIVES {
        let context = format!("seed {seed}, life {life}");
        arm(&disk, &mut dice);
        let clock = simulated::clock();
        if let Ok(opened) = try_open(&disk, 7, &clock).await {
            let mut load = Load::on(opened.log, &disk, promises);
            load.clock = clock;
            // A start that met a fault may say that something cannot be read; nothing is promised then.
            if opened.damage.is_empty() {
                let steps = 5 + dice.roll(40);
                for _ in 0..steps {
                    let done = step(&mut load, &mut dice).await;
                    if load.log.has_failed() || done == Err(Ending::Stopped) {
                        break;
                    }
                }
                load.observe().await;
            }
            promises = load.end();
        }
        changes += disk.changes();
        crashes += 1;
        disk = crash(&disk, &mut dice);
        while dice.roll(3) == 0 {
            disk.cut_power_at(1 + dice.roll(40) as u64);
            let _ = try_open(&disk, 7, &simulated::clock()).await;
            changes += disk.changes();
            crashes += 1;
            disk = crash(&disk, &mut dice);
        }
        drop(check(&disk, &mut promises, &context).await);
        disk = crash(&disk, &mut dice);
    }
    check_twice(&disk, &promises, seed, &format!("seed {seed}, at last")).await;
    (crashes, changes)
}

fn crash(disk: &SimDisk, dice: &mut Dice) -> SimDisk {
    match dice.roll(4) {
        0 => disk.after_kill(),
        _ => disk.after_power_loss(dice.roll(1 << 30) as u64),
    }
}

/// What goes wrong in this life.
fn arm(disk: &SimDisk, dice: &mut Dice) {
    let at = |dice: &mut Dice, sides| 1 + dice.roll(sides) as u64;
    match dice.roll(12) {
        0..6 => disk.cut_power_at(at(dice, 300)),
        6 => disk.fail_sync(at(dice, 80)),
        7 => disk.lose_at_sync(at(dice, 80), LostPages::Some(at(dice, 1 << 20))),
        8 => disk.fail_write(at(dice, 120)),
        9 => disk.fail_read(at(dice, 200)),
        10 => disk.set_capacity(Some(disk.used() + dice.roll(20_000))),
        _ => {}
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Stopped,
    Refused,
}

impl From<ErrorCode> for Ending {
    fn from(_: ErrorCode) -> Self {
        Self::Refused
    }
}

/// One thing that clients, an operator or time may do.
async fn step(load: &mut Load, dice: &mut Dice) -> Result<(), Ending> {
    const NAMES: [&str; 4] = ["a", "b", "each", "loose"];
    let name = NAMES[dice.roll(NAMES.len())];
    let settings = match name {
        "each" => EACH,
        "loose" => LOOSE,
        _ => SMALL,
    };
    let Some(topic) = load.promises.topics.get(name).cloned() else {
        load.create(name, 1 + dice.roll(2) as i32, settings).await?;
        return Ok(());
    };
    let partition = dice.roll(topic.partitions as usize) as i32;
    let place = broker::offsets::Place {
        topic: topic.id,
        partition,
    };
    let text = format!("{}-{}", dice.roll(1 << 30), "x".repeat(dice.roll(600)));
    let end = load.log.view(place).map_or(0, |view| view.high_watermark);
    match dice.roll(40) {
        _ if topic.is_loose => load.put_loosely(place, batch(&[&text])).await?,
        0..8 => load.put_once(place).await?,
        8..16 => load.put(place, batch(&[&text])).await?,
        16..20 => load.put_unseen(place, batch(&[&text])).await?,
        20..22 => load.put_blindly(place, batch(&[&text])).await?,
        22..26 => load.group_entry(&text).await?,
        26 => load.rewrite_groups().await?,
        27 => load.delete_topic(name).await?,
        28 if topic.partitions < 4 => load.grow(name, topic.partitions + 1).await?,
        29 => load.rotate_root().await?,
        30 => load.forget_root(load.promises.root.saturating_sub(1)).await,
        31..33 => {
            load.delete_records(place, dice.roll(end as usize + 1) as i64)
                .await?
        }
        33 => {
            load.set(name, "retention.bytes", &dice.roll(4_000).to_string())
                .await?
        }
        34 => {
            load.set(name, "retention.ms", &dice.roll(100_000).to_string())
                .await?
        }
        35 => load.wait(Duration::from_secs(dice.roll(100) as u64)),
        36..38 => load.retain().await,
        38 => load.observe().await,
        39 if dice.roll(4) == 0 => {
            load.log.stop().await?;
            return Err(Ending::Stopped);
        }
        _ => {}
    }
    Ok(())
}
