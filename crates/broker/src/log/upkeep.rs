//! What the log does by the clock: it looks at the free space and notes how far partitions are durable.

use std::sync::Arc;
use std::time::Duration;

use wire::error::ErrorCode;

use super::{Inner, Log};
use crate::catalog::Entry;

/// How often the trail is told where the catalog stands.
const TOLD_EVERY: Duration = Duration::from_secs(3_600);

/// Every second the free space; every so often the synced ends. Ends with the log.
pub(super) fn look_after(log: &Log) {
    let weak = Arc::downgrade(log.inner());
    let every = log
        .options()
        .retention_check
        .max(Duration::from_millis(100));
    tokio::spawn(async move {
        let (mut since, mut told) = (Duration::ZERO, Duration::ZERO);
        let tick = Duration::from_secs(1).min(every);
        loop {
            tokio::time::sleep(tick).await;
            let Some(inner) = weak.upgrade() else { return };
            inner.space.check();
            since += tick;
            if since >= every {
                since = Duration::ZERO;
                if note_synced_ends(&inner).await.is_err() {
                    tracing::warn!("Synced ends could not be noted");
                }
            }
            told += tick;
            if told >= TOLD_EVERY {
                told = Duration::ZERO;
                inner.notes.anchor(&inner.catalog.anchor_mark());
            }
        }
    });
}

/// Tells the catalog how far partitions are durable, so that missing records are noticed after a crash.
pub(super) async fn note_synced_ends(inner: &Arc<Inner>) -> Result<(), ErrorCode> {
    let entries: Vec<Entry> = inner
        .partitions
        .all()
        .into_iter()
        .filter_map(|(place, shared)| {
            let newest = shared.segments().last()?.name;
            let synced_end = shared.high_watermark();
            (synced_end > newest.base && !shared.view().is_offline).then_some(Entry::Anchor {
                place,
                base: newest.base,
                incarnation: newest.incarnation,
                synced_end,
            })
        })
        .collect();
    let entries = inner.catalog.changed_anchors(entries);
    if entries.is_empty() {
        return Ok(());
    }
    inner.catalog.commit(entries).await
}
