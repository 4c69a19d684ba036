//! Whatever was promised is there after the power failed, at any moment, whatever the disk kept; and what was durable and
//! is damaged is always reported.
//!
//! A scripted load is cut at every one of its disk operations, with sixteen choices of what survives; random loads run
//! over several crashes. `KASTELLAN_SEEDS` says how many of those (`KASTELLAN_FIRST_SEED`: from which on).

mod cuts;
mod damage;
mod faults;
mod groups;
mod load;
mod promises;
mod random;

#[path = "../common/mod.rs"]
mod common;

use load::{Load, run, script};
use promises::{Promises, check};
use testing::log::{self as simulated, SimDisk};

/// Survivals tried at each cut.
const CHOICES: u64 = 16;

/// Holds the log to its promises, lets it go on for a while, and crashes it once more.
async fn check_twice(disk: &SimDisk, promises: &Promises, seed: u64, context: &str) {
    let mut promises = promises.clone();
    let log = check(disk, &mut promises, context).await;
    let mut load = Load::on(log, disk, promises);
    load.observe().await;
    load.go_on(seed, context).await;
    let mut promises = load.end();
    let again = match seed % 2 {
        0 => disk.after_kill(),
        _ => disk.after_power_loss(seed),
    };
    check(&again, &mut promises, &format!("{context}, again")).await;
}
