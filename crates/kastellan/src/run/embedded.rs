//! The embedded log as an upstream of the gateway.

use std::sync::Arc;

use broker::{Broker, LinkReceiver, LinkSender};
use gateway::upstream::{Inbound, Outbound, Peer, Upstream, UpstreamError};
use kastellan_core::ports::Pending;
use tokio::sync::RwLock;
use wire::frame::Frame;

/// The broker, until it is stopped.
pub struct Embedded {
    broker: RwLock<Option<Broker>>,
    creates_topics: bool,
}

impl Embedded {
    pub fn new(broker: Broker, creates_topics: bool) -> Arc<Self> {
        Arc::new(Self {
            broker: RwLock::new(Some(broker)),
            creates_topics,
        })
    }

    /// Stops the broker; links end.
    pub async fn stop(&self) -> Result<(), broker::StopError> {
        match self.broker.write().await.take() {
            Some(broker) => broker.stop().await,
            None => Ok(()),
        }
    }
}

impl Upstream for Embedded {
    fn open<'a>(
        &'a self,
        peer: Peer,
    ) -> Pending<'a, Result<(Box<dyn Outbound>, Box<dyn Inbound>), UpstreamError>> {
        Box::pin(async move {
            let broker = self.broker.read().await;
            let broker = broker.as_ref().ok_or(UpstreamError::Closed)?;
            let Peer {
                principal,
                host,
                listener,
                connection,
            } = peer;
            let link = broker.link(broker::Peer {
                principal,
                host,
                listener,
                connection,
            });
            let (sender, receiver) = link.split();
            Ok((
                Box::new(Requests(sender)) as Box<dyn Outbound>,
                Box::new(Answers(receiver)) as Box<dyn Inbound>,
            ))
        })
    }

    fn name(&self) -> String {
        "embedded log".to_owned()
    }

    fn creates_topics(&self) -> bool {
        self.creates_topics
    }

    fn has_harmless_settings(&self) -> bool {
        true
    }
}

struct Requests(LinkSender);

impl Outbound for Requests {
    fn send(&mut self, frame: Frame) -> Pending<'_, Result<(), UpstreamError>> {
        Box::pin(async move {
            self.0
                .send(frame.into_bytes())
                .await
                .map_err(|_| UpstreamError::Closed)
        })
    }
}

struct Answers(LinkReceiver);

impl Inbound for Answers {
    fn receive(&mut self) -> Pending<'_, Result<Frame, UpstreamError>> {
        Box::pin(async move { self.0.receive().await.map_err(|_| UpstreamError::Closed) })
    }
}
