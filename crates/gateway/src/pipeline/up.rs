//! *Up*: writes answers in the order of the requests, its own and the upstream's.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::WriteHalf;
use tokio::sync::mpsc;
use wire::frame::Frame;

use super::{Asked, Entry, Expected, InFlight};
use crate::cause::Cause;
use crate::gateway::Core;
use crate::limits::heavy::{Heavy, is_heavy};
use crate::meters::{self, UpstreamConnection, WHOLE};
use crate::transport::{LARGE, Run, Transport};
use crate::upstream::Inbound;

/// Answers go out in runs: one is written when the next is not there yet.
pub(super) struct Up<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) writer: WriteHalf<Transport>,
    pub(super) waiting: Run,
    pub(super) entries: mpsc::Receiver<Entry>,
    pub(super) answers: Answers,
    pub(super) in_flight: &'a InFlight,
}

impl Up<'_> {
    /// Writes answers until none can come any more.
    pub(super) async fn run(&mut self) -> Cause {
        loop {
            match self.step().await {
                Ok(true) => {}
                Ok(false) => return Cause::ClientClosed,
                Err(cause) => return cause,
            }
        }
    }

    /// Treats the next entry; `false`: there will be none.
    async fn step(&mut self) -> Result<bool, Cause> {
        let Some(entry) = self.next_entry().await? else {
            self.flush().await?;
            return Ok(false);
        };
        // Kept until the answer is handed on: what it holds of any room is given back then.
        let (mut _share, mut _came) = (None, None);
        let answer = match entry {
            Entry::Opened(opened, connection) => {
                self.answers.inbound = Some((opened, connection));
                None
            }
            Entry::Local(frame, asked, share) => {
                _share = share;
                Some((frame, asked, Duration::ZERO))
            }
            Entry::Upstream(expected) => {
                let asked = Asked {
                    key: expected.start.api_key,
                    began: expected.began,
                };
                let (frame, came, took) = self.answer(expected).await?;
                _came = came;
                Some((frame, asked, took))
            }
        };
        if let Some((frame, asked, upstream)) = answer {
            let bytes = frame.len();
            let patience = self.core.deadlines().write;
            self.waiting.put(&mut self.writer, frame, patience).await?;
            meters::of(asked.key).answered(asked.began, upstream, bytes);
        }
        self.in_flight.done();
        Ok(true)
    }

    async fn next_entry(&mut self) -> Result<Option<Entry>, Cause> {
        if let Ok(entry) = self.entries.try_recv() {
            return Ok(Some(entry));
        }
        self.flush().await?;
        loop {
            tokio::select! {
                biased;
                entry = self.entries.recv() => return Ok(entry),
                // Keeps requests without an answer going, and notices an upstream that closes.
                early = self.answers.early() => early?,
            }
        }
    }

    async fn answer(&mut self, expected: Expected) -> Result<Answered, Cause> {
        let next = self.answers.next(&self.core.heavy, expected);
        tokio::pin!(next);
        tokio::select! {
            biased;
            answer = &mut next => answer,
            // Nobody waits for answers that are ready already.
            () = std::future::ready(()), if !self.waiting.is_empty() => {
                self.waiting.flush(&mut self.writer, self.core.deadlines().write).await?;
                next.await
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Cause> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let patience = self.core.deadlines().write;
        self.waiting.flush(&mut self.writer, patience).await
    }
}

/// An answer for the client, the one that came if it is large, and how long the upstream took for it.
type Answered = (Frame, Option<Frame>, Duration);

/// Answers of the upstream, in the order of the requests.
#[derive(Default)]
pub(super) struct Answers {
    inbound: Option<(Box<dyn Inbound>, UpstreamConnection)>,
    /// Came before its entry was looked at.
    stashed: Option<Frame>,
}

impl Answers {
    async fn receive(&mut self) -> Result<Frame, Cause> {
        if let Some(frame) = self.stashed.take() {
            return Ok(frame);
        }
        let (inbound, _) = self.inbound.as_mut().ok_or(Cause::Internal)?;
        inbound.receive().await.map_err(|error| {
            tracing::debug!(%error, "Upstream connection ended");
            Cause::UpstreamClosed
        })
    }

    /// Lets the upstream go on while no answer is due. Never ends while one answer is kept already.
    async fn early(&mut self) -> Result<(), Cause> {
        if self.inbound.is_none() || self.stashed.is_some() {
            return std::future::pending().await;
        }
        self.stashed = Some(self.receive().await?);
        Ok(())
    }

    async fn next(&mut self, heavy: &Heavy, expected: Expected) -> Result<Answered, Cause> {
        let Expected {
            plan, start, since, ..
        } = expected;
        let reply = tokio::time::timeout(plan.deadline(), self.receive())
            .await
            .map_err(|_| Cause::UpstreamTimeout)??;
        let took = since.elapsed();
        WHOLE.upstream_seconds.record(took);
        if reply.correlation_id() != Some(start.correlation_id) {
            tracing::error!("Upstream answered another request");
            return Err(Cause::UpstreamProtocol);
        }
        let bytes = reply.len();
        let came = (bytes > LARGE).then(|| reply.clone());
        let finished = match is_heavy(start.api_key, bytes) {
            true => heavy.work(Box::pin(plan.finish(reply))).await,
            false => plan.finish(reply).await,
        };
        Ok((finished?, came, took))
    }
}

#[cfg(test)]
mod tests {
    use kastellan_core::ports::Pending;
    use tokio::time::Instant;
    use wire::header::RequestStart;

    use super::*;
    use crate::apis::Plan;
    use crate::upstream::UpstreamError;

    /// Answers once.
    struct Once(Option<Frame>);

    impl Inbound for Once {
        fn receive(&mut self) -> Pending<'_, Result<Frame, UpstreamError>> {
            Box::pin(async {
                match self.0.take() {
                    Some(frame) => Ok(frame),
                    None => std::future::pending().await,
                }
            })
        }
    }

    fn expected() -> Expected {
        let start = RequestStart {
            api_key: 12,
            api_version: 0,
            correlation_id: 7,
        };
        Expected {
            plan: Plan::pass(Duration::from_millis(50)),
            start,
            began: Instant::now(),
            since: Instant::now(),
            _share: None,
            _own_share: None,
        }
    }

    #[tokio::test]
    async fn upstream_that_does_not_answer_in_time_ends_the_connection() {
        let once = Once(Some(Frame::from(bytes::Bytes::from_static(&[0, 0, 0, 7]))));
        let mut answers = Answers {
            inbound: Some((Box::new(once), UpstreamConnection::opened())),
            stashed: None,
        };
        let heavy = Heavy::default();
        assert!(answers.next(&heavy, expected()).await.is_ok());
        let late = answers.next(&heavy, expected()).await;
        assert_eq!(late.err(), Some(Cause::UpstreamTimeout));
    }
}
