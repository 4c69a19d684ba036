//! Free space of the disk, and the reserve that lets the journals go on when there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::Disk;
use crate::log;

const RESERVE: &str = "reserve";
const RESERVE_BYTES: u64 = 32 << 20;

/// Checked every second by the maintenance task.
pub(crate) struct Space {
    disk: Arc<dyn Disk>,
    /// Below this, produce is refused. 0: 256 MiB or 2 %, whichever is more.
    min_free: Option<u64>,
    total: AtomicU64,
    free: AtomicU64,
}

impl Space {
    pub(crate) fn new(disk: Arc<dyn Disk>, min_free: Option<u64>) -> Self {
        let space = Self {
            disk,
            min_free,
            total: AtomicU64::new(0),
            free: AtomicU64::new(u64::MAX),
        };
        space.check();
        space
    }

    fn limit(&self) -> u64 {
        self.min_free
            .unwrap_or_else(|| (256 << 20).max(self.total.load(Ordering::Relaxed) / 50))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.free.load(Ordering::Relaxed) < self.limit()
    }

    pub(crate) fn now(&self) -> log::Space {
        log::Space {
            total: self.total.load(Ordering::Relaxed),
            usable: self.free.load(Ordering::Relaxed),
        }
    }

    /// Looks at the disk; gives the reserve away when little is left, and takes it back when there is enough.
    pub(crate) fn check(&self) {
        let was_full = self.is_full();
        match self.disk.space() {
            Ok(space) => {
                self.total.store(space.total, Ordering::Relaxed);
                self.free.store(space.free, Ordering::Relaxed);
            }
            Err(error) => tracing::warn!(%error, "Free space cannot be read"),
        }
        let free = self.free.load(Ordering::Relaxed);
        metrics::gauge!("log_disk_free_bytes").set(free as f64);
        if self.is_full() != was_full {
            tracing::warn!(
                free,
                limit = self.limit(),
                full = self.is_full(),
                "Disk space changed"
            );
        }
        if free < self.limit() / 4 {
            if self.disk.exists(RESERVE) {
                let _ = self.disk.remove_file(RESERVE);
            }
        } else if !self.is_full()
            && !self.disk.exists(RESERVE)
            && free > self.limit().saturating_add(RESERVE_BYTES)
        {
            let made = self
                .disk
                .create(RESERVE)
                .and_then(|file| file.allocate(RESERVE_BYTES));
            if let Err(error) = made {
                tracing::debug!(%error, "Reserve cannot be made");
                let _ = self.disk.remove_file(RESERVE);
            }
        }
    }
}
