//! SASL over Kafka's frames: ApiVersions at most once, SaslHandshake, then SaslAuthenticate until proven or refused.
//!
//! Only keys 17, 18 and 36 are decoded here. Requests that a client sends early stay unread. Every refusal is written a
//! fixed time after the proof arrived, whatever failed first (`SaslServerAuthenticator`, `Selector`).

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::principal::Principal;
use wire::Message;
use wire::codec::Reader;
use wire::error::ErrorCode;
use wire::frame::Frame;
use wire::header::{RequestHeader, RequestStart, encode_response};
use wire::message::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use wire::sasl::Mechanism;

use super::line::{Fresh, Line, Turn};
use super::proofs::Proven;
use super::{Denied, Knock, LoggedIn, Round, admit, by_credential, out_of_turn, refused};
use crate::apiversions;
use crate::cause::Cause;
use crate::limits::connections::Place;
use crate::limits::throttle::HALF;
use crate::session::Software;
use crate::transport::Transport;

pub const HANDSHAKE: i16 = 17;
const AUTHENTICATE: i16 = 36;

pub(super) struct Dialogue<'a, 'k, L> {
    pub(super) knock: &'a Knock<'k>,
    round: Round,
    line: &'a mut L,
    software: Software,
}

/// Why a proof was refused: for the log and the trail. The peer is told one text.
pub(super) struct Wrong {
    user: Option<String>,
    error: String,
    why: &'static str,
    /// Only to somebody whose proof was right.
    told: Option<&'static str>,
    /// Whether it is held against source and account.
    is_held_against: bool,
}

impl Wrong {
    pub(super) fn proof(user: Option<String>, error: impl ToString, why: &'static str) -> Self {
        Self {
            user,
            error: error.to_string(),
            why,
            told: None,
            is_held_against: true,
        }
    }

    /// The proof was right, and it does not help; nobody is told so.
    pub(super) fn guarded(user: String, error: &str, why: &'static str) -> Self {
        Self {
            is_held_against: false,
            ..Self::proof(Some(user), error, why)
        }
    }

    /// The proof was right.
    pub(super) fn after_proof(
        user: &str,
        error: &str,
        why: &'static str,
        told: &'static str,
    ) -> Self {
        Self {
            told: Some(told),
            ..Self::guarded(user.to_owned(), error, why)
        }
    }

    pub(super) fn denied(user: &str, denied: &Denied) -> Self {
        match denied {
            Denied::Full => {
                let told = "Too many connections of this principal";
                Self::after_proof(user, denied.error(), denied.why(), told)
            }
            _ => Self::guarded(user.to_owned(), denied.error(), denied.why()),
        }
    }
}

/// Runs the dialogue of a new connection to its end.
pub async fn log_in(
    knock: &Knock<'_>,
    place: &mut Place,
    offered: &[Mechanism],
    transport: &mut Transport,
    buffer: &mut BytesMut,
) -> Result<LoggedIn, Cause> {
    let mut line = Fresh {
        core: knock.core,
        transport,
        buffer,
    };
    let mut dialogue = Dialogue::new(knock, Round::First, &mut line);
    let mechanism = dialogue.choose(offered).await?;
    let proven = dialogue.prove(mechanism).await?;
    let principal = by_credential(knock, &proven.user, mechanism.name(), proven.credential);
    let registered = match admit(knock, place, &principal).await {
        Ok(registered) => registered,
        Err(Denied::Unavailable) => return Err(Cause::Overload),
        Err(denied) => {
            let wrong = Wrong::denied(&proven.user, &denied);
            return Err(dialogue.refuse(&proven.header, mechanism, wrong).await);
        }
    };
    dialogue.accept(proven, &principal).await?;
    Ok(LoggedIn {
        principal,
        registered,
        software: dialogue.software,
        chain_ends: knock.chain_ends,
    })
}

impl<'a, 'k, L: Line> Dialogue<'a, 'k, L> {
    pub(super) fn new(knock: &'a Knock<'k>, round: Round, line: &'a mut L) -> Self {
        Self {
            knock,
            round,
            line,
            software: Software::default(),
        }
    }

    /// ApiVersions if the client wants it, then the mechanism.
    async fn choose(&mut self, offered: &[Mechanism]) -> Result<Mechanism, Cause> {
        let mut may_ask = true;
        let mut turn = Turn::First;
        loop {
            let frame = self.line.read(turn).await?;
            turn = Turn::Later;
            let start = RequestStart::peek(&frame).ok_or(Cause::Malformed)?;
            match start.api_key {
                apiversions::KEY if may_ask => {
                    let answered = apiversions::answer(&frame, &self.knock.core.topology.ranges())?;
                    may_ask = answered.is_too_new;
                    self.software = answered.software;
                    self.line.write(answered.frame).await?;
                }
                HANDSHAKE => return self.handshake(frame, offered).await,
                _ => return Err(Cause::HiddenApi),
            }
        }
    }

    /// The mechanism, or a refusal that names those there are.
    pub(super) async fn handshake(
        &mut self,
        frame: Bytes,
        offered: &[Mechanism],
    ) -> Result<Mechanism, Cause> {
        let mut reader = Reader::new(frame);
        let header = RequestHeader::read(&mut reader)?;
        // Version 0 goes on with tokens that have no header around them.
        if header.api_version != 1 {
            return Err(Cause::UnsupportedVersion);
        }
        let request = SaslHandshakeRequest::decode(&mut reader, header.api_version)?;
        let mut known = offered.iter().copied();
        let chosen = known.find(|mechanism| mechanism.name() == &*request.mechanism);
        let code = match chosen {
            Some(_) => 0,
            None => ErrorCode::UNSUPPORTED_SASL_MECHANISM.code(),
        };
        let response = SaslHandshakeResponse {
            error_code: code,
            mechanisms: offered.iter().map(|one| one.name().into()).collect(),
            ..Default::default()
        };
        let (version, id) = (header.api_version, header.correlation_id);
        let answer = encode_response(HANDSHAKE, version, id, &response);
        let answer = answer.map_err(|_| Cause::Internal)?;
        let Some(mechanism) = chosen else {
            tokio::time::sleep(self.knock.core.deadlines().failed_login_delay).await;
            let error = format!("mechanism {:?} is not offered", &*request.mechanism);
            let why = "mechanism_not_enabled";
            let cause = refused(self.knock, self.round, None, "SASL", &error, why).await;
            let _ = self.line.write(answer).await;
            return Err(cause);
        };
        self.line.write(answer).await?;
        Ok(mechanism)
    }

    /// The conversation of a mechanism.
    pub(super) async fn prove(&mut self, mechanism: Mechanism) -> Result<Proven, Cause> {
        let proven = match mechanism {
            Mechanism::Scram(scram) => self.scram(scram).await,
            _ => self.plain().await,
        };
        if let Err(cause) = &proven
            && !matches!(
                cause,
                Cause::LoginRefused | Cause::Overload | Cause::Draining
            )
        {
            self.note_broken_off();
        }
        proven
    }

    /// Broken off before the proof: half a failure of the source.
    fn note_broken_off(&self) {
        self.hold_against(None, HALF);
    }

    /// Counts a failure; says how long its answer is held back.
    fn hold_against(&self, user: Option<&str>, weight: f64) -> Duration {
        let core = self.knock.core;
        let (ip, now) = (self.knock.peer.ip(), core.ports.clock.monotonic());
        let base = core.deadlines().failed_login_delay;
        let held = core.throttle.failed(ip, user, weight, base, now);
        if held.is_alarm {
            tracing::error!("Too many failed logins: sources without a recent login are refused");
            let event = Event::new("auth.flood", Class::Critical, Outcome::Failed)
                .why("too_many_failed_logins");
            core.ports.trail.note(event);
        }
        held.delay
    }

    /// The next token, with the header it came in.
    pub(super) async fn token(
        &mut self,
        mechanism: Mechanism,
    ) -> Result<(RequestHeader, Bytes), Cause> {
        let frame = self.line.read(Turn::Later).await?;
        let start = RequestStart::peek(&frame).ok_or(Cause::Malformed)?;
        if start.api_key != AUTHENTICATE {
            return Err(self.interrupted(start).await);
        }
        let mut reader = Reader::stripping(frame);
        let header = RequestHeader::read(&mut reader)?;
        let request = SaslAuthenticateRequest::decode(&mut reader, header.api_version)?;
        let limit = mechanism.message_max();
        if request.auth_bytes.len() > limit {
            let error = format!("message is longer than {limit} bytes");
            let wrong = Wrong::proof(None, error, "malformed");
            return Err(self.refuse(&header, mechanism, wrong).await);
        }
        Ok((header, request.auth_bytes))
    }

    /// Another API in the middle: refused in its own words. A session that proves itself again just ends.
    async fn interrupted(&mut self, start: RequestStart) -> Cause {
        let core = self.knock.core;
        if self.round == Round::Again {
            return Cause::HiddenApi;
        }
        let Some(form) = out_of_turn::form(start, &core.topology.ranges()) else {
            return Cause::HiddenApi;
        };
        self.note_broken_off();
        tokio::time::sleep(core.deadlines().failed_login_delay).await;
        let error = format!("{} during the login", wire::api::name(start.api_key));
        let why = "illegal_sasl_state";
        let cause = refused(self.knock, self.round, None, "SASL", &error, why).await;
        let _ = self.line.write(form).await;
        cause
    }

    /// Goes on with the conversation.
    pub(super) async fn challenge(
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

    /// Tells that the proof was right, and for how long it holds.
    pub(super) async fn accept(
        &mut self,
        proven: Proven,
        principal: &Principal,
    ) -> Result<(), Cause> {
        let now = self.knock.core.ports.clock.now();
        let lifetime = principal
            .until()
            .map_or(Duration::ZERO, |end| end.since(now));
        let response = SaslAuthenticateResponse {
            auth_bytes: proven.last.into(),
            session_lifetime_ms: i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX),
            ..Default::default()
        };
        self.send(&proven.header, &response).await
    }

    async fn send(
        &mut self,
        header: &RequestHeader,
        response: &SaslAuthenticateResponse,
    ) -> Result<(), Cause> {
        let (version, id) = (header.api_version, header.correlation_id);
        let frame: Result<Frame, _> = encode_response(AUTHENTICATE, version, id, response);
        self.line.write(frame.map_err(|_| Cause::Internal)?).await
    }

    /// Refuses in the protocol's words, a fixed time after the proof arrived.
    pub(super) async fn refuse(
        &mut self,
        header: &RequestHeader,
        mechanism: Mechanism,
        wrong: Wrong,
    ) -> Cause {
        let core = self.knock.core;
        let user = wrong.user.as_deref();
        let delay = if wrong.is_held_against {
            self.hold_against(user, 1.0)
        } else {
            core.deadlines().failed_login_delay
        };
        let due = tokio::time::Instant::now() + delay;
        let (name, error, why) = (mechanism.name(), &wrong.error, wrong.why);
        let cause = refused(self.knock, self.round, user, name, error, why).await;
        tokio::time::sleep_until(due).await;
        let text = match (wrong.told, mechanism) {
            (Some(told), _) => format!("Authentication failed: {told}"),
            (None, Mechanism::Plain) => {
                "Authentication failed: Invalid username or password".to_owned()
            }
            (None, other) => format!(
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
