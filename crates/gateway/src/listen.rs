//! Accepts connections, within rates and caps, and sees each to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::host::Host;
use tokio::io::DuplexStream;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cause::Cause;
use crate::config::Listener;
use crate::door::Door;
use crate::gateway::Core;
use crate::handshake::{self, Handshaken};
use crate::limits::Bucket;
use crate::limits::connections::Place;
use crate::login::{self, Knock, LoggedIn};
use crate::pipeline;
use crate::proxy;
use crate::session::Session;
use crate::transport::{self, Transport};

/// Accepts until closed; then waits for its connections, within the drain time.
pub async fn run(
    core: Arc<Core>,
    door: Arc<Door>,
    socket: TcpListener,
    mut draining: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let turns = Turns::default();
    let mut rate = Bucket::full(burst(&core), core.ports.clock.monotonic());
    loop {
        let accepted = tokio::select! {
            biased;
            _ = draining.wait_for(|draining| *draining) => break,
            Some(ended) = connections.join_next() => {
                note_panic(ended);
                continue;
            }
            accepted = accept(&core, &socket, &mut rate) => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(listener = &*door.name, %error, "Connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let listener = door.now();
        if !listener.trusted_proxies.is_empty() {
            let most = core.limits().max_unauthenticated;
            if let Some(turn) = by_proxy(&listener, &turns, most, peer) {
                let (core, door) = (core.clone(), door.clone());
                let draining = draining.clone();
                connections.spawn(from_proxy(core, door, stream, peer, turn, draining));
            }
            continue;
        }
        if let Some(place) = admit(&core, &listener, peer) {
            let task = connection(
                core.clone(),
                door.clone(),
                stream,
                peer,
                place,
                draining.clone(),
            );
            connections.spawn(task);
        }
    }
    drop(socket);
    let all = async {
        while let Some(ended) = connections.join_next().await {
            note_panic(ended);
        }
    };
    if tokio::time::timeout(core.deadlines().drain, all)
        .await
        .is_err()
    {
        tracing::warn!(
            listener = &*door.name,
            "Connections were cut at the end of the drain time"
        );
    }
}

/// Proxies that have not said yet whom they speak for.
#[derive(Clone, Default)]
struct Turns(Arc<AtomicUsize>);

/// One of them.
struct Turn(Turns);

impl Turns {
    fn take(&self, most: usize) -> Option<Turn> {
        let taken = Turn(self.clone());
        (self.0.fetch_add(1, Ordering::Relaxed) < most).then_some(taken)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn burst(core: &Core) -> f64 {
    f64::from(core.limits().accept_rate) * 2.0
}

/// Accepts the next connection once the listener's rate allows it; until then it waits in the backlog.
async fn accept(
    core: &Core,
    socket: &TcpListener,
    rate: &mut Bucket,
) -> std::io::Result<(TcpStream, SocketAddr)> {
    loop {
        let per_second = f64::from(core.limits().accept_rate);
        if rate.refill(per_second, burst(core), core.ports.clock.monotonic()) >= 1.0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let accepted = socket.accept().await?;
    rate.take(1.0);
    Ok(accepted)
}

fn refuse(listener: &Listener, reason: &'static str) {
    metrics::counter!("gateway_connections_refused_total", "listener" => listener.name.to_string(), "reason" => reason)
        .increment(1);
}

/// A place for a client that may come in.
fn admit(core: &Core, listener: &Listener, client: SocketAddr) -> Option<Place> {
    let now = core.ports.clock.monotonic();
    if core.throttle.is_closed(client.ip(), now) {
        metrics::counter!("gateway_login_throttled_total", "scope" => "source").increment(1);
        refuse(listener, "failed_logins");
        return None;
    }
    core.connections
        .enter(client.ip(), &core.limits(), now)
        .inspect_err(|full| refuse(listener, full.label()))
        .ok()
}

/// A turn to say whom it speaks for, if the peer is a proxy that is trusted.
fn by_proxy(listener: &Listener, turns: &Turns, most: usize, peer: SocketAddr) -> Option<Turn> {
    let ip = peer.ip().to_canonical();
    if !listener
        .trusted_proxies
        .iter()
        .any(|block| block.contains(ip))
    {
        refuse(listener, "untrusted_proxy");
        tracing::info!(listener = &*listener.name, %peer, "Connection comes from no trusted proxy");
        return None;
    }
    let turn = turns.take(most);
    if turn.is_none() {
        refuse(listener, "max_unauthenticated");
    }
    turn
}

/// Reads the PROXY header; from there on the client's address counts, for rules, caps and throttling.
async fn from_proxy(
    core: Arc<Core>,
    door: Arc<Door>,
    mut stream: TcpStream,
    peer: SocketAddr,
    turn: Turn,
    draining: watch::Receiver<bool>,
) {
    let listener = door.now();
    let source = tokio::time::timeout(proxy::LIMIT, proxy::source(&mut stream)).await;
    let client = match source {
        Ok(Ok(client)) => client.unwrap_or(peer),
        Ok(Err(error)) => {
            tracing::info!(listener = &*listener.name, %peer, %error, "Proxy does not say whom it speaks for");
            return refuse(&listener, "proxy_header");
        }
        Err(_) => return refuse(&listener, "proxy_header"),
    };
    drop(turn);
    if let Some(place) = admit(&core, &listener, client) {
        tracing::debug!(listener = &*listener.name, %peer, %client, "Proxy speaks for client");
        connection(core, door, stream, client, place, draining).await;
    }
}

fn note_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        metrics::counter!("gateway_disconnects_total", "cause" => Cause::Internal.label())
            .increment(1);
        tracing::error!("A connection ended in a panic");
    }
}

async fn connection(
    core: Arc<Core>,
    door: Arc<Door>,
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    draining: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let listener = door.now();
    let shaken = handshake::shake(&core, stream, &listener, peer);
    serve(&core, door, shaken, peer, place, draining).await;
}

/// A client of this process, over memory and in clear text.
pub async fn in_memory(
    core: &Arc<Core>,
    listener: Listener,
    peer: SocketAddr,
    stream: DuplexStream,
    draining: watch::Receiver<bool>,
) {
    let Some(place) = admit(core, &listener, peer) else {
        return;
    };
    let shaken = Handshaken {
        transport: Transport::Memory(stream),
        chain: None,
    };
    let shaken = std::future::ready(Ok(shaken));
    serve(core, Door::new(listener), shaken, peer, place, draining).await;
}

/// From the handshake to the end.
async fn serve(
    core: &Arc<Core>,
    door: Arc<Door>,
    shaken: impl Future<Output = Result<Handshaken, Cause>>,
    peer: SocketAddr,
    place: Place,
    mut draining: watch::Receiver<bool>,
) {
    let listener = door.now();
    metrics::counter!("gateway_connections_total", "listener" => listener.name.to_string())
        .increment(1);
    let entered = tokio::select! {
        entered = Box::pin(enter(core, &listener, shaken, peer, place)) => entered,
        _ = draining.wait_for(|draining| *draining) => Err(Cause::Draining),
    };
    let cause = match entered {
        Err(cause) => cause,
        Ok(entered) => Box::pin(live(core, door, peer, entered, draining)).await,
    };
    tracing::debug!(listener = &*listener.name, %peer, cause = cause.label(), "Connection ended");
    metrics::counter!("gateway_disconnects_total", "cause" => cause.label()).increment(1);
}

struct Entered {
    transport: Transport,
    buffer: BytesMut,
    logged_in: LoggedIn,
    place: Place,
}

/// Handshake and login, within the login deadline.
async fn enter(
    core: &Arc<Core>,
    listener: &Listener,
    shaken: impl Future<Output = Result<Handshaken, Cause>>,
    peer: SocketAddr,
    mut place: Place,
) -> Result<Entered, Cause> {
    let deadlines = core.deadlines();
    let work = async {
        let Handshaken {
            mut transport,
            chain,
        } = shaken.await?;
        let mut buffer = BytesMut::new();
        let knock = Knock {
            core,
            listener,
            peer,
            chain_ends: chain.as_ref().map(login::chain_ends),
            chain,
        };
        match login::log_in(&knock, &mut place, &mut transport, &mut buffer).await {
            Ok(logged_in) => Ok((transport, buffer, logged_in)),
            Err(cause) => {
                transport::part(&mut transport, cause).await;
                Err(cause)
            }
        }
    };
    let started = core.ports.clock.monotonic();
    let (transport, buffer, logged_in) = tokio::time::timeout(deadlines.login, work)
        .await
        .map_err(|_| Cause::LoginDeadline)??;
    let took = core.ports.clock.monotonic().saturating_sub(started);
    let mechanism = logged_in.principal.proof().mechanism();
    metrics::histogram!("gateway_login_seconds", "listener" => listener.name.to_string(), "mechanism" => mechanism)
        .record(took);
    Ok(Entered {
        transport,
        buffer,
        logged_in,
        place,
    })
}

async fn live(
    core: &Arc<Core>,
    door: Arc<Door>,
    peer: SocketAddr,
    entered: Entered,
    draining: watch::Receiver<bool>,
) -> Cause {
    let Entered {
        transport,
        buffer,
        logged_in,
        place,
    } = entered;
    let LoggedIn {
        principal,
        registered,
        software,
        chain_ends,
    } = logged_in;
    let name = principal.name().clone();
    let mechanism = principal.proof().mechanism();
    let id = registered.id;
    let session = Session {
        id,
        principal,
        host: Host::new(peer.ip()),
        peer,
        listener: door.clone(),
        software,
        chain_ends,
    };
    let Some(room) = place.room() else {
        return Cause::Internal;
    };
    let served = pipeline::serve(core, session, room, registered, transport, buffer, draining);
    let cause = served.await;
    drop(place);
    if matches!(cause, Cause::Revoked | Cause::Expired) {
        metrics::counter!("gateway_sessions_cut_total", "cause" => cause.label()).increment(1);
    }
    let mut event = Event::new("auth.session_ended", Class::Info, Outcome::Ok)
        .why(cause.label())
        .by(&name, Some(mechanism))
        .from_peer(peer, &door.name);
    event.session = Some(id);
    // It ended all the same if the trail cannot take it; the trail counts what it missed.
    let _ = core.ports.trail.record(event).await;
    cause
}
