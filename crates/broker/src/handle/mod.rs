//! From request to answer: one file an API family.
//!
//! A version that is not served closes the connection, as Kafka's socket server does; only ApiVersions answers for
//! every version (KIP-511). So does a request that cannot be decoded.

mod admin;
mod alter_configs;
mod committed;
mod configs;
mod fetch;
mod groups;
mod metadata;
mod offsets;
mod produce;
mod refusal;
mod topic_name;
mod versions;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tracing::{debug, error};
use wire::api;
use wire::codec::{DecodeError, Message, Reader, Request};
use wire::error::ErrorCode;
use wire::frame::Frame;
use wire::header::{RequestHeader, RequestStart, encode_response};
use wire::text::Str;

pub(crate) use offsets::check_epoch;

use crate::broker::Shared;
use crate::link::Peer;

pub(crate) const PRODUCE: i16 = 0;
const API_VERSIONS: i16 = 18;

/// What becomes of a request.
#[derive(Debug)]
pub enum Reply {
    Answer(Frame),
    /// Produce with acks=0 has no answer.
    Silent,
    /// The connection ends, where Kafka ends it.
    Close,
}

pub(crate) type Task = Pin<Box<dyn Future<Output = Step> + Send>>;

/// How far a request came.
pub(crate) enum Step {
    /// It has its place in the log and waits for the disk.
    Placed(Task),
    Done(Reply),
}

/// A request of a link.
pub(crate) enum Running {
    Starting(Task),
    Waiting(Task),
    Done(Reply),
}

/// What is known of a request besides its body.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) header: RequestHeader,
}

impl Ask {
    pub(crate) fn version(&self) -> i16 {
        self.header.api_version
    }

    pub(crate) fn client_id(&self) -> Str {
        self.header.client_id.clone().unwrap_or_default()
    }

    /// The answer as a frame. A value that this version cannot carry is our mistake, and closes the connection.
    pub(crate) fn answer<M: Message>(&self, message: &M) -> Reply {
        let RequestHeader {
            api_key,
            api_version,
            correlation_id,
            ..
        } = self.header;
        match encode_response(api_key, api_version, correlation_id, message) {
            Ok(frame) => Reply::Answer(frame),
            Err(error) => {
                error!(api = M::NAME, version = api_version, %error, "Answer cannot be encoded");
                Reply::Close
            }
        }
    }
}

/// Starts a request.
pub(crate) fn start(shared: Arc<Shared>, peer: Arc<Peer>, frame: Bytes) -> Running {
    let Some(start) = RequestStart::peek(&frame) else {
        return Running::Done(Reply::Close);
    };
    let served = api::find(start.api_key).and_then(|row| row.embedded);
    if served.is_none_or(|(low, high)| start.api_version < low || start.api_version > high) {
        return Running::Done(match start.api_key {
            API_VERSIONS => versions::of_newer_request(start.correlation_id),
            _ => {
                debug!(
                    api = api::name(start.api_key),
                    version = start.api_version,
                    "Version is not served"
                );
                Reply::Close
            }
        });
    }
    let mut body = Reader::new(frame);
    match RequestHeader::read(&mut body) {
        Ok(header) => Running::Starting(Box::pin(run(
            Ask {
                shared,
                peer,
                header,
            },
            body,
        ))),
        Err(error) => Running::Done(undecodable(start, error)),
    }
}

async fn run(ask: Ask, body: Reader) -> Step {
    let start = RequestStart {
        api_key: ask.header.api_key,
        api_version: ask.version(),
        correlation_id: ask.header.correlation_id,
    };
    let done = dispatch(ask, body).await;
    done.unwrap_or_else(|error| Step::Done(undecodable(start, error)))
}

fn undecodable(start: RequestStart, error: DecodeError) -> Reply {
    debug!(api = api::name(start.api_key), version = start.api_version, %error, "Request cannot be decoded");
    Reply::Close
}

/// Runs a change to its end, even if the connection that asked for it goes away: half a change is none that anyone
/// asked for.
pub(crate) async fn to_the_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, ErrorCode>> + Send + 'static,
) -> Result<T, ErrorCode> {
    let done = tokio::spawn(change).await;
    done.unwrap_or(Err(ErrorCode::UNKNOWN_SERVER_ERROR))
}

/// Decodes the body. Bytes behind it are ignored, as Kafka ignores them.
fn decode<R: Request>(ask: &Ask, mut body: Reader) -> Result<R, DecodeError> {
    R::decode(&mut body, ask.version())
}

#[rustfmt::skip]
async fn dispatch(ask: Ask, body: Reader) -> Result<Step, DecodeError> {
    let reply = match ask.header.api_key {
        PRODUCE => return Ok(produce::produce(ask.clone(), decode(&ask, body)?).await),
        1 => ask.answer(&fetch::fetch(&ask, decode(&ask, body)?).await),
        2 => ask.answer(&offsets::list(&ask, decode(&ask, body)?).await),
        3 => ask.answer(&metadata::metadata(&ask, decode(&ask, body)?).await),
        8 => ask.answer(&committed::commit(&ask, decode(&ask, body)?).await),
        9 => ask.answer(&committed::fetch(&ask, decode(&ask, body)?).await),
        10 => ask.answer(&metadata::coordinators(&ask, decode(&ask, body)?)),
        11 => ask.answer(&groups::join(&ask, decode(&ask, body)?).await),
        12 => ask.answer(&groups::heartbeat(&ask, decode(&ask, body)?).await),
        13 => ask.answer(&groups::leave(&ask, decode(&ask, body)?).await),
        14 => ask.answer(&groups::sync(&ask, decode(&ask, body)?).await),
        15 => ask.answer(&groups::describe(&ask, decode(&ask, body)?).await),
        16 => ask.answer(&groups::list(&ask, decode(&ask, body)?).await),
        API_VERSIONS => ask.answer(&versions::versions(decode(&ask, body)?, ask.version())),
        19 => ask.answer(&admin::create_topics(&ask, decode(&ask, body)?).await),
        20 => ask.answer(&admin::delete_topics(&ask, decode(&ask, body)?).await),
        21 => ask.answer(&admin::delete_records(&ask, decode(&ask, body)?).await),
        22 => ask.answer(&produce::producer_id(&ask, decode(&ask, body)?).await),
        23 => ask.answer(&offsets::epoch_ends(&ask, decode(&ask, body)?).await),
        32 => ask.answer(&configs::describe(&ask, decode(&ask, body)?)),
        33 => ask.answer(&alter_configs::replace(&ask, decode(&ask, body)?).await),
        35 => ask.answer(&metadata::log_dirs(&ask, decode(&ask, body)?).await),
        37 => ask.answer(&admin::create_partitions(&ask, decode(&ask, body)?).await),
        42 => ask.answer(&groups::delete(&ask, decode(&ask, body)?).await),
        44 => ask.answer(&alter_configs::change(&ask, decode(&ask, body)?).await),
        47 => ask.answer(&committed::delete(&ask, decode(&ask, body)?).await),
        60 => ask.answer(&metadata::cluster(&ask, decode(&ask, body)?)),
        _ => Reply::Close,
    };
    Ok(Step::Done(reply))
}
