//! The one fact that ends all promises: a sync failed.
//!
//! After a failed fsync the kernel may have marked pages clean that never reached the disk, so nothing is retried:
//! the log stays failed until a restart, whose recovery rewrites what was not proven durable.

use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use crate::notes::Notes;

#[derive(Default)]
pub(crate) struct Failure {
    reason: OnceLock<String>,
    notify: Notify,
    notes: Arc<Notes>,
}

impl Failure {
    pub(crate) fn new(notes: Arc<Notes>) -> Self {
        Self {
            notes,
            ..Self::default()
        }
    }

    pub(crate) fn set(&self, reason: String) {
        if self.reason.set(reason.clone()).is_ok() {
            tracing::error!(error = %reason, "Log failed: it answers KAFKA_STORAGE_ERROR until a restart");
            metrics::gauge!("log_failed").set(1.0);
            self.notes.log_failed(&reason);
            self.notify.notify_waiters();
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.reason.get().is_some()
    }

    pub(crate) async fn wait(&self) -> String {
        loop {
            let notified = self.notify.notified();
            if let Some(reason) = self.reason.get() {
                return reason.clone();
            }
            notified.await;
        }
    }
}
