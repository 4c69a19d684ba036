//! One Apache Kafka node, reached in clear text. For loopback; TLS and logins to a cluster come later.

use std::time::Duration;

use bytes::BytesMut;
use kastellan_core::ports::Pending;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use wire::frame::{self, Frame};

use crate::cause::Cause;
use crate::transport::write_frame;

use super::{Inbound, Opened, Outbound, Peer, Upstream, UpstreamError};

const CONNECT: Duration = Duration::from_secs(5);
const WRITE: Duration = Duration::from_secs(30);

/// A node by its address.
pub struct TcpUpstream {
    address: String,
    answer_max: usize,
}

impl TcpUpstream {
    /// `host:port`, and the largest answer in bytes.
    pub fn new(address: String, answer_max: usize) -> Self {
        Self {
            address,
            answer_max,
        }
    }
}

impl Upstream for TcpUpstream {
    fn open<'a>(&'a self, _peer: Peer) -> Pending<'a, Opened> {
        Box::pin(async move {
            let stream = tokio::time::timeout(CONNECT, TcpStream::connect(&self.address))
                .await
                .map_err(|_| UpstreamError::TimedOut)?
                .map_err(UpstreamError::Unreachable)?;
            let _ = stream.set_nodelay(true);
            let (reader, writer) = stream.into_split();
            let inbound = TcpInbound {
                reader,
                buffer: BytesMut::new(),
                answer_max: self.answer_max,
            };
            Ok((
                Box::new(TcpOutbound(writer)) as Box<dyn Outbound>,
                Box::new(inbound) as Box<dyn Inbound>,
            ))
        })
    }

    fn name(&self) -> String {
        self.address.clone()
    }
}

struct TcpOutbound(OwnedWriteHalf);

impl Outbound for TcpOutbound {
    fn send(&mut self, frame: Frame) -> Pending<'_, Result<(), UpstreamError>> {
        Box::pin(async move {
            let written = write_frame(&mut self.0, frame, WRITE).await;
            written.map_err(|cause| match cause {
                Cause::SlowReader => UpstreamError::TimedOut,
                Cause::ClientClosed => UpstreamError::Closed,
                _ => UpstreamError::Protocol,
            })
        })
    }
}

struct TcpInbound {
    reader: OwnedReadHalf,
    buffer: BytesMut,
    answer_max: usize,
}

impl Inbound for TcpInbound {
    fn receive(&mut self) -> Pending<'_, Result<Frame, UpstreamError>> {
        Box::pin(async move {
            loop {
                let taken = frame::take_response(&mut self.buffer, self.answer_max);
                if let Some(bytes) = taken.map_err(|_| UpstreamError::Protocol)? {
                    return Ok(Frame::from(bytes));
                }
                // Little while nothing is there: most connections wait.
                let room = if self.buffer.is_empty() {
                    4 << 10
                } else {
                    64 << 10
                };
                self.buffer.reserve(room);
                match self.reader.read_buf(&mut self.buffer).await {
                    Ok(0) | Err(_) => return Err(UpstreamError::Closed),
                    Ok(_) => {}
                }
            }
        })
    }
}
