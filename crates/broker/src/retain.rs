//! Old segments go: by age, then by size. Only from the front, and never beyond the high watermark.

use std::sync::Arc;

use crate::catalog::Entry;
use crate::log::Inner;
use crate::offsets::Place;
use crate::partition::PartitionShared;
use crate::segment::Segment;
use crate::settings::{self, Settings};

/// One pass over all partitions.
pub(crate) async fn run(log: &Arc<Inner>) {
    let topics = log.catalog.topics();
    for (place, shared) in log.partitions.all() {
        let Some(topic) = topics
            .by_id(place.topic)
            .filter(|topic| topic.settings.is_deleted())
        else {
            continue;
        };
        if shared.view().is_offline {
            continue;
        }
        let age = topic.settings.number(settings::RETENTION_MS);
        if age >= 0 {
            let horizon = log.clock.now() - std::time::Duration::from_millis(age.unsigned_abs());
            log.shards.roll_old(place, horizon).await;
        }
        if let Some(start) = new_log_start(log, &shared, &topic.settings).await {
            raise_log_start(log, place, &shared, start, false).await;
        }
    }
    log.shards.expire_producers().await;
}

/// Says in the catalog where the log begins, then lets the files go.
pub(crate) async fn raise_log_start(
    log: &Arc<Inner>,
    place: Place,
    shared: &PartitionShared,
    offset: i64,
    is_request: bool,
) -> bool {
    let entry = Entry::LogStart {
        place,
        offset,
        is_request,
    };
    if log.catalog.commit(vec![entry]).await.is_err() {
        return false;
    }
    shared.raise_log_start(offset);
    log.shards.trim(place).await;
    true
}

/// Where the log begins after old files went; `None`: nothing goes.
async fn new_log_start(
    log: &Arc<Inner>,
    shared: &Arc<PartitionShared>,
    settings: &Settings,
) -> Option<i64> {
    let (age, size) = (
        settings.number(settings::RETENTION_MS),
        settings.number(settings::RETENTION_BYTES),
    );
    let now = log.clock.now().millis();
    let (inner, shared) = (log.clone(), shared.clone());
    let decide = move || {
        let segments = shared.segments();
        let mut total: u64 = segments.iter().map(|segment| segment.len()).sum();
        let mut start = None;
        for pair in segments.windows(2) {
            let [oldest, next] = pair else { break };
            if next.name.base > shared.high_watermark() {
                break;
            }
            let is_old = age >= 0 && is_older(&inner, oldest, now.saturating_sub(age));
            let is_much = size >= 0 && total - oldest.len() >= size.unsigned_abs();
            if !is_old && !is_much {
                break;
            }
            total -= oldest.len();
            start = Some(next.name.base);
        }
        // An emptied partition keeps its end: the last file stays until the next one is there.
        let only = segments
            .last()
            .filter(|last| start.is_none_or(|start| start == last.name.base));
        if let Some(last) = only
            && age >= 0
            && last
                .known_extent(|extent| extent.end > last.name.base)
                .unwrap_or(true)
            && is_older(&inner, last, now.saturating_sub(age))
        {
            start = Some(shared.high_watermark());
        }
        start.filter(|start| *start > shared.log_start())
    };
    tokio::task::spawn_blocking(decide).await.ok().flatten()
}

/// Whether everything in a file is older than a time. A file that cannot be read is not old.
fn is_older(log: &Inner, segment: &Segment, time: i64) -> bool {
    matches!(segment.max_timestamp(log.reader.files()), Ok((newest, _)) if newest < time && newest >= 0)
}
