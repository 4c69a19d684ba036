//! A disk in memory that can lose power, run full, fail a sync and flip bits.
//!
//! What was written and not synced survives a power cut as any subset of 4 KiB blocks, lengths on their own; names that
//! were made, changed or removed and not synced with their directory are lost or kept one by one. After a failed sync
//! the pages are clean and lost, as on Linux: readable until the power goes, and never written by a later sync.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use broker::disk::{Disk, DiskFile, DiskSpace, Entry};

const BLOCK: usize = 4096;
/// Where frames begin in a file.
const FRAMES: u64 = 256;

/// Small and repeatable: xorshift.
#[derive(Clone, Copy)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides.max(1)
    }

    fn coin(&mut self) -> bool {
        self.roll(2) == 0
    }
}

#[derive(Clone, Debug, Default)]
struct Inode {
    /// What a reader sees.
    cache: Vec<u8>,
    /// What survives.
    disk: Vec<u8>,
    dirty: BTreeSet<usize>,
    /// Lengths the file had since the last sync.
    lens: Vec<usize>,
}

impl Inode {
    fn write(&mut self, bytes: &[u8], position: usize) {
        let end = position + bytes.len();
        if self.cache.len() < end {
            self.cache.resize(end, 0);
        }
        self.cache[position..end].copy_from_slice(bytes);
        self.dirty.extend(position / BLOCK..end.div_ceil(BLOCK));
        self.lens.push(self.cache.len());
    }

    fn set_len(&mut self, len: usize) {
        self.cache.resize(len, 0);
        self.dirty.retain(|block| block * BLOCK < len);
        self.lens.push(len);
    }

    /// `all`: a shorter length is durable too.
    fn sync(&mut self, all: bool) {
        let shorter = self.cache.len() < self.disk.len();
        for block in std::mem::take(&mut self.dirty) {
            copy_block(&self.cache, &mut self.disk, block);
        }
        self.lens.clear();
        if all || !shorter {
            self.disk.resize(self.cache.len(), 0);
        } else {
            self.lens.push(self.cache.len());
        }
    }

    fn after_power_loss(&self, dice: &mut Dice) -> Self {
        let mut disk = self.disk.clone();
        let pick = dice.roll(self.lens.len() + 1);
        let len = self.lens.get(pick).copied().unwrap_or(self.disk.len());
        for block in &self.dirty {
            if dice.coin() {
                copy_block(&self.cache, &mut disk, *block);
            }
        }
        disk.resize(len, 0);
        Self {
            cache: disk.clone(),
            disk,
            ..Self::default()
        }
    }
}

fn copy_block(from: &[u8], to: &mut Vec<u8>, block: usize) {
    let end = from.len().min((block + 1) * BLOCK);
    if to.len() < end {
        to.resize(end, 0);
    }
    let range = block * BLOCK..end;
    to[range.clone()].copy_from_slice(&from[range]);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Dir,
    File(usize),
}

#[derive(Clone, Debug)]
enum NameChange {
    Made(String, Node),
    Renamed(String, String, Node),
    Removed(String),
}

type Names = BTreeMap<String, Node>;
/// (file id, frame number): what was sealed with it.
type Sealed = HashMap<([u8; 16], u32), Vec<u8>>;

#[derive(Clone, Default)]
struct World {
    inodes: Vec<Inode>,
    names: Names,
    durable: Names,
    pending: Vec<NameChange>,
    changes: u64,
    syncs: u64,
    writes: u64,
    cut_at: Option<u64>,
    has_no_power: bool,
    fail_sync: Option<u64>,
    capacity: Option<usize>,
    unreadable: Option<String>,
    sync_takes: Duration,
    /// Syncs wait until this is taken away.
    holds_syncs: bool,
}

fn no_power() -> io::Error {
    io::Error::other("the power is off")
}

impl World {
    fn powered(&self) -> io::Result<()> {
        if self.has_no_power {
            return Err(no_power());
        }
        Ok(())
    }

    /// Counts a change. `Err`: the power goes during it.
    fn change(&mut self) -> io::Result<()> {
        self.powered()?;
        self.changes += 1;
        if self.cut_at == Some(self.changes) {
            self.has_no_power = true;
            return Err(no_power());
        }
        Ok(())
    }

    fn sync_fails(&mut self) -> bool {
        self.syncs += 1;
        self.fail_sync == Some(self.syncs)
    }

    fn file(&self, path: &str) -> io::Result<usize> {
        match self.names.get(path) {
            Some(Node::File(inode)) => Ok(*inode),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    fn rename(&mut self, change: NameChange) {
        apply(&mut self.names, &change);
        self.pending.push(change);
    }

    fn used(&self) -> usize {
        let files = self.names.values().filter_map(|node| match node {
            Node::File(inode) => self.inodes.get(*inode),
            Node::Dir => None,
        });
        files.map(|inode| inode.cache.len()).sum()
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn apply(names: &mut Names, change: &NameChange) {
    match change {
        NameChange::Made(path, node) => {
            names.insert(path.clone(), *node);
        }
        NameChange::Removed(path) => {
            names.remove(path);
        }
        NameChange::Renamed(from, to, node) => {
            let under = format!("{from}/");
            let moved: Vec<_> = names
                .keys()
                .filter(|name| name.starts_with(&under))
                .cloned()
                .collect();
            for name in moved {
                if let Some(node) = names.remove(&name) {
                    names.insert(format!("{to}/{}", &name[under.len()..]), node);
                }
            }
            names.remove(from);
            names.insert(to.clone(), *node);
        }
    }
}

/// Cheap to clone: both see the same disk.
#[derive(Clone)]
pub struct SimDisk {
    world: Arc<Mutex<World>>,
    sealed: Arc<Mutex<Sealed>>,
}

impl SimDisk {
    pub fn new() -> Self {
        Self {
            world: Arc::default(),
            sealed: Arc::default(),
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn with(&self, world: World) -> Self {
        Self {
            world: Arc::new(Mutex::new(world)),
            sealed: self.sealed.clone(),
        }
    }

    /// Changes of the disk so far.
    pub fn changes(&self) -> u64 {
        self.world().changes
    }

    pub fn syncs(&self) -> u64 {
        self.world().syncs
    }

    /// The power goes during this change, counted from the first one.
    pub fn cut_power_at(&self, change: u64) {
        self.world().cut_at = Some(change);
    }

    /// Writes to files so far.
    pub fn writes(&self) -> u64 {
        self.world().writes
    }

    /// Syncs of files wait for as long as this is set.
    pub fn hold_syncs(&self, hold: bool) {
        self.world().holds_syncs = hold;
    }

    pub fn fail_sync(&self, number: u64) {
        self.world().fail_sync = Some(number);
    }

    pub fn set_sync_time(&self, takes: Duration) {
        self.world().sync_takes = takes;
    }

    /// Bytes that fit in all.
    pub fn set_capacity(&self, capacity: Option<usize>) {
        self.world().capacity = capacity;
    }

    pub fn used(&self) -> usize {
        self.world().used()
    }

    /// Reads of this file fail.
    pub fn set_unreadable(&self, path: Option<&str>) {
        self.world().unreadable = path.map(str::to_owned);
    }

    /// The disk as the next process finds it when this one is killed: nothing the kernel holds is lost.
    pub fn after_kill(&self) -> Self {
        let mut world = self.world().clone();
        world.has_no_power = false;
        world.cut_at = None;
        world.fail_sync = None;
        (world.changes, world.syncs) = (0, 0);
        self.with(world)
    }

    /// The disk after the power was cut.
    pub fn after_power_loss(&self, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let world = self.world();
        let mut names = world.durable.clone();
        for change in &world.pending {
            if dice.coin() {
                apply(&mut names, change);
            }
        }
        // What lies in a directory that was lost is lost.
        let mut kept = Names::new();
        for (path, node) in &names {
            if parent(path).is_empty() || kept.get(parent(path)) == Some(&Node::Dir) {
                kept.insert(path.clone(), *node);
            }
        }
        let inodes = world
            .inodes
            .iter()
            .map(|inode| inode.after_power_loss(&mut dice))
            .collect();
        self.with(World {
            inodes,
            names: kept.clone(),
            durable: kept,
            ..World::default()
        })
    }

    pub fn files(&self) -> Vec<String> {
        let world = self.world();
        let files = world.names.iter().filter(|(_, node)| **node != Node::Dir);
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
        world.inodes.push(Inode {
            cache: bytes.clone(),
            disk: bytes,
            ..Inode::default()
        });
        let mut dir = parent(path);
        while !dir.is_empty() {
            world.names.insert(dir.to_owned(), Node::Dir);
            world.durable.insert(dir.to_owned(), Node::Dir);
            dir = parent(dir);
        }
        world.names.insert(path.to_owned(), Node::File(inode));
        world.durable.insert(path.to_owned(), Node::File(inode));
    }

    pub fn remove(&self, path: &str) {
        let mut world = self.world();
        world.names.remove(path).unwrap();
        world.durable.remove(path);
    }

    /// Changes the bytes of a file at rest.
    pub fn edit(&self, path: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.bytes(path);
        edit(&mut bytes);
        self.put(path, bytes);
    }

    /// No number of a file key may ever seal two contents.
    fn note_frames(&self, file: &[u8], mut bytes: &[u8], position: u64) {
        if position < FRAMES || file.get(..8) != Some(b"KSTLLOG1") {
            return;
        }
        let id: [u8; 16] = file[16..32].try_into().unwrap();
        while bytes.len() >= 48 {
            let len = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
            self.note_frame(id, &bytes[..len]);
            bytes = &bytes[len..];
        }
        assert!(bytes.is_empty(), "a write ends in the middle of a frame");
    }

    fn note_frame(&self, id: [u8; 16], bytes: &[u8]) {
        let number = u32::from_be_bytes(bytes[4..8].try_into().unwrap());
        let before = self
            .sealed
            .lock()
            .unwrap()
            .insert((id, number), bytes.to_vec());
        assert!(
            before.is_none_or(|before| before == bytes),
            "frame number {number} was used twice"
        );
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut world = self.world();
        world.powered()?;
        let powered = world.change();
        if world.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        if !parent(path).is_empty() && world.names.get(parent(path)) != Some(&Node::Dir) {
            return Err(ErrorKind::NotFound.into());
        }
        let inode = world.inodes.len();
        world.inodes.push(Inode::default());
        world.rename(NameChange::Made(path.to_owned(), Node::File(inode)));
        powered?;
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            inode,
            path: path.to_owned(),
        }))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let world = self.world();
        if world.has_no_power {
            return Err(no_power());
        }
        let inode = world.file(path)?;
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            inode,
            path: path.to_owned(),
        }))
    }

    fn exists(&self, path: &str) -> bool {
        self.world().names.contains_key(path)
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
            if !world.names.contains_key(&made) {
                world.powered()?;
                let powered = world.change();
                world.rename(NameChange::Made(made.clone(), Node::Dir));
                powered?;
            }
        }
        Ok(())
    }

    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        let world = self.world();
        if world.has_no_power {
            return Err(no_power());
        }
        let entries = world.names.iter().filter(|(name, _)| parent(name) == path);
        let entry = |(name, node): (&String, &Node)| Entry {
            name: name.rsplit('/').next().unwrap_or_default().to_owned(),
            is_dir: *node == Node::Dir,
        };
        Ok(entries.map(entry).collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.world();
        world.powered()?;
        let powered = world.change();
        let node = *world.names.get(from).ok_or(ErrorKind::NotFound)?;
        world.rename(NameChange::Renamed(from.to_owned(), to.to_owned(), node));
        powered
    }

    fn remove_file(&self, path: &str) -> io::Result<()> {
        let mut world = self.world();
        world.powered()?;
        let powered = world.change();
        world.file(path)?;
        world.rename(NameChange::Removed(path.to_owned()));
        powered
    }

    fn remove_dir_all(&self, path: &str) -> io::Result<()> {
        let mut world = self.world();
        let under = format!("{path}/");
        let gone = world
            .names
            .keys()
            .rev()
            .filter(|name| *name == path || name.starts_with(&under));
        let gone: Vec<String> = gone.cloned().collect();
        for name in gone {
            world.powered()?;
            let powered = world.change();
            world.rename(NameChange::Removed(name));
            powered?;
        }
        Ok(())
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        let mut world = self.world();
        world.change()?;
        if world.sync_fails() {
            return Err(io::Error::other("sync of a directory failed"));
        }
        let touches = |change: &NameChange| match change {
            NameChange::Made(name, _) | NameChange::Removed(name) => parent(name) == path,
            NameChange::Renamed(from, to, _) => parent(from) == path || parent(to) == path,
        };
        let (synced, pending): (Vec<_>, Vec<_>) = std::mem::take(&mut world.pending)
            .into_iter()
            .partition(touches);
        for change in &synced {
            apply(&mut world.durable, change);
        }
        world.pending = pending;
        Ok(())
    }

    fn space(&self) -> io::Result<DiskSpace> {
        let world = self.world();
        // Too small for a reserve when nothing is said.
        let total = world.capacity.unwrap_or(world.used() + (1 << 20));
        Ok(DiskSpace {
            total: total as u64,
            free: total.saturating_sub(world.used()) as u64,
        })
    }
}

struct SimFile {
    disk: SimDisk,
    inode: usize,
    path: String,
}

impl SimFile {
    fn sync(&self, all: bool) -> io::Result<()> {
        let takes = self.disk.world().sync_takes;
        std::thread::sleep(takes);
        while self.disk.world().holds_syncs {
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut world = self.disk.world();
        world.change()?;
        let fails = world.sync_fails();
        let inode = &mut world.inodes[self.inode];
        if fails {
            inode.dirty.clear();
            return Err(io::Error::other("sync failed"));
        }
        inode.sync(all);
        Ok(())
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let world = self.disk.world();
        if world.has_no_power {
            return Err(no_power());
        }
        if world.unreadable.as_ref() == Some(&self.path) {
            return Err(io::Error::other("the medium cannot be read"));
        }
        let cache = &world.inodes[self.inode].cache;
        let rest = cache.get(position as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    /// Every other frame is not in memory.
    fn read_cached_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        match position / 16 % 2 {
            0 => self.read_at(buffer, position),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut world = self.disk.world();
        world.powered()?;
        let powered = world.change();
        world.writes += 1;
        self.disk
            .note_frames(&world.inodes[self.inode].cache, bytes, position);
        let at = position as usize;
        let room = world
            .capacity
            .map_or(usize::MAX, |capacity| capacity.saturating_sub(world.used()));
        let growth = (at + bytes.len()).saturating_sub(world.inodes[self.inode].cache.len());
        if growth > room {
            let fits = bytes.len() - (growth - room).min(bytes.len());
            world.inodes[self.inode].write(&bytes[..fits], at);
            return Err(ErrorKind::StorageFull.into());
        }
        world.inodes[self.inode].write(bytes, at);
        powered
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.world().inodes[self.inode].cache.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut world = self.disk.world();
        world.powered()?;
        let powered = world.change();
        world.inodes[self.inode].set_len(len as usize);
        powered
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync(false)
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync(true)
    }

    fn allocate(&self, _len: u64) -> io::Result<()> {
        Ok(())
    }
}
