//! A client's byte stream, encrypted or not, and how frames go in and out of it.

mod run;

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::server::TlsStream;
use wire::frame::{self, Frame, FrameCaps, Progress};

pub use run::Run;

use crate::cause::Cause;
use crate::limits::room::{Room, Share};
use crate::meters::{Pause, WHOLE};

/// How long a refusal stands alone before the end of the connection follows it: a client that sees both at once may
/// report the end and not the refusal (kafka-python).
const LINGER: Duration = Duration::from_millis(100);
/// How long a last word may take.
const FAREWELL: Duration = Duration::from_millis(200);

pub enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A client of this process.
    Memory(DuplexStream),
}

impl Transport {
    /// A stream whose handshake is done.
    pub fn tls(mut stream: TlsStream<TcpStream>) -> Self {
        // A run of answers becomes records in one go, and records leave in one go.
        stream.get_mut().1.set_buffer_limit(Some(run::RUN_MAX));
        Self::Tls(Box::new(stream))
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
            Self::Memory(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
            Self::Memory(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(context, slices),
            Self::Memory(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
            Self::Memory(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            Self::Memory(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// How long a peer may take to send a frame.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until its first byte; `None`: as long as it likes.
    pub first_byte: Option<Duration>,
    /// From its first byte on, and a second more for each MiB.
    pub whole: Duration,
}

/// A frame comes at this many bytes a second on average, once this much time has passed.
const PACE: u64 = 16 << 10;
const PACE_FROM: Duration = Duration::from_secs(10);

impl Patience {
    /// Time since a frame's first byte at which it is given up, if no more than `arrived` bytes of `length` are there.
    fn bears(self, length: usize, arrived: usize) -> Duration {
        let whole = self.whole + Duration::from_secs((length >> 20) as u64);
        let paced = Duration::from_millis(arrived as u64 * 1_000 / PACE);
        whole.min(paced.max(PACE_FROM))
    }
}

/// A whole frame, and its share of the memory for large requests.
pub struct Received {
    pub frame: Bytes,
    pub memory: Option<Lent>,
}

/// Who lends memory for large requests: everybody's, and of it what one principal may have.
#[derive(Clone, Copy)]
pub struct Lender<'a> {
    pub all: &'a Memory,
    pub principals: &'a Room,
}

/// What was lent; given back when it is dropped.
pub struct Lent {
    _principals: Share,
    _all: OwnedSemaphorePermit,
}

/// Memory for requests above [`LARGE`], in KiB.
pub type Memory = Arc<Semaphore>;

/// Bytes that are read at a time: at least, and at most.
const CHUNK: usize = 16 << 10;
const STEP: usize = 64 << 10;
/// Bytes from which on a frame takes its share of memory before its body is read.
pub const LARGE: usize = 64 << 10;
/// How long a connection waits for its share.
const MEMORY_WAIT: Duration = Duration::from_secs(30);

impl Lender<'_> {
    /// Waits for a large request's share, first among those of its principal.
    async fn lend(self, length: usize) -> Result<Lent, Cause> {
        let lent = tokio::time::timeout(MEMORY_WAIT, async {
            Ok::<_, Cause>(Lent {
                _principals: self.of_principal(length).await,
                _all: self.of_all(length).await?,
            })
        });
        lent.await.map_err(|_| Cause::Overload)?
    }

    async fn of_principal(self, length: usize) -> Share {
        let pieces = length.div_ceil(1 << 10);
        self.principals.take(pieces, Pause::Memory).await
    }

    async fn of_all(self, length: usize) -> Result<OwnedSemaphorePermit, Cause> {
        let permits = u32::try_from(length.div_ceil(1 << 10)).map_err(|_| Cause::FrameTooLarge)?;
        if let Ok(share) = self.all.clone().try_acquire_many_owned(permits) {
            return Ok(share);
        }
        let since = tokio::time::Instant::now();
        let share = self.all.clone().acquire_many_owned(permits).await;
        WHOLE.paused(Pause::Memory, since);
        share.map_err(|_| Cause::Overload)
    }
}

/// Reads the next frame. Memory grows with bytes that arrived. `Ok(None)`: the peer closed between frames.
pub async fn read_frame<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    caps: FrameCaps,
    patience: Patience,
    lender: Option<Lender<'_>>,
) -> Result<Option<Received>, Cause> {
    let mut share = None;
    let first = match patience.first_byte {
        Some(limit) if buffer.is_empty() => {
            tokio::time::timeout(limit, first_bytes(stream, buffer))
                .await
                .map_err(|_| Cause::Idle)?
        }
        None if buffer.is_empty() => first_bytes(stream, buffer).await,
        _ => Ok(1),
    };
    if first.map_err(|_| Cause::ClientClosed)? == 0 {
        return Ok(None);
    }
    let started = tokio::time::Instant::now();
    loop {
        let progress = frame::inspect(buffer, caps)?;
        let (length, wanted) = match progress {
            Progress::Ready { .. } => {
                let frame = frame::take(buffer, caps)?;
                if frame.as_ref().is_some_and(|frame| frame.len() > CHUNK) {
                    // What came behind moves to memory of its own, or the large piece would stay with the connection.
                    *buffer = BytesMut::from(&buffer[..]);
                }
                return Ok(frame.map(|frame| Received {
                    frame,
                    memory: share,
                }));
            }
            Progress::Body { length, missing } => {
                if let Some(lender) = lender.filter(|_| length > LARGE && share.is_none()) {
                    share = Some(Box::pin(lender.lend(length)).await?);
                }
                // What is paid for is there at once, and need not be moved while it grows.
                let step = if share.is_some() { length } else { STEP };
                (length, missing.clamp(CHUNK, step))
            }
            Progress::Length | Progress::Idle => (0, CHUNK),
        };
        let limit = patience.bears(length, buffer.len());
        let read = tokio::time::timeout_at(started + limit, fill(stream, buffer, wanted))
            .await
            .map_err(|_| Cause::FrameDeadline)?;
        if read.map_err(|_| Cause::ClientClosed)? == 0 {
            return Err(Cause::ClientClosed);
        }
    }
}

/// Reads what is there, several frames if it may be. Who waits here holds no buffer: most connections do nothing else.
async fn first_bytes<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
) -> io::Result<usize> {
    *buffer = BytesMut::new();
    poll_fn(|context| {
        let mut chunk = [const { MaybeUninit::uninit() }; CHUNK];
        let mut read = ReadBuf::uninit(&mut chunk);
        let outcome = ready!(Pin::new(&mut *stream).poll_read(context, &mut read));
        buffer.extend_from_slice(read.filled());
        Poll::Ready(outcome.map(|()| read.filled().len()))
    })
    .await
}

async fn fill<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    wanted: usize,
) -> io::Result<usize> {
    buffer.reserve(wanted);
    stream.read_buf(buffer).await
}

/// Writes a frame with its length. A peer that takes nothing for `patience` is slow.
pub async fn write_frame<S: AsyncWrite + Unpin>(
    stream: &mut S,
    frame: Frame,
    patience: Duration,
) -> Result<(), Cause> {
    let mut run = Run::default();
    run.put(stream, frame, patience).await?;
    run.flush(stream, patience).await
}

/// Ends a connection. Whoever was told that the login is refused gets the time to read it; nothing is read meanwhile.
pub async fn part<S: AsyncWrite + Unpin>(stream: &mut S, cause: Cause) {
    if cause == Cause::LoginRefused {
        tokio::time::sleep(LINGER).await;
    }
    farewell(stream).await;
}

/// Says in TLS's words that nothing more comes; a peer that takes nothing is not waited for.
async fn farewell<S: AsyncWrite + Unpin>(stream: &mut S) {
    let _ = tokio::time::timeout(FAREWELL, stream.shutdown()).await;
}

async fn progress<T>(
    patience: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, Cause> {
    tokio::time::timeout(patience, work)
        .await
        .map_err(|_| Cause::SlowReader)?
        .map_err(|_| Cause::ClientClosed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_frame_is_given_up_before_its_whole_time() {
        let patience = Patience {
            first_byte: None,
            whole: Duration::from_secs(30),
        };
        let bears = |length, arrived| patience.bears(length, arrived).as_secs();
        assert_eq!(bears(1_000, 10), 10, "a byte a second is too slow");
        assert_eq!(bears(100 << 20, 20 * (16 << 10)), 20);
        assert_eq!(bears(100 << 20, 50 << 20), 130, "a second for each MiB");
        assert_eq!(bears(1 << 10, 1 << 20), 30);
    }
}
