//! What a broker is started with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kastellan_core::ports::TrailSink;
use wire::text::Str;

use crate::groups;
use crate::log::LogOptions;

/// Bounds of memory in use, and what clients see of this broker.
#[derive(Clone, Debug)]
pub struct Options {
    /// Host and port that Metadata and FindCoordinator name. A gateway in front rewrites them.
    pub advertised: (Str, u16),
    /// Topics that clients ask for are made.
    pub auto_create_topics: bool,
    /// Partitions of a topic whose creator gives no number.
    pub partitions: i32,
    /// Topics may be deleted.
    pub delete_topics: bool,
    /// Bytes of all requests at work.
    pub request_bytes: usize,
    /// Bytes of all fetch answers that are being read.
    pub fetch_bytes: usize,
    /// Bytes of one fetch answer.
    pub fetch_max: usize,
    /// How often expired offsets are looked for.
    pub offsets_sweep: Duration,
    pub groups: groups::Limits,
    pub log: LogOptions,
}

/// Takes the broker's trail events.
#[derive(Clone)]
pub struct Trail(pub Arc<dyn TrailSink>);

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trail(..)")
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            advertised: (Str::from_static("localhost"), 9092),
            auto_create_topics: false,
            partitions: 1,
            delete_topics: true,
            request_bytes: 128 << 20,
            fetch_bytes: 128 << 20,
            fetch_max: 16 << 20,
            offsets_sweep: Duration::from_secs(600),
            groups: groups::Limits::default(),
            log: LogOptions::default(),
        }
    }
}
