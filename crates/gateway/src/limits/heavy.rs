//! Requests and answers of very many elements: few at a time, and off the threads that serve everybody.
//!
//! In: work on a message, and how long the message is. Out: what the work gives. A message of 16 MiB may hold a million
//! names; judging them takes a second of CPU without a pause. Whoever sends many of those waits for himself. Records are
//! not looked into, so Produce and Fetch are never heavy.

use std::future::poll_fn;
use std::pin::Pin;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

/// Bytes from which on a message that carries no records is heavy.
const HEAVY: usize = 128 << 10;
const PRODUCE: i16 = 0;
const FETCH: i16 = 1;

/// The turns of heavy messages.
pub struct Heavy(Semaphore);

impl Default for Heavy {
    /// Half of the processors stay with everybody else.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with_turns((processors / 2).max(1))
    }
}

impl Heavy {
    fn with_turns(turns: usize) -> Self {
        Self(Semaphore::new(turns))
    }

    /// Does the work on a heavy message in turn. Behind a pointer: every connection has room for what it may await.
    pub async fn work<F: Future>(&self, mut work: Pin<Box<F>>) -> F::Output {
        // The turn is never closed; without one it would be done all the same.
        let _turn = self.0.acquire().await.ok();
        poll_fn(|context| aside(|| work.as_mut().poll(context))).await
    }
}

/// Whether a message of so many bytes is heavy.
pub fn is_heavy(key: i16, bytes: usize) -> bool {
    bytes >= HEAVY && !matches!(key, PRODUCE | FETCH)
}

/// Where there are several threads, another one takes over what this one would have served meanwhile.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    static AT_WORK: AtomicUsize = AtomicUsize::new(0);

    async fn alone() -> usize {
        let before = AT_WORK.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        AT_WORK.fetch_sub(1, Ordering::SeqCst);
        before
    }

    #[tokio::test]
    async fn heavy_messages_wait_for_each_other_and_others_do_not() {
        let heavy = Heavy::with_turns(1);
        let work = || heavy.work(Box::pin(alone()));
        assert_eq!(tokio::join!(work(), work(), work()), (0, 0, 0));
        assert_eq!(tokio::join!(alone(), alone()), (0, 1));
    }

    #[test]
    fn many_elements_are_heavy_and_records_are_not() {
        assert!(is_heavy(3, HEAVY));
        assert!(!is_heavy(3, HEAVY - 1));
        assert!(!is_heavy(PRODUCE, 100 << 20) && !is_heavy(FETCH, 100 << 20));
    }

    /// The only worker thread is busy; somebody else takes what waits for it.
    #[test]
    fn heavy_work_does_not_hold_up_the_thread_it_began_on() {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).build().unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let busy = runtime.spawn(async move {
            let heavy = Heavy::default();
            // Ends when another task has run meanwhile.
            let work = async move { receiver.recv_timeout(std::time::Duration::from_secs(60)) };
            heavy.work(Box::pin(work)).await
        });
        runtime.spawn(async move { sender.send(()) });
        assert_eq!(runtime.block_on(busy).unwrap(), Ok(()));
    }
}
