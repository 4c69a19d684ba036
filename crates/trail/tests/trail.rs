//! The trail as its readers find it.

use std::path::{Path, PathBuf};

use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::ports::TrailSink;
use kastellan_core::time::{Clock, Timestamp};
use trail::{Entry, OpenError, Trail, verify};

struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("trail-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn segment(&self) -> PathBuf {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
            .collect();
        files.sort();
        files.pop().unwrap()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn refusal(name: &str) -> Event {
    Event::new("authz.refused", Class::Critical, Outcome::Refused)
        .why("no_rule")
        .on("topic", name)
}

fn try_open(dir: &Path) -> Result<std::sync::Arc<Trail>, OpenError> {
    Trail::open(dir, Clock::system(), "test")
}

fn reopen(dir: &Path) -> std::sync::Arc<Trail> {
    try_open(dir).unwrap()
}

fn read(dir: &Path) -> std::io::Result<Vec<Entry>> {
    trail::read(dir)?.collect()
}

async fn filled(dir: &Dir, count: usize) {
    let trail = reopen(&dir.0);
    for number in 0..count {
        trail.record(refusal(&number.to_string())).await.unwrap();
    }
}

#[tokio::test]
async fn events_are_numbered_without_a_gap_over_restarts() {
    let dir = Dir::new("numbers");
    filled(&dir, 3).await;
    filled(&dir, 2).await;
    drop(reopen(&dir.0));
    let numbers: Vec<u64> = read(&dir.0)
        .unwrap()
        .iter()
        .map(|entry| entry.seq)
        .collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(numbers.len(), 3 + 2 + 3, "one entry more for each start");
    assert_eq!(verify(&dir.0).unwrap().damage, []);
}

#[tokio::test]
async fn one_changed_byte_anywhere_is_found() {
    let dir = Dir::new("flip");
    filled(&dir, 3).await;
    drop(reopen(&dir.0));
    let file = dir.segment();
    let bytes = std::fs::read(&file).unwrap();
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        std::fs::write(&file, &changed).unwrap();
        assert_ne!(verify(&dir.0).unwrap().damage, [], "byte {at}");
    }
}

#[tokio::test]
async fn entry_taken_out_of_the_middle_is_found() {
    let dir = Dir::new("cut");
    filled(&dir, 3).await;
    drop(reopen(&dir.0));
    let file = dir.segment();
    let bytes = std::fs::read(&file).unwrap();
    let first = 68;
    let length = u32::from_be_bytes(bytes[first..first + 4].try_into().unwrap()) as usize + 40;
    let shorter = [&bytes[..first], &bytes[first + length..]].concat();
    std::fs::write(&file, shorter).unwrap();
    assert_ne!(verify(&dir.0).unwrap().damage, []);
    assert!(matches!(try_open(&dir.0), Err(OpenError::Damaged { .. })));
}

#[tokio::test]
async fn last_entry_cut_in_the_writing_is_removed_and_told() {
    let dir = Dir::new("torn");
    filled(&dir, 3).await;
    drop(reopen(&dir.0));
    let file = dir.segment();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 9]).unwrap();
    drop(reopen(&dir.0));
    let entries = read(&dir.0).unwrap();
    assert!(
        entries
            .iter()
            .any(|entry| entry.event.kind == "trail.recovered")
    );
    assert_eq!(verify(&dir.0).unwrap().damage, []);
}

#[tokio::test]
async fn second_process_is_refused() {
    let dir = Dir::new("busy");
    let _first = reopen(&dir.0);
    assert!(matches!(
        Trail::open(&dir.0, Clock::system(), "test"),
        Err(OpenError::Busy { .. })
    ));
}

/// However long the machine takes: each second lets through a hundred at most.
fn folded_is_most(entries: &[Entry]) -> bool {
    let refused = entries
        .iter()
        .filter(|entry| entry.event.kind == "authz.refused");
    let mut seconds: std::collections::HashMap<i64, u64> = std::collections::HashMap::new();
    for entry in refused {
        *seconds.entry(entry.time / 1_000).or_default() += 1;
    }
    seconds.values().all(|count| *count <= 102)
        && entries
            .iter()
            .any(|entry| entry.event.kind == "trail.folded")
}

#[tokio::test]
async fn flood_of_refusals_is_folded_and_changes_are_not() {
    let dir = Dir::new("flood");
    {
        let trail = reopen(&dir.0);
        let peer = "10.0.0.1:9".parse().unwrap();
        for _ in 0..2_000 {
            trail
                .record(refusal("t").from_peer(peer, "sasl"))
                .await
                .unwrap();
        }
        for number in 0..30 {
            let change = Event::new("policy.rule", Class::Critical, Outcome::Ok)
                .from_peer(peer, "sasl")
                .changed(None, Some(number.to_string()));
            trail.record(change).await.unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        trail
            .record(refusal("later").from_peer(peer, "sasl"))
            .await
            .unwrap();
    }
    let entries = read(&dir.0).unwrap();
    let count = |kind: &str| {
        entries
            .iter()
            .filter(|entry| entry.event.kind == kind)
            .count()
    };
    assert!(folded_is_most(&entries), "{}", count("authz.refused"));
    assert_eq!(count("policy.rule"), 30);
    let folded: u64 = entries
        .iter()
        .filter(|entry| entry.event.kind == "trail.folded")
        .filter_map(|entry| entry.event.counts.get("events"))
        .sum();
    assert_eq!(
        folded + count("authz.refused") as u64,
        2_001,
        "every refusal is written or counted"
    );
}

#[tokio::test]
async fn dropped_handle_has_written_everything_and_given_the_directory_back() {
    let dir = Dir::new("drop");
    let trail = reopen(&dir.0);
    for number in 0..1_000 {
        trail.note(refusal(&number.to_string()));
    }
    drop(trail);
    assert_eq!(read(&dir.0).unwrap().len(), 1_001);
    assert!(try_open(&dir.0).is_ok());
}

#[tokio::test]
async fn change_and_flush_are_on_the_disk_when_they_are_answered() {
    let dir = Dir::new("durable");
    let trail = reopen(&dir.0);
    let change = Event::new("user.create", Class::Critical, Outcome::Ok)
        .changed(None, Some("alice".to_owned()));
    trail.record(change).await.unwrap();
    trail.note(refusal("orders"));
    trail.flush().await.unwrap();
    let kinds: Vec<String> = read(&dir.0)
        .unwrap()
        .into_iter()
        .map(|entry| entry.event.kind)
        .collect();
    assert_eq!(kinds, ["trail.opened", "user.create", "authz.refused"]);
}

#[tokio::test]
async fn bytes_behind_the_last_entry_are_found() {
    let dir = Dir::new("append");
    filled(&dir, 3).await;
    let file = dir.segment();
    assert_eq!(verify(&dir.0).unwrap().damage, [], "as it was written");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend_from_slice(b"more");
    std::fs::write(&file, &bytes).unwrap();
    assert_ne!(verify(&dir.0).unwrap().damage, []);
}

/// A trail of three segments: a day goes by between its starts.
async fn in_three_segments(dir: &Dir) -> Vec<PathBuf> {
    for day in 0..3_i64 {
        let clock = Clock::manual(Timestamp(day * 86_400_001));
        let trail = Trail::open(&dir.0, clock, "test").unwrap();
        trail.record(refusal(&day.to_string())).await.unwrap();
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir.0)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn missing_segment_is_found_wherever_it_was() {
    for gone in 0..2 {
        let dir = Dir::new(&format!("missing-{gone}"));
        let files = in_three_segments(&dir).await;
        assert_eq!(files.len(), 3);
        assert_eq!(verify(&dir.0).unwrap().damage, [], "as it was written");
        std::fs::remove_file(&files[gone]).unwrap();
        let damage = verify(&dir.0).unwrap().damage;
        let told: Vec<_> = damage.iter().map(|one| (&one.file, one.what)).collect();
        let missing = "entries before this segment are missing or changed";
        assert_eq!(told, [(&files[gone + 1], missing)]);
    }
}

#[tokio::test]
async fn segments_in_another_order_are_found() {
    let dir = Dir::new("swapped");
    let files = in_three_segments(&dir).await;
    let aside = dir.0.join("aside");
    std::fs::rename(&files[0], &aside).unwrap();
    std::fs::rename(&files[1], &files[0]).unwrap();
    std::fs::rename(&aside, &files[1]).unwrap();
    assert_ne!(verify(&dir.0).unwrap().damage, []);
}
