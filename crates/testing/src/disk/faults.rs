//! What goes wrong, and when; and what is counted on the way.

use std::io;
use std::time::Duration;

use super::dice::Dice;

/// Since the process began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Whatever a power cut may come before, in or behind: names, writes, lengths, syncs.
    pub changes: u64,
    pub syncs: u64,
    pub writes: u64,
    pub reads: u64,
    pub read_bytes: u64,
    pub opened: u64,
}

/// What a failed sync loses.
#[derive(Clone, Copy, Debug)]
pub enum LostPages {
    All,
    /// Some of them, by these dice.
    Some(u64),
}

#[derive(Clone, Default)]
pub(super) struct Faults {
    pub counts: Counts,
    pub cut_at: Option<u64>,
    has_no_power: bool,
    pub fail_sync: Option<(u64, LostPages)>,
    pub fail_write: Option<u64>,
    pub fail_read: Option<u64>,
    pub capacity: Option<usize>,
    pub unreadable: Option<String>,
    pub sync_takes: Duration,
    /// Syncs wait until this is taken away.
    pub holds_syncs: bool,
}

pub(super) fn no_power() -> io::Error {
    io::Error::other("the power is off")
}

impl Faults {
    pub(super) fn powered(&self) -> io::Result<()> {
        if self.has_no_power {
            return Err(no_power());
        }
        Ok(())
    }

    /// Counts a change. `Err`: the power goes during it.
    pub(super) fn change(&mut self) -> io::Result<()> {
        self.powered()?;
        self.counts.changes += 1;
        if self.cut_at == Some(self.counts.changes) {
            self.has_no_power = true;
            return Err(no_power());
        }
        Ok(())
    }

    pub(super) fn sync_fails(&mut self) -> Option<LostPages> {
        self.counts.syncs += 1;
        let (number, lost) = self.fail_sync?;
        (number == self.counts.syncs).then_some(lost)
    }

    /// Counts a write, a change already. `Err`: how many of its bytes come through before it fails.
    pub(super) fn write(&mut self, len: usize) -> Result<(), usize> {
        self.counts.writes += 1;
        let fails = self.has_no_power || self.fail_write == Some(self.counts.writes);
        if !fails {
            return Ok(());
        }
        let mut dice = Dice::new(self.counts.changes);
        Err(match dice.roll(4) {
            0 => 0,
            1 => len,
            2 => dice.roll(len + 1),
            _ => dice.roll(len + 1) / 4096 * 4096,
        })
    }

    pub(super) fn read(&mut self, path: &str, len: usize) -> io::Result<()> {
        self.powered()?;
        self.counts.reads += 1;
        self.counts.read_bytes += len as u64;
        let fails = self.fail_read == Some(self.counts.reads);
        if fails || self.unreadable.as_deref() == Some(path) {
            return Err(io::Error::other("the medium cannot be read"));
        }
        Ok(())
    }
}
