//! Who waits for a partition to change: woken once, then forgotten.

use std::sync::{Arc, Mutex, Weak};

use tokio::sync::Notify;

/// One long poll. It may wait for many partitions at once.
#[derive(Debug, Default)]
pub struct Waiter {
    notify: Notify,
}

impl Waiter {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Ends at the first change since the last call, also if it came before this call.
    pub async fn woken(&self) {
        self.notify.notified().await;
    }
}

/// The waiters of one partition.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<Vec<Weak<Waiter>>>);

impl Waiters {
    pub(crate) fn add(&self, waiter: &Arc<Waiter>) {
        let mut list = self.0.lock().expect("nobody panics while holding it");
        if list.len() >= 64 && list.len().is_power_of_two() {
            list.retain(|one| one.strong_count() > 0);
        }
        list.push(Arc::downgrade(waiter));
    }

    pub(crate) fn wake(&self) {
        let list = std::mem::take(&mut *self.0.lock().expect("nobody panics while holding it"));
        for waiter in list.iter().filter_map(Weak::upgrade) {
            waiter.notify.notify_one();
        }
    }
}
