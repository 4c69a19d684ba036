//! Frames that leave together.
//!
//! In: frames, one after the other. Out: few writes. Small parts are joined, large ones are written from where they lie,
//! and what is one run goes to the socket, or into TLS records, in one call.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use wire::frame::Frame;

use super::progress;
use crate::cause::Cause;

/// Parts smaller than this are copied behind one another.
const JOIN_BELOW: usize = 1 << 10;
/// Bytes that wait for each other at most.
pub(super) const RUN_MAX: usize = 256 << 10;
/// Pieces of memory for one call.
const SLICES: usize = 16;

/// Frames that wait for each other.
#[derive(Default)]
pub struct Run {
    done: VecDeque<Bytes>,
    small: BytesMut,
    len: usize,
}

impl Run {
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a frame. Writes only when much waits already.
    pub async fn put<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        frame: Frame,
        patience: Duration,
    ) -> Result<(), Cause> {
        let length = frame.length_prefix().ok_or(Cause::Internal)?;
        self.join(&length);
        for part in frame.parts {
            if part.len() < JOIN_BELOW {
                self.join(&part);
            } else {
                self.len += part.len();
                self.end_small();
                self.done.push_back(part);
            }
            if self.len >= RUN_MAX {
                self.write(stream, patience).await?;
            }
        }
        Ok(())
    }

    /// Writes what waits, and keeps no memory.
    pub async fn flush<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        patience: Duration,
    ) -> Result<(), Cause> {
        self.write(stream, patience).await?;
        *self = Self::default();
        progress(patience, stream.flush()).await
    }

    fn join(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
        self.small.extend_from_slice(bytes);
    }

    fn end_small(&mut self) {
        if !self.small.is_empty() {
            self.done.push_back(self.small.split().freeze());
        }
    }

    async fn write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        patience: Duration,
    ) -> Result<(), Cause> {
        self.end_small();
        while !self.done.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut count = 0;
            for (slice, part) in slices.iter_mut().zip(&self.done) {
                *slice = IoSlice::new(part);
                count += 1;
            }
            let slices = slices.get(..count).unwrap_or_default();
            match progress(patience, stream.write_vectored(slices)).await? {
                0 => return Err(Cause::ClientClosed),
                written => self.advance(written),
            }
        }
        Ok(())
    }

    fn advance(&mut self, mut written: usize) {
        self.len = self.len.saturating_sub(written);
        while let Some(part) = self.done.front_mut() {
            if written < part.len() {
                part.advance(written);
                return;
            }
            written -= part.len();
            self.done.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::*;

    /// Takes a few bytes at a time, and counts the calls.
    struct Narrow {
        width: usize,
        calls: usize,
        taken: Vec<u8>,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(context, &[IoSlice::new(bytes)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _context: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            self.calls += 1;
            let before = self.taken.len();
            for slice in slices {
                let room = self.width - (self.taken.len() - before);
                let count = slice.len().min(room);
                self.taken.extend_from_slice(&slice[..count]);
            }
            Poll::Ready(Ok(self.taken.len() - before))
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn frames() -> Vec<Frame> {
        let sizes: [&[usize]; 5] = [&[10, 5_000, 20], &[3], &[70_000], &[], &[300_000, 2_000, 1]];
        let part = |(at, size): (usize, &usize)| Bytes::from(vec![at as u8 + 1; *size]);
        let frame = |sizes: &&[usize]| Frame::new(sizes.iter().enumerate().map(part).collect());
        sizes.iter().map(frame).collect()
    }

    async fn written(width: usize) -> Narrow {
        let mut stream = Narrow {
            width,
            calls: 0,
            taken: Vec::new(),
        };
        let (mut run, patience) = (Run::default(), Duration::from_secs(5));
        for frame in frames() {
            run.put(&mut stream, frame, patience).await.unwrap();
        }
        run.flush(&mut stream, patience).await.unwrap();
        assert!(run.is_empty());
        stream
    }

    #[tokio::test]
    async fn bytes_leave_in_order_however_little_is_taken_at_a_time() {
        let mut expected = Vec::new();
        for frame in frames() {
            for part in frame.into_wire().unwrap() {
                expected.extend_from_slice(&part);
            }
        }
        for width in [1_000, 1_023, 65_536, usize::MAX] {
            assert_eq!(written(width).await.taken, expected, "{width}");
        }
    }

    #[tokio::test]
    async fn a_run_of_frames_is_few_writes() {
        assert_eq!(
            written(usize::MAX).await.calls,
            2,
            "above the limit, and the rest"
        );
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_ends_the_run() {
        let mut stream = Narrow {
            width: 0,
            calls: 0,
            taken: Vec::new(),
        };
        let frame = Frame::from(Bytes::from_static(b"answer"));
        let mut run = Run::default();
        let patience = Duration::from_secs(5);
        run.put(&mut stream, frame, patience).await.unwrap();
        assert_eq!(
            run.flush(&mut stream, patience).await,
            Err(Cause::ClientClosed)
        );
    }
}
