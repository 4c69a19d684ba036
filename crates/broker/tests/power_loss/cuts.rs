//! The scripted load, cut at every operation of the disk; and the recovery after it.

use super::load::Load;
use super::simulated::{append, batch, open, try_open};
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_may_fail_at_any_moment() {
    let whole = SimDisk::new();
    let promises = run(&whole).await;
    let answered: usize = promises.answered.values().map(|of| of.len()).sum();
    assert_eq!(answered, 25, "the script runs to its end");
    assert!(promises.starts.values().any(|start| *start > 9));
    let changes = whole.changes();
    assert!(changes > 200, "{changes} changes");
    for cut in 1..=changes + 1 {
        let disk = SimDisk::new();
        disk.cut_power_at(cut);
        let promises = run(&disk).await;
        for choice in 0..CHOICES {
            let seed = cut * 1_000 + choice;
            let context = format!("cut at {cut} of {changes}, choice {choice}");
            check_twice(&disk.after_power_loss(seed), &promises, seed, &context).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process_may_be_killed_at_any_moment() {
    let whole = SimDisk::new();
    run(&whole).await;
    for cut in 1..=whole.changes() {
        let disk = SimDisk::new();
        disk.cut_power_at(cut);
        let promises = run(&disk).await;
        for seed in 2 * cut..2 * cut + 2 {
            let context = format!("killed at {cut}");
            check_twice(&disk.after_kill(), &promises, seed, &context).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_may_fail_during_recovery() {
    let whole = SimDisk::new();
    run(&whole).await;
    // Before the stop, so that there is something to recover; and at some earlier times.
    let changes = whole.changes();
    let crashes = [12, 13, 14].map(|before| changes - before).into_iter();
    for crash in crashes.chain((17..changes).step_by(37)) {
        let disk = SimDisk::new();
        disk.cut_power_at(crash);
        let promises = run(&disk).await;
        let killed = match crash % 2 {
            0 => disk.after_kill(),
            _ => disk.after_power_loss(crash),
        };
        let context = format!("crash at {crash} of {changes}");
        let mut known = promises.clone();
        drop(check(&killed.after_kill(), &mut known, &context).await);
        cut_each_start(&killed, &promises, CHOICES / 4, &context).await;
    }
}

/// The next start reads of a deletion what the disk does not have. It may act on that only when the disk has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_may_fail_while_a_start_removes_the_files_of_a_deleted_topic() {
    let disk = SimDisk::new();
    let log = open(&disk).await.log;
    let mut load = Load::on(log, &disk, Promises::default());
    load.create("doomed", 2, load::SMALL).await.unwrap();
    load.put(load.place("doomed"), batch(&["doomed"]))
        .await
        .unwrap();
    let made = load.end();
    for fails in 1..=2 {
        let disk = disk.after_kill();
        let log = open(&disk).await.log;
        let mut load = Load::on(log, &disk, made.clone());
        match fails {
            1 => disk.cut_power_at(disk.changes() + 2),
            _ => disk.fail_sync(disk.syncs() + 1),
        }
        assert!(load.delete_topic("doomed").await.is_err());
        let promises = load.end();
        cut_each_start(
            &disk,
            &promises,
            CHOICES,
            &format!("deletion fails at {fails}"),
        )
        .await;
    }
}

/// Where a new file has no room, it is removed, and nothing makes that durable. It must not come back behind a recovery that
/// has cut the file before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_may_fail_behind_a_roll_that_found_no_room() {
    let made = SimDisk::new();
    let log = open(&made).await.log;
    let mut load = Load::on(log, &made, Promises::default());
    load.create("first", 1, load::SMALL).await.unwrap();
    let promised = load.end();
    let (long, mut refused) = ("x".repeat(400), 0);
    for room in (2_000..2_500).step_by(50) {
        let disk = made.after_kill();
        let log = open(&disk).await.log;
        let mut load = Load::on(log, &disk, promised.clone());
        disk.set_capacity(Some(disk.used() + room));
        for round in 0..4 {
            let records = batch(&[&format!("{round}"), &long]);
            let put = load.put(load.place("first"), records).await;
            refused += usize::from(put.is_err());
        }
        let promises = load.end();
        disk.set_capacity(None);
        cut_each_start(&disk, &promises, CHOICES / 4, &format!("room for {room}")).await;
    }
    assert!(refused > 5, "{refused} were refused");
}

/// What a recovery carried over may be durable in the new file, although it never was in the old one and the catalog names
/// that: the next start uses the new file. The old one has nothing, but must stay until the catalog names another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_may_fail_twice_around_what_was_never_durable() {
    let disk = SimDisk::new();
    let log = open(&disk).await.log;
    let mut load = Load::on(log, &disk, Promises::default());
    load.create("loose", 1, load::LOOSE).await.unwrap();
    load.put_loosely(load.place("loose"), batch(&["one"]))
        .await
        .unwrap();
    let made = load.end();
    let whole = disk.after_kill();
    drop(check(&whole, &mut made.clone(), "recovery without a cut").await);
    for first in 1..=whole.changes() {
        let recovering = disk.after_kill();
        recovering.cut_power_at(first);
        let _ = try_open(&recovering, 7, &simulated::clock()).await;
        for survival in 0..2 {
            let left = recovering.after_power_loss(first * 1_000 + survival);
            for second in 1.. {
                let starting = left.after_kill();
                starting.cut_power_at(second);
                let _ = try_open(&starting, 7, &simulated::clock()).await;
                let context = format!("cut at {first}, choice {survival}, then at {second}");
                let next = starting.after_power_loss(second);
                drop(check(&next, &mut made.clone(), &context).await);
                if starting.changes() < second {
                    break;
                }
            }
        }
    }
}

/// A start cuts the file that a recovery has carried over from. Killed before that is durable, the next start finds the
/// file as it should be, serves, and is itself killed: a loss of power behind that must not bring the cut part back, which
/// readers would get twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_may_fail_long_after_a_recovery_was_killed() {
    let disk = SimDisk::new();
    let log = open(&disk).await.log;
    let mut load = Load::on(log, &disk, Promises::default());
    load.create("first", 1, &[]).await.unwrap();
    for text in ["one", "two"] {
        load.put(load.place("first"), batch(&[text])).await.unwrap();
    }
    let made = load.end();
    let whole = disk.after_kill();
    drop(check(&whole, &mut made.clone(), "recovery without a cut").await);
    let changes = whole.changes();
    for cut in 1..=changes {
        let context = format!("recovery killed at {cut} of {changes}");
        let mut disk = disk.after_kill();
        disk.cut_power_at(cut);
        let _ = try_open(&disk, 7, &simulated::clock()).await;
        let mut promises = made.clone();
        for text in ["three", "four"] {
            disk = disk.after_kill();
            let log = check(&disk, &mut promises, &context).await;
            let mut load = Load::on(log, &disk, promises);
            load.put(load.place("first"), batch(&[text])).await.unwrap();
            promises = load.end();
        }
        for choice in 0..CHOICES {
            let context = format!("{context}, choice {choice}");
            let seed = cut * 1_000 + choice;
            check_twice(&disk.after_power_loss(seed), &promises, seed, &context).await;
        }
    }
}

/// A recovery carries over what the page cache shows. The power may fail when only a part of that is in the new file, and
/// take what the old file never had: nobody was told of it, and the partition goes on without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_may_fail_while_a_recovery_carries_over_what_was_never_durable() {
    let disk = SimDisk::new();
    let log = open(&disk).await.log;
    let mut load = Load::on(log, &disk, Promises::default());
    load.create("first", 2, load::SMALL).await.unwrap();
    let place = load.place("first");
    load.put(place, batch(&["durable"])).await.unwrap();
    disk.fail_sync(disk.syncs() + 1);
    for text in ["never", "durable"] {
        let _ = append(&load.log, place, batch(&[text])).await;
    }
    let promises = load.end();
    let whole = disk.after_kill();
    drop(check(&whole, &mut promises.clone(), "recovery without a cut").await);
    for cut in 1..=whole.changes() {
        let recovering = disk.after_kill();
        recovering.cut_power_at(cut);
        let _ = try_open(&recovering, 7, &simulated::clock()).await;
        for choice in 0..4 * CHOICES {
            let seed = cut * 1_000 + choice;
            let context = format!("recovery cut at {cut}, choice {choice}");
            let next = recovering.after_power_loss(seed);
            check_twice(&next, &promises, seed, &context).await;
        }
    }
}

/// Starts from this disk, with the power cut at every change of the start, and so many choices of what survives.
async fn cut_each_start(disk: &SimDisk, promises: &Promises, choices: u64, context: &str) {
    for cut in 1.. {
        let starting = disk.after_kill();
        starting.cut_power_at(cut);
        let _ = try_open(&starting, 7, &simulated::clock()).await;
        for choice in 0..choices {
            let seed = cut * 1_000 + choice;
            let context = format!("{context}, start cut at {cut}, choice {choice}");
            check_twice(&starting.after_power_loss(seed), promises, seed, &context).await;
        }
        if starting.changes() < cut {
            break;
        }
    }
}
