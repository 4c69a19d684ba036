//! Room for what is large: taken in pieces, given back when the share is dropped.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::meters::{Pause, WHOLE};

/// Room of one connection, or of one principal.
pub struct Room {
    free: Arc<Semaphore>,
    all: usize,
}

/// What something holds of it.
pub type Share = Option<OwnedSemaphorePermit>;

impl Room {
    pub fn of(pieces: usize) -> Self {
        let all = pieces.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(all)),
            all,
        }
    }

    /// Waits for room. What is larger than all room takes all of it.
    pub async fn take(&self, pieces: usize, why: Pause) -> Share {
        let pieces = u32::try_from(pieces.min(self.all)).unwrap_or(u32::MAX);
        if let Ok(share) = self.free.clone().try_acquire_many_owned(pieces) {
            return Some(share);
        }
        let since = Instant::now();
        let share = self.free.clone().acquire_many_owned(pieces).await.ok();
        WHOLE.paused(why, since);
        share
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn room_is_taken_until_it_is_given_back_and_the_largest_takes_all() {
        let room = Room::of(10);
        let take = |pieces| room.take(pieces, Pause::InFlight);
        let all = take(1_000).await;
        let waits = tokio::time::timeout(Duration::from_millis(20), take(1));
        assert!(waits.await.is_err());
        drop(all);
        let (left, right) = (take(5).await, take(5).await);
        assert!(left.is_some() && right.is_some());
        let waits = tokio::time::timeout(Duration::from_millis(20), take(1));
        assert!(waits.await.is_err());
    }
}
