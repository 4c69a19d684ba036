//! A session that proves itself again, between two requests (KIP-368).
//!
//! The handshake's answer takes its place behind the answers that are due; what a client sends behind it is read as the
//! conversation and as nothing else.

use std::time::Duration;

use bytes::Bytes;
use kastellan_core::principal::Proof;
use wire::frame::Frame;
use wire::header::RequestStart;

use super::Asked;
use super::down::Down;
use crate::apis::Context;
use crate::cause::Cause;
use crate::login::{self, Line, Turn};
use crate::session::Session;
use crate::transport::read_frame;

const HANDSHAKE: i16 = 17;
/// Between the starts of two (`KafkaChannel.MIN_REAUTH_INTERVAL_ONE_SECOND_NANOS`).
const APART: Duration = Duration::from_secs(1);

impl Down<'_> {
    /// Whether a request begins another proof. If not, it is a request like any other.
    pub(super) fn may_renew(&mut self, session: &Session, start: RequestStart) -> bool {
        let is_timed = matches!(session.principal.proof(), Proof::Credential { .. })
            && self.until.borrow().is_some();
        if start.api_key != HANDSHAKE || !is_timed {
            return false;
        }
        let now = self.core.ports.clock.monotonic();
        if self
            .renewed
            .is_some_and(|at| now.saturating_sub(at) < APART)
        {
            return false;
        }
        self.renewed = Some(now);
        true
    }

    /// Whether the session is past its end.
    pub(super) fn is_over(&self) -> bool {
        let until = *self.until.borrow();
        until.is_some_and(|until| until <= self.core.ports.clock.now())
    }

    /// The whole conversation. The session goes on with what was proven, or ends.
    pub(super) async fn renew(
        &mut self,
        context: &mut Context,
        handshake: Bytes,
    ) -> Result<(), Cause> {
        let core = self.core.clone();
        let principal = login::log_in_again(&core, context.session(), self, handshake).await?;
        self.until.send_replace(principal.until());
        context.renew(principal);
        Ok(())
    }
}

impl Line for Down<'_> {
    async fn read(&mut self, turn: Turn) -> Result<Bytes, Cause> {
        let patience = login::patience(&self.core.deadlines(), turn);
        let caps = login::caps(&self.core.limits());
        let received = read_frame(&mut self.reader, &mut self.buffer, caps, patience, None);
        let received = tokio::select! {
            biased;
            _ = self.draining.wait_for(|draining| *draining) => return Err(Cause::Draining),
            received = received => received,
        };
        let received = received.map_err(login::in_login)?;
        received
            .map(|received| received.frame)
            .ok_or(Cause::ClientClosed)
    }

    async fn write(&mut self, frame: Frame) -> Result<(), Cause> {
        self.answer(frame, Asked::now(HANDSHAKE)).await
    }
}
