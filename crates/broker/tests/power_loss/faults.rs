//! Operations of the disk that fail, each one once: syncs, writes, reads, and a disk that is full at any byte.

use testing::disk::LostPages;

use super::load::Load;
use super::simulated::try_open;
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_sync_may_fail_and_lose_its_pages() {
    let whole = SimDisk::new();
    run(&whole).await;
    let syncs = whole.syncs();
    assert!(syncs > 60, "{syncs} syncs");
    for number in 1..=syncs {
        for lost in [LostPages::All, LostPages::Some(number)] {
            let go_on = number + u64::from(matches!(lost, LostPages::All));
            let disk = SimDisk::new();
            disk.lose_at_sync(number, lost);
            let mut promises = run(&disk).await;
            let context = format!("sync {number} of {syncs} failed, lost {lost:?}");
            // The restart still sees the lost pages; what it then promises must not rest on them.
            let restarted = disk.after_kill();
            let log = check(&restarted, &mut promises, &context).await;
            let mut load = Load::on(log, &restarted, promises);
            load.observe().await;
            let at_once = (restarted.after_kill(), load.promises.clone());
            load.go_on(go_on, &context).await;
            for (disk, promises) in [at_once, (restarted.after_kill(), load.end())] {
                for choice in 0..CHOICES / 4 {
                    let context = format!("{context}, power lost after the restart, {choice}");
                    let seed = number * 1_000 + choice;
                    check_twice(&disk.after_power_loss(seed), &promises, seed, &context).await;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_failed_sync_or_write_is_passed_over() {
    let whole = SimDisk::new();
    run(&whole).await;
    let faults = (1..=whole.syncs()).map(|number| (number, true));
    let writes = (1..=whole.writes()).map(|number| (number, false));
    let mut behind = 0;
    for (number, is_sync) in faults.chain(writes) {
        let disk = SimDisk::new();
        match is_sync {
            true => disk.fail_sync(number),
            false => disk.fail_write(number),
        }
        let Ok(opened) = try_open(&disk, 7, &simulated::clock()).await else {
            continue;
        };
        let mut load = Load::on(opened.log, &disk, Promises::default());
        let done = script(&mut load).await;
        let came = match is_sync {
            true => disk.syncs(),
            false => disk.writes(),
        };
        if came < number {
            // What no answer waits for is synced a little later, together with more or with less.
            continue;
        }
        let context = format!("number {number}, sync: {is_sync}");
        // The keyring may keep its old content: then nothing is lost.
        let is_keyring = load.promises.root == 0 && load.promises.gone.len() == 1;
        for _ in 0..400 {
            if load.log.has_failed() || is_keyring {
                break;
            }
            // That late sync may fail behind the last answer.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert!(load.log.has_failed() || is_keyring, "{context}: it goes on");
        if done.is_ok() {
            behind += 1;
        }
    }
    assert!(behind < 4, "{behind} failures came behind the last answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_write_may_fail_in_the_middle() {
    let whole = SimDisk::new();
    run(&whole).await;
    for number in 1..=whole.writes() {
        let disk = SimDisk::new();
        disk.fail_write(number);
        let promises = run(&disk).await;
        let context = format!("write {number} failed");
        for choice in 0..CHOICES / 4 {
            let seed = number * 1_000 + choice;
            let next = match choice {
                0 => disk.after_kill(),
                _ => disk.after_power_loss(seed),
            };
            check_twice(&next, &promises, seed, &context).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_read_of_a_start_may_fail_and_nothing_is_given_up_for_it() {
    let whole = SimDisk::new();
    run(&whole).await;
    for crash in [whole.changes() - 14, whole.changes() / 2] {
        let disk = SimDisk::new();
        disk.cut_power_at(crash);
        let promises = run(&disk).await;
        for number in 1.. {
            let reading = disk.after_kill();
            reading.fail_read(number);
            let opened = try_open(&reading, 7, &simulated::clock()).await;
            let context = format!("read {number} failed after a crash at {crash}");
            if reading.counts().reads < number {
                break;
            }
            let told = opened
                .as_ref()
                .is_ok_and(|opened| !opened.damage.is_empty());
            assert!(told || opened.is_err(), "{context}: nobody is told");
            drop(opened);
            for choice in 0..CHOICES / 4 {
                let seed = number * 1_000 + choice;
                let next = match choice {
                    0 => reading.after_kill(),
                    _ => reading.after_power_loss(seed),
                };
                check_twice(&next, &promises, seed, &context).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disk_may_be_full_at_any_byte() {
    let whole = SimDisk::new();
    run(&whole).await;
    for capacity in (1..whole.used() + 8_000).step_by(173) {
        let disk = SimDisk::new();
        disk.set_capacity(Some(capacity));
        let context = format!("{capacity} bytes fit");
        let clock = simulated::clock();
        let promises = match try_open(&disk, 7, &clock).await {
            Err(_) => Promises::default(),
            Ok(opened) => {
                let mut load = Load::on(opened.log, &disk, Promises::default());
                let done = script(&mut load).await;
                let log = load.log.clone();
                assert!(!log.has_failed(), "{context}: that is no failure");
                disk.set_capacity(None);
                if done.is_err() {
                    let stopped = log.stop().await;
                    assert!(!log.has_failed(), "{context}: {}", log.failed().await);
                    assert_eq!(stopped, Ok(()), "{context}: it does not stop");
                }
                load.end()
            }
        };
        for choice in 0..CHOICES / 8 {
            let seed = capacity as u64 * 1_000 + choice;
            let next = match choice {
                0 => disk.after_kill(),
                _ => disk.after_power_loss(seed),
            };
            check_twice(&next, &promises, seed, &context).await;
        }
    }
}
