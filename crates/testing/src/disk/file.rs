//! One open file of the simulated disk.

use std::io::{self, ErrorKind};
use std::time::Duration;

use broker::disk::DiskFile;

use super::dice::Dice;
use super::{LostPages, SimDisk, no_power};

pub(super) struct SimFile {
    pub disk: SimDisk,
    pub inode: usize,
    pub path: String,
}

impl SimFile {
    fn sync(&self, all: bool) -> io::Result<()> {
        let takes = self.disk.world().faults.sync_takes;
        std::thread::sleep(takes);
        while self.disk.world().faults.holds_syncs {
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut world = self.disk.world();
        world.faults.change()?;
        let fails = world.faults.sync_fails();
        let inode = &mut world.inodes[self.inode];
        match fails {
            None => {
                inode.sync(all);
                return Ok(());
            }
            Some(LostPages::All) => inode.lose(None),
            Some(LostPages::Some(seed)) => inode.lose(Some(&mut Dice::new(seed))),
        }
        Err(io::Error::other("sync failed"))
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let mut world = self.disk.world();
        let cache = &world.inodes[self.inode].cache;
        let rest = cache.get(position as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        world.faults.read(&self.path, count)?;
        Ok(count)
    }

    /// Every other frame is not in memory.
    fn read_cached_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        match position / 16 % 2 {
            0 => self.read_at(buffer, position),
            _ => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut world = self.disk.world();
        world.faults.powered()?;
        let powered = world.faults.change();
        if let Some(recorder) = &self.disk.recorder {
            recorder.note(&world.inodes[self.inode].cache, bytes, position);
        }
        let at = position as usize;
        if let Err(count) = world.faults.write(bytes.len()) {
            world.inodes[self.inode].write(&bytes[..count], at);
            powered?;
            return Err(io::Error::other("the write failed"));
        }
        let used = world.used();
        let room = world.faults.capacity;
        let room = room.map_or(usize::MAX, |capacity| capacity.saturating_sub(used));
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
        world.faults.powered()?;
        let powered = world.faults.change();
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
        match self.disk.world().faults.powered() {
            Ok(()) => Ok(()),
            Err(_) => Err(no_power()),
        }
    }
}
