//! Which announced changes have no outcome yet: within this process, and over a restart.
//!
//! Remembers what was announced until its outcome passes by. After a restart it is read from the newest two segments: a
//! change takes seconds, a segment hours.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use kastellan_core::event::{Event, Outcome};

use crate::entry::Entry;
use crate::read::{load, segments};
use crate::segment::{Header, Met, Walk};

#[derive(Debug, Default)]
pub(crate) struct Undecided {
    open: BTreeMap<u64, Event>,
    /// Outcomes that an earlier process wrote, by the announcement.
    told: BTreeMap<u64, Event>,
}

/// What the trail says itself. Damage is not looked for here: opening the files does that.
pub(crate) fn read(dir: &Path) -> io::Result<Undecided> {
    let files = segments(dir)?;
    let mut undecided = Undecided::default();
    for file in files.iter().skip(files.len().saturating_sub(2)) {
        let bytes = load(file)?;
        let Some(header) = Header::parse(&bytes) else {
            continue;
        };
        let mut walk = Walk::new(&bytes, &header);
        while let Met::Entry(body) = walk.step() {
            if let Some(entry) = of_a_change(body) {
                undecided.meet(entry.seq, &entry.event);
                if let Some(announced) = entry.event.refers {
                    undecided.told.insert(announced, entry.event);
                }
            }
        }
    }
    Ok(undecided)
}

/// The entry, if it may announce a change or tell its outcome. Most do neither and are not parsed.
fn of_a_change(body: &[u8]) -> Option<Entry> {
    let text = std::str::from_utf8(body).ok()?;
    let may_announce = text.contains("\"change\":") && text.contains("\"outcome\":\"allowed\"");
    if may_announce || text.contains("\"ref\":") {
        serde_json::from_str(text).ok()
    } else {
        None
    }
}

impl Undecided {
    /// An entry was written.
    pub(crate) fn meet(&mut self, seq: u64, event: &Event) {
        if event.announces() {
            self.open.insert(seq, event.clone());
        } else if let Some(announced) = event.refers {
            self.open.remove(&announced);
        }
    }

    /// Whether an earlier process wrote this very outcome.
    pub(crate) fn is_told(&self, event: &Event) -> bool {
        let told = event.refers.and_then(|announced| self.told.get(&announced));
        told == Some(event)
    }

    /// Outcomes that nobody knows, of changes announced before that number. From here on nobody delivers old ones.
    pub(crate) fn unknown_before(&mut self, seq: u64) -> Vec<Event> {
        self.told.clear();
        let left = self.open.range(..seq);
        left.map(|(announced, event)| Event {
            outcome: Outcome::Unknown,
            refers: Some(*announced),
            change: None,
            ..event.clone()
        })
        .collect()
    }
}
