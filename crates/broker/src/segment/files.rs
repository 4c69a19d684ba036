//! Opens files of segments, and keeps those open that were used last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use seal::at_rest::Keyring;

use super::{Segment, SegmentName, lock};
use crate::container::{ContainerError, Opened};
use crate::disk::Disk;
use crate::offsets::Place;

/// The files that are open for reading.
pub(crate) struct Files {
    disk: Arc<dyn Disk>,
    keyring: Arc<Keyring>,
    used: Mutex<Used>,
}

/// Closed segments that may have an open file, and when each was used, counted in uses.
#[derive(Default)]
struct Used {
    uses: u64,
    segments: HashMap<(Place, SegmentName), (u64, Weak<Segment>)>,
}

impl Files {
    pub(crate) fn new(disk: Arc<dyn Disk>, keyring: Arc<Keyring>) -> Self {
        Self {
            disk,
            keyring,
            used: Mutex::default(),
        }
    }

    pub(crate) fn open(&self, segment: &Segment) -> Result<Arc<Opened>, ContainerError> {
        let mut slot = lock(&segment.opened);
        if let Some(opened) = slot.as_ref() {
            return Ok(opened.clone());
        }
        let identity = segment.name.identity(segment.place);
        let opened = Arc::new(Opened::open(
            self.disk.as_ref(),
            &self.keyring,
            &segment.path,
            identity,
        )?);
        *slot = Some(opened.clone());
        Ok(opened)
    }

    /// Remembers that a segment was used. When too many are open, the one used longest ago is let go.
    pub(crate) fn used(&self, segment: &Arc<Segment>) {
        if !segment.is_closed() {
            return;
        }
        let mut used = lock(&self.used);
        used.uses += 1;
        let now = used.uses;
        let key = (segment.place, segment.name);
        used.segments.insert(key, (now, Arc::downgrade(segment)));
        if used.segments.len() <= OPEN_MAX {
            return;
        }
        let oldest = used.segments.iter().min_by_key(|(_, (at, _))| *at);
        if let Some(key) = oldest.map(|(key, _)| *key)
            && let Some((_, oldest)) = used.segments.remove(&key)
            && let Some(oldest) = oldest.upgrade()
        {
            oldest.let_go();
        }
    }
}

/// Closed segments whose file and index are kept.
const OPEN_MAX: usize = 512;
