//! Every request, judged: which right it needs, what a refusal looks like, what is taken out of an answer.
//!
//! One row a key in [`TABLE`]. Checks, their order and the form of each refusal follow Kafka's `KafkaApis` and
//! `ControllerApis`. A key that has no row, or a version outside what is held, closes the connection.

mod acls;
mod changes;
mod cluster;
mod committed;
mod configs;
mod fetch;
mod groups;
mod judge;
mod merge;
mod offsets;
mod produce;
mod quotas;
mod scram;
mod topics;

#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kastellan_core::authorize::Permit;
use kastellan_core::principal::Principal;
use wire::Request;
use wire::codec::Reader;
use wire::frame::Frame;
use wire::header::{RequestHeader, RequestStart, encode_response, response_header_has_tags};
use wire::{Message, api};

use crate::apiversions;
use crate::cause::Cause;
use crate::gateway::Core;
use crate::meters::{self, Outcome};
use crate::session::Session;
use crate::topology::Ranges;
use crate::uses::Held;
use judge::{Judge, Tally};

/// What a connection brings to each request.
pub(crate) struct Context {
    core: Arc<Core>,
    session: Arc<Session>,
    held: Held,
}

impl Context {
    pub(crate) fn new(core: Arc<Core>, session: Session) -> Self {
        Self {
            core,
            session: Arc::new(session),
            held: Held::default(),
        }
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// The session was proven again. Requests in flight keep what they were judged by.
    pub(crate) fn renew(&mut self, principal: Principal) {
        Arc::make_mut(&mut self.session).principal = principal;
    }
}

/// What becomes of a request.
pub(crate) enum Treatment {
    Forward {
        request: Frame,
        permit: Permit,
        plan: Plan,
    },
    /// What may be done is done; the rest cannot be answered (acks=0).
    ForwardThenClose {
        request: Frame,
        permit: Permit,
        cause: Cause,
    },
    Answer(Frame),
    Close(Cause),
}

type Finish = Box<dyn FnOnce(Frame) -> Result<Frame, Cause> + Send>;

/// What becomes of the answer.
pub(crate) struct Plan {
    finish: Option<Finish>,
    expects_answer: bool,
    deadline: Duration,
}

impl Plan {
    /// The answer goes out as it comes.
    pub(crate) fn pass(deadline: Duration) -> Self {
        Self {
            finish: None,
            expects_answer: true,
            deadline,
        }
    }

    /// There is no answer (Produce with acks=0).
    fn silent() -> Self {
        Self {
            finish: None,
            expects_answer: false,
            deadline: Duration::ZERO,
        }
    }

    fn with(
        deadline: Duration,
        finish: impl FnOnce(Frame) -> Result<Frame, Cause> + Send + 'static,
    ) -> Self {
        Self {
            finish: Some(Box::new(finish)),
            expects_answer: true,
            deadline,
        }
    }

    pub(crate) fn expects_answer(&self) -> bool {
        self.expects_answer
    }

    /// How long the upstream may take.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) async fn finish(self, reply: Frame) -> Result<Frame, Cause> {
        match self.finish {
            None => Ok(reply),
            Some(finish) => finish(reply),
        }
    }
}

/// What a request may take upstream beyond its own time.
const SLACK: Duration = Duration::from_secs(30);
/// Requests that name no time of their own.
const PLAIN: Duration = Duration::from_secs(60);

/// A request's own time (ms) and some slack.
fn own_time(millis: i32) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0)) + SLACK
}

type Handling<'a> = Pin<Box<dyn Future<Output = Result<Treatment, Cause>> + Send + 'a>>;
type Handler = for<'a> fn(Judge<'a>, Bytes) -> Handling<'a>;

macro_rules! handler {
    ($path:path) => {
        |judge, frame| Box::pin($path(judge, frame))
    };
}

/// Key to handler.
const TABLE: &[(i16, Handler)] = &[
    (0, handler!(produce::produce)),
    (1, handler!(fetch::fetch)),
    (2, handler!(offsets::list_offsets)),
    (3, handler!(cluster::metadata)),
    (8, handler!(committed::commit)),
    (9, handler!(committed::fetch)),
    (10, handler!(cluster::find_coordinator)),
    (11, handler!(groups::join)),
    (12, handler!(groups::heartbeat)),
    (13, handler!(groups::leave)),
    (14, handler!(groups::sync)),
    (15, handler!(groups::describe)),
    (16, handler!(groups::list)),
    (17, handler!(out_of_turn)),
    (18, handler!(versions)),
    (19, handler!(topics::create)),
    (20, handler!(topics::delete)),
    (21, handler!(offsets::delete_records)),
    (22, handler!(produce::init_producer_id)),
    (23, handler!(offsets::leader_epoch)),
    (29, handler!(acls::describe)),
    (30, handler!(acls::create)),
    (31, handler!(acls::delete)),
    (32, handler!(configs::describe)),
    (33, handler!(configs::alter)),
    (35, handler!(configs::log_dirs)),
    (36, handler!(out_of_turn)),
    (37, handler!(topics::create_partitions)),
    (42, handler!(groups::delete)),
    (44, handler!(configs::alter_incrementally)),
    (47, handler!(committed::delete)),
    (48, handler!(quotas::describe)),
    (50, handler!(scram::describe)),
    (51, handler!(scram::alter)),
    (60, handler!(cluster::describe_cluster)),
    (68, handler!(groups::newer_heartbeat)),
];

fn handler_of(key: i16) -> Option<Handler> {
    TABLE
        .binary_search_by_key(&key, |(key, _)| *key)
        .ok()
        .map(|at| TABLE[at].1)
}

/// Versions of a key that are treated here and served behind; `None`: hidden.
pub(crate) fn served(key: i16, ranges: &Ranges) -> Option<(i16, i16)> {
    handler_of(key)?;
    apiversions::held(key, ranges)
}

/// Judges one request frame.
pub(crate) async fn treat(context: &mut Context, start: RequestStart, frame: Bytes) -> Treatment {
    let ranges = context.core.topology.ranges();
    let name = api::name(start.api_key);
    let Some(handler) = handler_of(start.api_key) else {
        meters::of(start.api_key).hidden.add(1);
        tracing::debug!(api = name, version = start.api_version, "Hidden API");
        return Treatment::Close(Cause::HiddenApi);
    };
    // A too new ApiVersions is answered, not closed.
    let held = served(start.api_key, &ranges);
    if start.api_key != apiversions::KEY
        && !held.is_some_and(|(low, high)| (low..=high).contains(&start.api_version))
    {
        tracing::debug!(
            api = name,
            version = start.api_version,
            "Version is not served"
        );
        return Treatment::Close(Cause::UnsupportedVersion);
    }
    let tally = Tally::default();
    let session = context.session.clone();
    let judge = Judge::new(&context.core, session, start, &tally, &mut context.held);
    let treatment = handler(judge, frame).await.unwrap_or_else(Treatment::Close);
    let outcome = match &treatment {
        Treatment::Forward { .. } if tally.refused() => Outcome::Partial,
        Treatment::Forward { .. } => Outcome::Allowed,
        Treatment::ForwardThenClose { .. } => Outcome::Partial,
        Treatment::Answer(_) | Treatment::Close(Cause::Refused) if tally.refused() => {
            Outcome::Denied
        }
        Treatment::Answer(_) => Outcome::Local,
        Treatment::Close(_) => Outcome::Error,
    };
    meters::of(start.api_key).judged(outcome);
    treatment
}

/// SaslHandshake and SaslAuthenticate on a live session.
async fn out_of_turn(judge: Judge<'_>, _frame: Bytes) -> Result<Treatment, Cause> {
    use wire::error::ErrorCode;
    use wire::message::{SaslAuthenticateResponse, SaslHandshakeResponse};
    let RequestStart {
        api_key,
        api_version,
        correlation_id,
    } = judge.start;
    let code = ErrorCode::ILLEGAL_SASL_STATE.code();
    let frame = if api_key == 17 {
        let response = SaslHandshakeResponse {
            error_code: code,
            ..Default::default()
        };
        encode_response(api_key, api_version, correlation_id, &response)
    } else {
        let message = "SaslAuthenticate request received after successful authentication";
        let response = SaslAuthenticateResponse {
            error_code: code,
            error_message: Some(message.into()),
            ..Default::default()
        };
        encode_response(api_key, api_version, correlation_id, &response)
    };
    frame.map(Treatment::Answer).map_err(|_| Cause::Internal)
}

async fn versions(judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let answered = apiversions::answer(&frame, &judge.core.topology.ranges())?;
    Ok(Treatment::Answer(answered.frame))
}

/// A decoded request; tags that nobody here knows were dropped.
struct Asked<R> {
    header: RequestHeader,
    body: R,
    /// Something was dropped: the bytes as they came must not be passed on.
    was_stripped: bool,
}

fn decode<R: Request>(frame: Bytes) -> Result<Asked<R>, Cause> {
    let mut reader = Reader::stripping(frame);
    let header = RequestHeader::read(&mut reader)?;
    let body = R::decode(&mut reader, header.api_version)?;
    let was_stripped = reader.met_unknown_tags() || reader.remaining() > 0;
    if was_stripped {
        meters::of(R::KEY).request_tags.add(1);
    }
    Ok(Asked {
        header,
        body,
        was_stripped,
    })
}

impl<R: Request> Asked<R> {
    fn encode(&self) -> Result<Frame, Cause> {
        let RequestHeader {
            correlation_id,
            client_id,
            api_version,
            ..
        } = &self.header;
        wire::header::encode_request(*correlation_id, client_id.clone(), *api_version, &self.body)
            .map_err(|_| Cause::Internal)
    }

    /// A local answer.
    fn answer(&self, response: &R::Response) -> Result<Treatment, Cause> {
        let RequestHeader {
            api_version,
            correlation_id,
            ..
        } = self.header;
        encode_response(R::KEY, api_version, correlation_id, response)
            .map(Treatment::Answer)
            .map_err(|_| Cause::Internal)
    }

    /// Forwards the request; the answer goes out as it comes.
    fn forward(&self, permit: Permit, deadline: Duration) -> Result<Treatment, Cause> {
        Ok(Treatment::Forward {
            request: self.encode()?,
            permit,
            plan: Plan::pass(deadline),
        })
    }

    /// Forwards the request; the answer is decoded, changed, encoded again.
    fn forward_and(
        &self,
        permit: Permit,
        deadline: Duration,
        change: impl FnOnce(&mut R::Response) + Send + 'static,
    ) -> Result<Treatment, Cause> {
        let version = self.header.api_version;
        let plan = Plan::with(deadline, move |reply| recode::<R>(version, reply, change));
        Ok(Treatment::Forward {
            request: self.encode()?,
            permit,
            plan,
        })
    }
}

/// Longest answer that is decoded into values. Fetch is not bound by it: its records stay where they are.
const TYPED_MAX: usize = 64 << 20;

/// Decodes an answer, changes it, encodes it again without tags that nobody here knows.
fn recode<R: Request>(
    version: i16,
    reply: Frame,
    change: impl FnOnce(&mut R::Response),
) -> Result<Frame, Cause> {
    if reply.len() > TYPED_MAX {
        tracing::error!(
            api = R::NAME,
            "Upstream's answer is too long to be looked through"
        );
        return Err(Cause::UpstreamProtocol);
    }
    let (correlation_id, mut response) = decode_reply::<R>(version, reply)?;
    change(&mut response);
    encode_response(R::KEY, version, correlation_id, &response).map_err(|_| Cause::UpstreamProtocol)
}

fn decode_reply<R: Request>(version: i16, reply: Frame) -> Result<(i32, R::Response), Cause> {
    let mut reader = Reader::stripping(reply.into_bytes());
    let failed = |_| Cause::UpstreamProtocol;
    let correlation_id = reader.i32().map_err(failed)?;
    if response_header_has_tags(R::KEY, version) {
        reader.unknown_tags().map_err(failed)?;
    }
    let response = R::Response::decode(&mut reader, version).map_err(failed)?;
    if reader.met_unknown_tags() {
        meters::of(R::KEY).response_tags.add(1);
    }
    Ok((correlation_id, response))
}
