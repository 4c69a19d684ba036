//! What a SASL dialogue talks over: a connection that is new, or a session that proves itself again.

use bytes::{Bytes, BytesMut};
use wire::frame::{Frame, FrameCaps};

use crate::cause::Cause;
use crate::config::{Deadlines, Limits};
use crate::gateway::Core;
use crate::transport::{Patience, Transport, read_frame, write_frame};

/// Frames in and out, one at a time.
pub trait Line: Send {
    /// The next frame. Nothing behind it is looked at.
    fn read(&mut self, turn: Turn) -> impl Future<Output = Result<Bytes, Cause>> + Send;

    /// Writes an answer, behind every answer that is due before it.
    fn write(&mut self, frame: Frame) -> impl Future<Output = Result<(), Cause>> + Send;
}

/// Whether a client has said anything yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    First,
    Later,
}

/// Sizes of frames while nobody is proven.
pub fn caps(limits: &Limits) -> FrameCaps {
    FrameCaps {
        greeting: FrameCaps::BEFORE_LOGIN
            .greeting
            .min(limits.frame_max_before_login),
        ..FrameCaps::same(limits.frame_max_before_login)
    }
}

/// Time for one message.
pub fn patience(deadlines: &Deadlines, turn: Turn) -> Patience {
    Patience {
        first_byte: Some(match turn {
            Turn::First => deadlines.first_byte,
            Turn::Later => deadlines.sasl_round,
        }),
        whole: deadlines.sasl_round,
    }
}

/// A login that takes too long is given up, whatever it waits for.
pub fn in_login(cause: Cause) -> Cause {
    match cause {
        Cause::Idle | Cause::FrameDeadline => Cause::LoginDeadline,
        other => other,
    }
}

/// A connection that nobody else uses yet.
pub struct Fresh<'a> {
    pub core: &'a Core,
    pub transport: &'a mut Transport,
    pub buffer: &'a mut BytesMut,
}

impl Line for Fresh<'_> {
    async fn read(&mut self, turn: Turn) -> Result<Bytes, Cause> {
        let patience = patience(&self.core.deadlines(), turn);
        let caps = caps(&self.core.limits());
        let received = read_frame(self.transport, self.buffer, caps, patience, None)
            .await
            .map_err(in_login)?;
        received
            .map(|received| received.frame)
            .ok_or(Cause::ClientClosed)
    }

    async fn write(&mut self, frame: Frame) -> Result<(), Cause> {
        write_frame(self.transport, frame, self.core.deadlines().write).await
    }
}
