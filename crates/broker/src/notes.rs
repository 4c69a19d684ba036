//! What the log puts on the trail: damage, failure, its keys, and how far its own record of itself has come.

use std::sync::Arc;

use kastellan_core::event::{Class, Event, Outcome};

use crate::options::Trail;

/// Where the catalog stands. Told to the trail, so that a directory that was put back to an earlier state is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorMark {
    /// Number of the catalog's file, and its durable bytes: both only rise.
    pub sequence: u64,
    pub bytes: u64,
    /// Over the newest file of each partition and its durable end; absent while changes are on their way.
    pub digest: Option<String>,
}

impl AnchorMark {
    pub const KIND: &'static str = "log.anchor";

    /// Reads it back from its event.
    pub fn read(event: &Event) -> Option<Self> {
        let number = |key: &str| event.detail.get(key)?.parse().ok();
        Some(Self {
            sequence: number("sequence").filter(|_| event.kind == Self::KIND)?,
            bytes: number("bytes")?,
            digest: event.detail.get("digest").cloned(),
        })
    }

    fn event(&self) -> Event {
        let event = ok(Self::KIND)
            .with("sequence", &self.sequence.to_string())
            .with("bytes", &self.bytes.to_string());
        match &self.digest {
            Some(digest) => event.with("digest", digest),
            None => event,
        }
    }
}

fn ok(kind: &str) -> Event {
    Event::new(kind, Class::Critical, Outcome::Ok)
}

fn failed(kind: &str) -> Event {
    Event::new(kind, Class::Critical, Outcome::Failed)
}

/// Writes the notes, if there is a trail.
#[derive(Clone, Default)]
pub(crate) struct Notes(Option<Trail>);

impl Notes {
    pub(crate) fn new(trail: Option<Trail>) -> Arc<Self> {
        Arc::new(Self(trail))
    }

    fn put(&self, event: Event) {
        if let Some(trail) = &self.0 {
            trail.0.note(event);
        }
    }

    /// Records cannot be trusted or read: the partition is offline.
    pub(crate) fn corruption(
        &self,
        topic: &str,
        partition: i32,
        file: &str,
        position: Option<u64>,
        reason: &str,
    ) {
        let event = failed("log.corruption")
            .on("topic", topic)
            .with("partition", &partition.to_string())
            .with("file", file)
            .with("reason", reason);
        self.put(match position {
            Some(position) => event.with("position", &position.to_string()),
            None => event,
        });
    }

    pub(crate) fn log_failed(&self, reason: &str) {
        self.put(failed("log.failed").with("reason", reason));
    }

    /// Something that the catalog does not know was set aside.
    pub(crate) fn quarantined(&self, what: &str) {
        self.put(ok("log.quarantined").with("file", what));
    }

    pub(crate) fn root_rotated(&self, version: u32) {
        self.put(ok("log.root_rotated").with("version", &version.to_string()));
    }

    pub(crate) fn root_forgotten(&self, version: u32) {
        self.put(ok("log.root_forgotten").with("version", &version.to_string()));
    }

    pub(crate) fn anchor(&self, mark: &AnchorMark) {
        self.put(mark.event());
    }

    /// The directory is older than what the trail says of it.
    pub(crate) fn rolled_back(&self, reason: &str) {
        self.put(failed("log.rolled_back").with("reason", reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_is_read_back_from_its_event_and_from_no_other() {
        for digest in [None, Some("ab".to_owned())] {
            let mark = AnchorMark {
                sequence: 3,
                bytes: 512,
                digest,
            };
            assert_eq!(AnchorMark::read(&mark.event()), Some(mark));
        }
        assert_eq!(AnchorMark::read(&ok("log.failed")), None);
        assert_eq!(AnchorMark::read(&ok(AnchorMark::KIND)), None);
    }
}
