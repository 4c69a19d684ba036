//! *Up*: writes answers in the order of the requests, its own and the upstream's.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::WriteHalf;
use tokio::sync::mpsc;
use wire::frame::Frame;

use super::{Asked, Entry, Expected, InFlight};
use crate::cause::Cause;
use crate::gateway::Core;
use crate::meters::{self, UpstreamConnection, WHOLE};
use crate::transport::{Run, Transport};
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
        let answer = match entry {
            Entry::Opened(opened, connection) => {
                self.answers.inbound = Some((opened, connection));
                None
            }
            Entry::Local(frame, asked) => Some((frame, asked, Duration::ZERO)),
            Entry::Upstream(expected) => {
                let asked = Asked {
                    key: expected.start.api_key,
                    began: expected.began,
                };
                let (frame, took) = self.answer(expected).await?;
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

    /// An answer, and how long the upstream took for it.
    async fn answer(&mut self, expected: Expected) -> Result<(Frame, Duration), Cause> {
        let next = self.answers.next(expected);
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

    async fn next(&mut self, expected: Expected) -> Result<(Frame, Duration), Cause> {
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
        Ok((plan.finish(reply).await?, took))
    }
}
