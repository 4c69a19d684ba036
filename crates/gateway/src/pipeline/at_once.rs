//! Runs a future whose parts wake one another, without going round by the runtime.
//!
//! The halves of a connection are one task: when one hands something to the other, the task wakes itself. For the runtime
//! that is a task to be queued again, and often a reason to wake another thread that could take it. Here such a future is
//! polled again at once. Whatever wakes it from outside, at whatever moment, is not lost.

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Times that a future is polled in a row before others get their turn.
const ROW: usize = 8;

/// Bit of the state: it is being polled.
const POLLED: u8 = 1;
/// Bit of the state: it was woken, since its last poll began or since it rests.
const WOKEN: u8 = 2;

struct Own {
    /// Both sides read and write it in one step: whoever wakes either sees that it is being polled, or is seen by the poll
    /// that begins after, with all that it did before.
    state: AtomicU8,
    /// Of the task around it, as of its last poll.
    task: Mutex<Waker>,
}

impl Own {
    fn wake_task(&self) {
        let task = self.task.lock().expect("nobody panics while holding it");
        task.wake_by_ref();
    }

    /// Notes whose task this is.
    fn belongs_to(&self, waker: &Waker) {
        let mut task = self.task.lock().expect("nobody panics while holding it");
        if !task.will_wake(waker) {
            task.clone_from(waker);
        }
    }
}

impl Wake for Own {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(WOKEN, Ordering::AcqRel) == 0 {
            self.wake_task();
        }
    }
}

/// Runs a future to its end.
pub(super) async fn at_once<F: Future>(mut future: Pin<&mut F>) -> F::Output {
    let own = Arc::new(Own {
        state: AtomicU8::new(0),
        task: Mutex::new(Waker::noop().clone()),
    });
    let waker = Waker::from(own.clone());
    std::future::poll_fn(|context| {
        own.belongs_to(context.waker());
        poll_row(&own, &waker, future.as_mut())
    })
    .await
}

fn poll_row<F: Future>(own: &Own, waker: &Waker, mut future: Pin<&mut F>) -> Poll<F::Output> {
    for _ in 0..ROW {
        // Whatever came until here is seen by this poll.
        own.state.swap(POLLED, Ordering::AcqRel);
        let polled = future.as_mut().poll(&mut Context::from_waker(waker));
        let rests = own
            .state
            .compare_exchange(POLLED, 0, Ordering::AcqRel, Ordering::Acquire);
        if polled.is_ready() || rests.is_ok() {
            return polled;
        }
    }
    // Others get their turn. From here on a wake-up reaches the task by itself; this one does too.
    own.state.swap(0, Ordering::AcqRel);
    own.wake_task();
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::*;

    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll_once<F: Future>(future: Pin<&mut F>) -> (Poll<F::Output>, Arc<Counted>) {
        let counted = Arc::new(Counted::default());
        let waker = Waker::from(counted.clone());
        (future.poll(&mut Context::from_waker(&waker)), counted)
    }

    #[test]
    fn future_that_wakes_itself_goes_on_without_the_runtime() {
        let polls = Cell::new(0);
        let restless = pin!(poll_fn(|context| {
            polls.set(polls.get() + 1);
            context.waker().wake_by_ref();
            if polls.get() == 3 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }));
        let future = pin!(at_once(restless));
        let (polled, woken) = poll_once(future);
        assert!(polled.is_ready());
        assert_eq!(polls.get(), 3);
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn future_that_never_rests_gives_others_their_turn_and_is_woken_again() {
        let polls = Cell::new(0);
        let restless = pin!(poll_fn(|context| {
            polls.set(polls.get() + 1);
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
        let future = pin!(at_once(restless));
        let (polled, woken) = poll_once(future);
        assert!(polled.is_pending());
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert_eq!(polls.get(), ROW);
    }

    #[test]
    fn wake_up_from_outside_reaches_the_task_it_is_in_now() {
        let kept = Cell::new(None);
        let resting = pin!(poll_fn(|context| {
            kept.set(Some(context.waker().clone()));
            Poll::<()>::Pending
        }));
        let mut future = pin!(at_once(resting));
        let (_, first) = poll_once(future.as_mut());
        let (_, second) = poll_once(future.as_mut());
        kept.take().expect("it was polled").wake();
        let count = |counted: &Counted| counted.0.load(Ordering::Relaxed);
        assert_eq!((count(&first), count(&second)), (0, 1));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_up_is_lost_between_threads() {
        let (to, mut from) = tokio::sync::mpsc::channel(1);
        let (back, mut answers) = tokio::sync::mpsc::channel(1);
        let echo = tokio::spawn(async move {
            let echoing = async move {
                while let Some(number) = from.recv().await {
                    if back.send(number).await.is_err() {
                        return;
                    }
                }
            };
            at_once(pin!(echoing)).await;
        });
        for number in 0..20_000_u32 {
            to.send(number).await.unwrap();
            let answer = tokio::time::timeout(Duration::from_secs(60), answers.recv());
            assert_eq!(answer.await, Ok(Some(number)));
        }
        drop(to);
        echo.await.unwrap();
    }
}
