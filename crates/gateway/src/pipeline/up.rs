//! *Up*: writes answers in the order of the requests, its own and the upstream's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::WriteHalf;
use tokio::sync::mpsc;
use wire::frame::Frame;

use super::{Entry, Expected};
use crate::cause::Cause;
use crate::gateway::Core;
use crate::transport::{Run, Transport};
use crate::upstream::Inbound;

/// Answers go out in runs: one is written when the next is not there yet.
pub(super) struct Up<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) writer: WriteHalf<Transport>,
    pub(super) waiting: Run,
    pub(super) entries: mpsc::Receiver<Entry>,
    pub(super) answers: Answers,
    pub(super) in_flight: &'a AtomicUsize,
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
            Entry::Opened(opened) => {
                self.answers.inbound = Some(opened);
                None
            }
            Entry::Local(frame) => Some(frame),
            Entry::Upstream(expected) => Some(self.answer(expected).await?),
        };
        if let Some(frame) = answer {
            metrics::counter!("gateway_response_bytes_total").increment(frame.len() as u64);
            let patience = self.core.deadlines().write;
            self.waiting.put(&mut self.writer, frame, patience).await?;
        }
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
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

    async fn answer(&mut self, expected: Expected) -> Result<Frame, Cause> {
        let api = wire::api::name(expected.start.api_key);
        let since = expected.since;
        let next = self.answers.next(expected);
        tokio::pin!(next);
        let answer = tokio::select! {
            biased;
            answer = &mut next => answer,
            // Nobody waits for answers that are ready already.
            () = std::future::ready(()), if !self.waiting.is_empty() => {
                self.waiting.flush(&mut self.writer, self.core.deadlines().write).await?;
                next.await
            }
        };
        metrics::histogram!("gateway_request_seconds", "api" => api).record(since.elapsed());
        answer
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
    inbound: Option<Box<dyn Inbound>>,
    /// Came before its entry was looked at.
    stashed: Option<Frame>,
}

impl Answers {
    async fn receive(&mut self) -> Result<Frame, Cause> {
        if let Some(frame) = self.stashed.take() {
            return Ok(frame);
        }
        let inbound = self.inbound.as_mut().ok_or(Cause::Internal)?;
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

    async fn next(&mut self, expected: Expected) -> Result<Frame, Cause> {
        let Expected { plan, start, .. } = expected;
        let reply = tokio::time::timeout(plan.deadline(), self.receive())
            .await
            .map_err(|_| Cause::UpstreamTimeout)??;
        if reply.correlation_id() != Some(start.correlation_id) {
            tracing::error!("Upstream answered another request");
            return Err(Cause::UpstreamProtocol);
        }
        plan.finish(reply).await
    }
}
