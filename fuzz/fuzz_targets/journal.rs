//! Journals and keyrings that somebody changed, or that are bytes of any kind. A start refuses or goes on with topics that
//! were there; a repair reports.
#![no_main]

use std::sync::OnceLock;

use broker::offsets::Place;
use libfuzzer_sys::fuzz_target;

#[path = "../memory_disk.rs"]
mod memory_disk;
use memory_disk::SimDisk;

/// A log that was killed, and one that was stopped.
fn logs() -> &'static [(SimDisk, Place); 2] {
    static LOGS: OnceLock<[(SimDisk, Place); 2]> = OnceLock::new();
    LOGS.get_or_init(|| {
        let runtime = memory_disk::runtime();
        [false, true].map(|stops| runtime.block_on(memory_disk::make(stops)))
    })
}

fuzz_target!(|data: &[u8]| {
    let Some(([which, file], changes)) = data.split_first_chunk() else {
        return;
    };
    let (disk, _) = &logs()[usize::from(*which % 2)];
    let disk = disk.after_kill();
    let paths = disk
        .files()
        .into_iter()
        .filter(|path| !path.ends_with(".seg"));
    let paths: Vec<_> = paths.collect();
    let path = &paths[usize::from(*file) % paths.len()];
    disk.edit(path, |bytes| match which / 2 % 2 {
        0 => memory_disk::change(bytes, changes),
        _ => *bytes = changes.to_vec(),
    });
    repair(&disk);
    memory_disk::runtime().block_on(async {
        if let Ok(opened) = memory_disk::open(&disk).await {
            for topic in opened.log.topics().iter() {
                assert!(["first", "second"].contains(&topic.name.as_str()));
            }
            assert!(opened.groups.len() <= 2);
        }
    });
});

fn repair(disk: &SimDisk) {
    use broker::repair::{JournalKind, Offline};
    let disk = std::sync::Arc::new(disk.after_kill());
    let (options, clock) = (memory_disk::options(), memory_disk::clock());
    let Ok(log) = Offline::open(options, memory_disk::key(), disk, clock) else {
        return;
    };
    for kind in [JournalKind::Catalog, JournalKind::Groups] {
        let Ok(report) = log.inspect_journal(kind) else {
            continue;
        };
        if report.damaged_at.is_some() {
            log.repair_journal(kind).unwrap();
            assert_eq!(log.inspect_journal(kind).unwrap().damaged_at, None);
        }
    }
}
