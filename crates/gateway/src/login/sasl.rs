//! SASL over Kafka's frames: ApiVersions at most once, SaslHandshake, then SaslAuthenticate until proven or refused.
//!
//! Only keys 17, 18 and 36 are decoded here. Requests that a client sends early stay unread. Every refusal is written a
//! fixed time after the proof arrived, whatever failed first (`SaslServerAuthenticator`, `Selector`).

use bytes::{Bytes, BytesMut};
use kastellan_core::principal::Principal;
use wire::Message;
use wire::codec::Reader;
use wire::error::ErrorCode;
use wire::frame::{Frame, FrameCaps};
use wire::header::{RequestHeader, RequestStart, encode_response};
use wire::message::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use wire::sasl::Mechanism;

use super::{Knock, refused};
use crate::apiversions;
use crate::cause::Cause;
use crate::limits::throttle::HALF;
use crate::session::Software;
use crate::transport::{Patience, Transport, read_frame, write_frame};

const HANDSHAKE: i16 = 17;
const AUTHENTICATE: i16 = 36;
/// Why a right proof was refused.
pub(super) const GUARDED: &str = "guarded_account";
/// Longest PLAIN or SCRAM message, in bytes.
const TOKEN_MAX: usize = 4 << 10;

pub(super) struct Dialogue<'a, 'k> {
    pub(super) knock: &'a Knock<'k>,
    transport: &'a mut Transport,
    buffer: &'a mut BytesMut,
    software: Software,
}

/// Why a proof was refused: for the log and the trail. The peer is told one text.
pub(super) struct Wrong {
    pub(super) user: Option<String>,
    pub(super) error: String,
    pub(super) why: &'static str,
}

/// Runs the dialogue to its end.
pub async fn log_in(
    knock: &Knock<'_>,
    offered: &[Mechanism],
    transport: &mut Transport,
    buffer: &mut BytesMut,
) -> Result<(Principal, Software), Cause> {
    let mut dialogue = Dialogue {
        knock,
        transport,
        buffer,
        software: Software::default(),
    };
    let mechanism = dialogue.choose(offered).await?;
    let proven = match mechanism {
        Mechanism::Scram(scram) => dialogue.scram(scram).await,
        _ => dialogue.plain().await,
    };
    if let Err(cause) = proven
        && cause != Cause::LoginRefused
        && cause != Cause::Overload
    {
        // Broken off before the proof: half a failure of the source.
        let core = knock.core;
        let now = core.ports.clock.monotonic();
        core.throttle
            .failed(knock.peer.ip(), None, HALF, std::time::Duration::ZERO, now);
    }
    Ok((proven?, dialogue.software))
}

impl Dialogue<'_, '_> {
    async fn read(&mut self, first: bool) -> Result<Bytes, Cause> {
        let deadlines = self.knock.core.deadlines();
        let limits = self.knock.core.limits();
        let caps = FrameCaps {
            greeting: FrameCaps::BEFORE_LOGIN
                .greeting
                .min(limits.frame_max_before_login),
            ..FrameCaps::same(limits.frame_max_before_login)
        };
        let wait = if first {
            deadlines.first_byte
        } else {
            deadlines.sasl_round
        };
        let patience = Patience {
            first_byte: Some(wait),
            whole: deadlines.sasl_round,
        };
        let received = read_frame(self.transport, self.buffer, caps, patience, None)
            .await
            .map_err(|cause| match cause {
                Cause::Idle | Cause::FrameDeadline => Cause::LoginDeadline,
                other => other,
            })?;
        received
            .map(|received| received.frame)
            .ok_or(Cause::ClientClosed)
    }

    async fn write(&mut self, frame: Frame) -> Result<(), Cause> {
        write_frame(self.transport, frame, self.knock.core.deadlines().write).await
    }

    /// ApiVersions if the client wants it, then the mechanism.
    async fn choose(&mut self, offered: &[Mechanism]) -> Result<Mechanism, Cause> {
        let mut may_ask = true;
        let mut first = true;
        loop {
            let frame = self.read(first).await?;
            first = false;
            let start = RequestStart::peek(&frame).ok_or(Cause::Malformed)?;
            match start.api_key {
                apiversions::KEY if may_ask => {
                    let answered = apiversions::answer(&frame, &self.knock.core.topology.ranges())?;
                    may_ask = answered.is_too_new;
                    self.software = answered.software;
                    self.write(answered.frame).await?;
                }
                HANDSHAKE => return self.handshake(frame, offered).await,
                _ => return Err(Cause::HiddenApi),
            }
        }
    }

    async fn handshake(&mut self, frame: Bytes, offered: &[Mechanism]) -> Result<Mechanism, Cause> {
        let mut reader = Reader::new(frame);
        let header = RequestHeader::read(&mut reader)?;
        // Version 0 goes on with tokens that have no header around them.
        if header.api_version != 1 {
            return Err(Cause::UnsupportedVersion);
        }
        let request = SaslHandshakeRequest::decode(&mut reader, header.api_version)?;
        let chosen = offered
            .iter()
            .find(|mechanism| mechanism.name() == &*request.mechanism)
            .copied();
        let response = SaslHandshakeResponse {
            error_code: if chosen.is_some() {
                0
            } else {
                ErrorCode::UNSUPPORTED_SASL_MECHANISM.code()
            },
            mechanisms: offered
                .iter()
                .map(|mechanism| mechanism.name().into())
                .collect(),
            ..Default::default()
        };
        let answer = encode_response(
            HANDSHAKE,
            header.api_version,
            header.correlation_id,
            &response,
        )
        .map_err(|_| Cause::Internal)?;
        let Some(mechanism) = chosen else {
            tokio::time::sleep(self.knock.core.deadlines().failed_login_delay).await;
            self.write(answer).await?;
            let error = format!("mechanism {:?} is not offered", &*request.mechanism);
            return Err(refused(self.knock, None, "SASL", &error, "mechanism_not_enabled").await);
        };
        self.write(answer).await?;
        Ok(mechanism)
    }

    /// The next token, with the header it came in.
    pub(super) async fn token(&mut self) -> Result<(RequestHeader, Bytes), Cause> {
        let frame = self.read(false).await?;
        let start = RequestStart::peek(&frame).ok_or(Cause::Malformed)?;
        if start.api_key != AUTHENTICATE {
            return Err(Cause::HiddenApi);
        }
        let mut reader = Reader::stripping(frame);
        let header = RequestHeader::read(&mut reader)?;
        let request = SaslAuthenticateRequest::decode(&mut reader, header.api_version)?;
        if request.auth_bytes.len() > TOKEN_MAX {
            return Err(Cause::FrameTooLarge);
        }
        Ok((header, request.auth_bytes))
    }

    pub(super) async fn answer(
        &mut self,
        header: &RequestHeader,
        token: Vec<u8>,
    ) -> Result<(), Cause> {
        let response = SaslAuthenticateResponse {
            auth_bytes: token.into(),
            ..Default::default()
        };
        self.send(header, &response).await
    }

    async fn send(
        &mut self,
        header: &RequestHeader,
        response: &SaslAuthenticateResponse,
    ) -> Result<(), Cause> {
        let frame = encode_response(
            AUTHENTICATE,
            header.api_version,
            header.correlation_id,
            response,
        )
        .map_err(|_| Cause::Internal)?;
        self.write(frame).await
    }

    /// Refuses in the protocol's words, a fixed time after the proof arrived.
    pub(super) async fn refuse(
        &mut self,
        header: &RequestHeader,
        mechanism: Mechanism,
        wrong: Wrong,
    ) -> Cause {
        let core = self.knock.core;
        let (ip, now) = (self.knock.peer.ip(), core.ports.clock.monotonic());
        let base = core.deadlines().failed_login_delay;
        let user = wrong.user.as_deref();
        let delay = match wrong.why {
            // The proof was right.
            GUARDED => base,
            _ => core.throttle.failed(ip, user, 1.0, base, now),
        };
        let due = tokio::time::Instant::now() + delay;
        let cause = refused(self.knock, user, mechanism.name(), &wrong.error, wrong.why).await;
        tokio::time::sleep_until(due).await;
        let text = match mechanism {
            Mechanism::Plain => "Authentication failed: Invalid username or password".to_owned(),
            other => format!(
                "Authentication failed during authentication due to invalid credentials with SASL mechanism {other}"
            ),
        };
        let response = SaslAuthenticateResponse {
            error_code: ErrorCode::SASL_AUTHENTICATION_FAILED.code(),
            error_message: Some(text.into()),
            ..Default::default()
        };
        let _ = self.send(header, &response).await;
        cause
    }
}
