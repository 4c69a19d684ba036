//! The cluster side: request frames in, answer frames out, in order.
//!
//! The embedded log and a Kafka node both are an [`Upstream`]. A request reaches one only through [`send`], which takes
//! the [`Permit`] that the policy gave for it.

pub mod tcp;

use std::net::IpAddr;
use std::sync::Arc;

use kastellan_core::authorize::Permit;
use kastellan_core::ports::Pending;
use wire::frame::Frame;

/// Who the requests of a connection come from.
#[derive(Clone, Debug)]
pub struct Peer {
    pub principal: Arc<str>,
    pub host: IpAddr,
    pub listener: Arc<str>,
    pub connection: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    #[error("upstream cannot be reached: {0}")]
    Unreachable(std::io::Error),
    #[error("upstream closed the connection")]
    Closed,
    #[error("upstream sent what is no answer")]
    Protocol,
    #[error("upstream did not answer in time")]
    TimedOut,
}

/// Both halves of a way to the upstream.
pub type Opened = Result<(Box<dyn Outbound>, Box<dyn Inbound>), UpstreamError>;

/// Where requests go.
pub trait Upstream: Send + Sync {
    /// A way of one downstream connection: as a socket of its own would be.
    fn open<'a>(&'a self, peer: Peer) -> Pending<'a, Opened>;

    /// For logs and status.
    fn name(&self) -> String;

    /// Whether it makes topics that are asked for and missing.
    fn creates_topics(&self) -> bool {
        false
    }

    /// Whether no setting of its nodes reaches beyond records and groups. Those of a Kafka node name its listeners and
    /// its authorizer.
    fn has_harmless_settings(&self) -> bool {
        false
    }
}

/// Takes requests.
pub trait Outbound: Send + Sync {
    fn send(&mut self, frame: Frame) -> Pending<'_, Result<(), UpstreamError>>;
}

/// Gives answers, in the order of the requests.
pub trait Inbound: Send {
    fn receive(&mut self) -> Pending<'_, Result<Frame, UpstreamError>>;
}

/// A request whose records are as they may lie on the upstream's disks.
pub struct Sealed(Frame);

impl Sealed {
    /// No topic of this upstream is sealed by the gateway: the embedded log seals its own files.
    pub fn as_is(frame: Frame) -> Self {
        Self(frame)
    }
}

/// Sends a judged request. The permit is spent.
pub async fn send(
    outbound: &mut dyn Outbound,
    request: Sealed,
    permit: Permit,
) -> Result<(), UpstreamError> {
    drop(permit);
    outbound.send(request.0).await
}
