//! Segment files that somebody changed, or that are bytes of any kind. What is read is what was written; nothing is taken
//! for whole that is not, and nobody panics.
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
    let (disk, place) = &logs()[usize::from(*which % 2)];
    let disk = disk.after_kill();
    let paths = disk
        .files()
        .into_iter()
        .filter(|path| path.ends_with(".seg"));
    let paths: Vec<_> = paths.collect();
    let path = &paths[usize::from(*file) % paths.len()];
    disk.edit(path, |bytes| match which / 2 % 2 {
        0 => memory_disk::change(bytes, changes),
        _ => *bytes = changes.to_vec(),
    });
    memory_disk::runtime().block_on(async {
        let opened = memory_disk::open(&disk).await.unwrap();
        let written = memory_disk::values();
        if let Some(read) = memory_disk::read_all(&opened.log, *place).await {
            assert!(written.starts_with(&read), "something else is read");
        }
        opened.log.verify().await;
    });
});
