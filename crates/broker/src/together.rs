//! Runs a few futures side by side, started in order, and gives their results in order.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

enum Slot<F: Future> {
    Running(Pin<Box<F>>),
    Done(Option<F::Output>),
}

/// Polls all futures in order, each time one of them may go on, until all have ended.
pub(crate) async fn together<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut slots: Vec<Slot<F>> = futures
        .into_iter()
        .map(|future| Slot::Running(Box::pin(future)))
        .collect();
    poll_fn(|context| {
        let mut all_done = true;
        for slot in &mut slots {
            if let Slot::Running(future) = slot {
                match future.as_mut().poll(context) {
                    Poll::Ready(output) => *slot = Slot::Done(Some(output)),
                    Poll::Pending => all_done = false,
                }
            }
        }
        if !all_done {
            return Poll::Pending;
        }
        let outputs = slots.iter_mut().filter_map(|slot| match slot {
            Slot::Done(output) => output.take(),
            Slot::Running(_) => None,
        });
        Poll::Ready(outputs.collect())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_come_in_order_whatever_ends_first() {
        let (late, wait) = tokio::sync::oneshot::channel();
        let first = async move { wait.await.unwrap_or(0) };
        let second = async move {
            let _ = late.send(1);
            2
        };
        let both: Vec<Pin<Box<dyn Future<Output = i32>>>> = vec![Box::pin(first), Box::pin(second)];
        assert_eq!(together(both).await, [1, 2]);
    }
}
