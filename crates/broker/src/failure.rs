//! The one fact that ends all promises: a sync failed.
//!
//! After a failed fsync the kernel may have marked pages clean that never reached the disk, so nothing is retried:
//! the log stays failed until a restart, whose recovery rewrites what was not proven durable.

use std::sync::OnceLock;

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(crate) struct Failure {
    reason: OnceLock<String>,
    notify: Notify,
}

impl Failure {
    pub(crate) fn set(&self, reason: String) {
        if self.reason.set(reason.clone()).is_ok() {
            tracing::error!(error = %reason, "Log failed: it answers KAFKA_STORAGE_ERROR until a restart");
            metrics::gauge!("log_failed").set(1.0);
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
