//! A disk in memory that can lose power, run full, fail a sync, a write or a read, and flip bits.
//!
//! What was written and not synced survives a power cut as any subset of 4 KiB blocks, each as it was at any time since
//! the sync, lengths on their own; names that were made, changed or removed and not synced with their directory are lost
//! or kept one by one. After a failed sync the pages are clean and lost, as on Linux: readable until the power goes, and
//! never written by a later sync. A directory whose sync failed may keep its changes: a file system that cannot write its
//! own journal ends by itself.

mod dice;
mod faults;
mod file;
mod inode;
mod names;
mod recorder;

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use broker::disk::{Disk, DiskFile, DiskSpace, Entry};

pub use dice::Dice;
pub use faults::{Counts, LostPages};
use faults::{Faults, no_power};
use file::SimFile;
use inode::Inode;
use names::{Change, Names, Node, parent};
use recorder::Recorder;

#[derive(Clone, Default)]
struct World {
    inodes: Vec<Inode>,
    names: Names,
    faults: Faults,
}

impl World {
    fn file(&self, path: &str) -> io::Result<usize> {
        match self.names.now.get(path) {
            Some(Node::File(inode)) => Ok(*inode),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    fn used(&self) -> usize {
        let files = self.names.now.values().filter_map(|node| match node {
            Node::File(inode) => self.inodes.get(*inode),
            Node::Dir => None,
        });
        files.map(|inode| inode.cache.len()).sum()
    }
}

/// Cheap to clone: both see the same disk.
#[derive(Clone)]
pub struct SimDisk {
    world: Arc<Mutex<World>>,
    recorder: Option<Arc<Recorder>>,
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimDisk {
    /// Remembers every frame, over all its copies, and panics where a frame number was used twice.
    pub fn new() -> Self {
        Self {
            world: Arc::default(),
            recorder: Some(Arc::default()),
        }
    }

    /// Remembers no frames: for millions of short lives.
    pub fn forgetful() -> Self {
        Self {
            recorder: None,
            ..Self::new()
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn with(&self, world: World) -> Self {
        if let Some(recorder) = &self.recorder {
            recorder.check();
        }
        Self {
            world: Arc::new(Mutex::new(world)),
            recorder: self.recorder.clone(),
        }
    }

    /// The disk as the next process finds it when this one is killed: nothing the kernel holds is lost.
    pub fn after_kill(&self) -> Self {
        let mut world = self.world().clone();
        world.faults = Faults::default();
        self.with(world)
    }

    /// The disk after the power was cut.
    pub fn after_power_loss(&self, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let world = self.world();
        let names = world.names.after_power_loss(&mut dice);
        let inodes = world
            .inodes
            .iter()
            .map(|inode| inode.after_power_loss(&mut dice))
            .collect();
        self.with(World {
            inodes,
            names,
            faults: Faults::default(),
        })
    }

    pub fn used(&self) -> usize {
        self.world().used()
    }

    pub fn files(&self) -> Vec<String> {
        let world = self.world();
        let files = world.names.now.iter();
        let files = files.filter(|(_, node)| **node != Node::Dir);
        files.map(|(path, _)| path.clone()).collect()
    }

    /// Segment files of a partition, oldest first.
    pub fn segments(&self, place: broker::offsets::Place) -> Vec<String> {
        let dir = format!("p/{}/{}/", place.topic.simple(), place.partition);
        self.files()
            .into_iter()
            .filter(|path| path.starts_with(&dir))
            .collect()
    }

    pub fn bytes(&self, path: &str) -> Vec<u8> {
        let world = self.world();
        world.inodes[world.file(path).unwrap()].cache.clone()
    }

    /// Puts a durable file in place of whatever is there.
    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        let mut world = self.world();
        let inode = world.inodes.len();
        world.inodes.push(Inode::durable(bytes));
        world.names.put(path, Node::File(inode));
    }

    pub fn remove(&self, path: &str) {
        self.world().names.take(path).unwrap();
    }

    /// Changes the bytes of a file at rest.
    pub fn edit(&self, path: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.bytes(path);
        edit(&mut bytes);
        self.put(path, bytes);
    }

    fn open_inode(&self, path: &str, inode: usize) -> Arc<dyn DiskFile> {
        Arc::new(SimFile {
            disk: self.clone(),
            inode,
            path: path.to_owned(),
        })
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut world = self.world();
        world.faults.powered()?;
        let powered = world.faults.change();
        if world.names.now.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        if !parent(path).is_empty() && world.names.now.get(parent(path)) != Some(&Node::Dir) {
            return Err(ErrorKind::NotFound.into());
        }
        let inode = world.inodes.len();
        world.inodes.push(Inode::default());
        let made = Change::Made(path.to_owned(), Node::File(inode));
        world.names.change(made);
        powered?;
        Ok(self.open_inode(path, inode))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut world = self.world();
        world.faults.powered()?;
        world.faults.counts.opened += 1;
        let inode = world.file(path)?;
        Ok(self.open_inode(path, inode))
    }

    fn exists(&self, path: &str) -> bool {
        self.world().names.now.contains_key(path)
    }

    fn make_dir(&self, path: &str) -> io::Result<()> {
        let mut made = String::new();
        for part in path.split('/') {
            made = if made.is_empty() {
                part.to_owned()
            } else {
                format!("{made}/{part}")
            };
            let mut world = self.world();
            if !world.names.now.contains_key(&made) {
                world.faults.powered()?;
                let powered = world.faults.change();
                world.names.change(Change::Made(made.clone(), Node::Dir));
                powered?;
            }
        }
        Ok(())
    }

    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        let world = self.world();
        world.faults.powered()?;
        let entries = world.names.now.iter();
        let entries = entries.filter(|(name, _)| parent(name) == path);
        let entry = |(name, node): (&String, &Node)| Entry {
            name: name.rsplit('/').next().unwrap_or_default().to_owned(),
            is_dir: *node == Node::Dir,
        };
        Ok(entries.map(entry).collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.world();
        world.faults.powered()?;
        let powered = world.faults.change();
        let node = *world.names.now.get(from).ok_or(ErrorKind::NotFound)?;
        let renamed = Change::Renamed(from.to_owned(), to.to_owned(), node);
        world.names.change(renamed);
        powered
    }

    fn remove_file(&self, path: &str) -> io::Result<()> {
        let mut world = self.world();
        world.faults.powered()?;
        let powered = world.faults.change();
        world.file(path)?;
        world.names.change(Change::Removed(path.to_owned()));
        powered
    }

    fn remove_dir_all(&self, path: &str) -> io::Result<()> {
        let mut world = self.world();
        let under = format!("{path}/");
        let gone = world.names.now.keys().rev();
        let gone = gone.filter(|name| *name == path || name.starts_with(&under));
        let gone: Vec<String> = gone.cloned().collect();
        for name in gone {
            world.faults.powered()?;
            let powered = world.faults.change();
            world.names.change(Change::Removed(name));
            powered?;
        }
        Ok(())
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        let mut world = self.world();
        world.faults.change()?;
        if !path.is_empty() && world.names.now.get(path) != Some(&Node::Dir) {
            return Err(ErrorKind::NotFound.into());
        }
        if world.faults.sync_fails().is_some() {
            return Err(io::Error::other("sync of a directory failed"));
        }
        world.names.sync(path);
        Ok(())
    }

    fn space(&self) -> io::Result<DiskSpace> {
        let world = self.world();
        // Too small for a reserve when nothing is said.
        let used = world.used();
        let total = world.faults.capacity.unwrap_or(used + (1 << 20));
        Ok(DiskSpace {
            total: total as u64,
            free: total.saturating_sub(used) as u64,
        })
    }
}

/// What the disk is told to do, and what it counts.
impl SimDisk {
    pub fn counts(&self) -> Counts {
        self.world().faults.counts
    }

    /// Changes of the disk so far.
    pub fn changes(&self) -> u64 {
        self.counts().changes
    }

    pub fn syncs(&self) -> u64 {
        self.counts().syncs
    }

    /// Writes to files so far.
    pub fn writes(&self) -> u64 {
        self.counts().writes
    }

    /// The power goes during this change, counted from the first one. A write is cut somewhere.
    pub fn cut_power_at(&self, change: u64) {
        self.world().faults.cut_at = Some(change);
    }

    /// Syncs of files wait for as long as this is set.
    pub fn hold_syncs(&self, hold: bool) {
        self.world().faults.holds_syncs = hold;
    }

    /// This sync fails, counted from the first one, and loses its pages.
    pub fn fail_sync(&self, number: u64) {
        self.lose_at_sync(number, LostPages::All);
    }

    pub fn lose_at_sync(&self, number: u64, lost: LostPages) {
        self.world().faults.fail_sync = Some((number, lost));
    }

    /// This write fails, counted from the first one, when it has written some of its bytes.
    pub fn fail_write(&self, number: u64) {
        self.world().faults.fail_write = Some(number);
    }

    /// This read fails, counted from the first one; the next ones do not.
    pub fn fail_read(&self, number: u64) {
        self.world().faults.fail_read = Some(number);
    }

    pub fn set_sync_time(&self, takes: Duration) {
        self.world().faults.sync_takes = takes;
    }

    /// Bytes that fit in all.
    pub fn set_capacity(&self, capacity: Option<usize>) {
        self.world().faults.capacity = capacity;
    }

    /// Reads of this file fail.
    pub fn set_unreadable(&self, path: Option<&str>) {
        self.world().faults.unreadable = path.map(str::to_owned);
    }
}
