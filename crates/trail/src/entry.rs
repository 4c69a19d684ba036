//! An event as it is written: one JSON object, and the bytes written are the bytes hashed.

use kastellan_core::event::Event;
use serde::{Deserialize, Serialize};

/// Bytes of an entry, at most.
pub(crate) const BODY_MAX: usize = 16 << 10;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Schema.
    pub v: u32,
    /// Gap-free per log, from 1.
    pub seq: u64,
    /// Milliseconds since 1970.
    pub time: i64,
    /// Milliseconds since the process started: exposes steps of the clock.
    pub mono: u64,
    /// Log id, 16 hex digits.
    pub log: String,
    pub node: String,
    #[serde(flatten)]
    pub event: Event,
}

impl Entry {
    /// The bytes, within the limit: an event that is too large loses its details, never its facts.
    pub(crate) fn to_body(&self) -> serde_json::Result<Vec<u8>> {
        let body = serde_json::to_vec(self)?;
        if body.len() <= BODY_MAX {
            return Ok(body);
        }
        let mut shorter = self.clone();
        shorter.event.detail.clear();
        let named = shorter.event.resources.len() as u64;
        shorter.event.resources.truncate(8);
        let left = named - shorter.event.resources.len() as u64;
        shorter.event.resources_more = Some(shorter.event.resources_more.unwrap_or(0) + left);
        if let Some(change) = &mut shorter.event.change {
            change.before = change.before.as_deref().map(kastellan_core::event::cut);
            change.after = change.after.as_deref().map(kastellan_core::event::cut);
        }
        serde_json::to_vec(&shorter)
    }
}
