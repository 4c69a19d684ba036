//! Bytes that were durable and are not as they were: always told, never cut away in silence.

use std::ops::Range;

use testing::disk::Dice;

use super::simulated::try_open;
use super::*;

const HEADER: usize = 256;
const OPENING: u8 = 1;

/// A log in the middle of its work, and the same one stopped.
async fn logs() -> [(SimDisk, bool); 2] {
    let stopped = SimDisk::new();
    run(&stopped).await;
    let killed = SimDisk::new();
    // Behind the last record, before the stop writes anything.
    killed.cut_power_at(stopped.changes() - 14);
    run(&killed).await;
    [(killed.after_kill(), false), (stopped.after_kill(), true)]
}

fn frames(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut frames = Vec::new();
    let mut at = HEADER;
    while let Some(len) = bytes.get(at..at + 4) {
        let len = u32::from_be_bytes(len.try_into().unwrap()) as usize;
        if len == 0 || at + len > bytes.len() {
            break;
        }
        frames.push(at..at + len);
        at += len;
    }
    frames
}

/// Bytes of a file that its own frames say were durable, or that were before anything could be written behind them.
fn proven(bytes: &[u8]) -> usize {
    let frames = frames(bytes);
    let mark = |frame: &Range<usize>| {
        let mark = &bytes[frame.start + 8..frame.start + 12];
        u32::from_be_bytes(mark.try_into().unwrap()) as usize * 16
    };
    let first = frames
        .first()
        .filter(|first| bytes[first.start + 12] == OPENING);
    let begun = first.map_or(0, |first| first.end);
    frames.iter().map(mark).max().unwrap_or(0).max(begun)
}

/// Files and how much of each must be whole.
fn durable(disk: &SimDisk, is_stopped: bool) -> Vec<(String, usize)> {
    let files = disk.files();
    let dir = |path: &str| path.rsplit_once('/').map_or("", |(dir, _)| dir).to_owned();
    let mut durable = Vec::new();
    for (at, path) in files.iter().enumerate() {
        let bytes = disk.bytes(path);
        let is_segment = path.ends_with(".seg");
        let has_next = files.get(at + 1).is_some_and(|next| dir(next) == dir(path));
        let len = match path.as_str() {
            "keyring" => bytes.len(),
            _ if is_segment && (is_stopped || has_next) => bytes.len(),
            _ if bytes.starts_with(b"KSTLLOG1") => proven(&bytes),
            _ => 0,
        };
        durable.push((path.clone(), len));
    }
    durable
}

/// Whether somebody is told: by the start, by whoever reads, by the verification of everything.
async fn is_told(disk: &SimDisk) -> bool {
    let Ok(opened) = try_open(disk, 7, &simulated::clock()).await else {
        return true;
    };
    !opened.damage.is_empty() || !opened.log.verify().await.damage.is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_changed_bit_of_what_was_durable_is_told() {
    for (disk, is_stopped) in logs().await {
        assert!(!is_told(&disk.after_kill()).await, "it is whole");
        for (path, len) in durable(&disk, is_stopped) {
            let mut dice = Dice::new(len as u64);
            let mut position = dice.roll(7);
            while position < len {
                let changed = disk.after_kill();
                changed.edit(&path, |bytes| bytes[position] ^= 1 << dice.roll(8));
                let content = changed.bytes(&path);
                let context = format!("{path}, stopped: {is_stopped}: byte {position} of {len}");
                assert!(is_told(&changed).await, "{context}: nothing is said");
                let kept = changed.files().contains(&path) && changed.bytes(&path) == content;
                let is_journal = path.ends_with(".jnl");
                assert!(kept || is_journal, "{context}: it was touched");
                position += 1 + dice.roll(60);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_cut_of_what_was_durable_is_told() {
    for (disk, is_stopped) in logs().await {
        for (path, len) in durable(&disk, is_stopped) {
            let whole = disk.bytes(&path);
            let is_newest = len < whole.len();
            let mut dice = Dice::new(len as u64);
            let ends = frames(&whole).into_iter().map(|frame| frame.start);
            let ends: Vec<usize> = ends.chain([0, 1, 255, len.saturating_sub(1)]).collect();
            for end in ends.into_iter().filter(|end| *end < len) {
                let changed = disk.after_kill();
                // The newest file proves what lies before its last frames by them: only a hole can be told apart there.
                changed.edit(&path, |bytes| match is_newest {
                    false => bytes.truncate(end),
                    true => {
                        let hole = &mut bytes[end..len];
                        let filled = dice.roll(2) as u8;
                        // What is written over with itself is no damage.
                        let is_same = hole.iter().all(|byte| *byte == filled);
                        hole.fill(if is_same { 1 - filled } else { filled });
                    }
                });
                let context = format!("{path}, stopped: {is_stopped}: cut at {end} of {len}");
                assert!(is_told(&changed).await, "{context}: nothing is said");
            }
        }
    }
}
