//! Accepts connections, within rates and caps, and sees each to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::host::Host;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cause::Cause;
use crate::config::Listener;
use crate::gateway::Core;
use crate::handshake::{self, Handshaken};
use crate::limits::Bucket;
use crate::limits::connections::Place;
use crate::login::{self, Knock, LoggedIn};
use crate::pipeline;
use crate::session::Session;

/// Accepts until draining; then waits for its connections.
pub async fn run(
    core: Arc<Core>,
    listener: Listener,
    socket: TcpListener,
    mut draining: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
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
                tracing::warn!(listener = &*listener.name, %error, "Connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let now = core.ports.clock.monotonic();
        if core.throttle.is_closed(peer.ip(), now) {
            refuse(&listener, "failed_logins");
            continue;
        }
        match core.connections.enter(peer.ip(), &core.limits(), now) {
            Ok(place) => {
                let task = connection(
                    core.clone(),
                    listener.clone(),
                    stream,
                    peer,
                    place,
                    draining.clone(),
                );
                connections.spawn(task);
            }
            Err(full) => refuse(&listener, full.label()),
        }
    }
    drop(socket);
    while let Some(ended) = connections.join_next().await {
        note_panic(ended);
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
    listener: Listener,
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    mut draining: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    metrics::counter!("gateway_connections_total", "listener" => listener.name.to_string())
        .increment(1);
    let entered = tokio::select! {
        entered = enter(&core, &listener, stream, peer, place) => entered,
        _ = draining.wait_for(|draining| *draining) => Err(Cause::Draining),
    };
    let cause = match entered {
        Err(cause) => cause,
        Ok(entered) => live(&core, &listener, peer, entered, draining).await,
    };
    tracing::debug!(listener = &*listener.name, %peer, cause = cause.label(), "Connection ended");
    metrics::counter!("gateway_disconnects_total", "cause" => cause.label()).increment(1);
}

struct Entered {
    transport: crate::transport::Transport,
    buffer: BytesMut,
    logged_in: LoggedIn,
    place: Place,
}

/// Handshake and login, within the login deadline.
async fn enter(
    core: &Arc<Core>,
    listener: &Listener,
    stream: TcpStream,
    peer: SocketAddr,
    mut place: Place,
) -> Result<Entered, Cause> {
    let deadlines = core.deadlines();
    let work = async {
        let Handshaken {
            mut transport,
            chain,
        } = handshake::shake(stream, listener, deadlines.tls_handshake).await?;
        let mut buffer = BytesMut::new();
        let knock = Knock {
            core,
            listener,
            peer,
            chain,
        };
        let logged_in = login::log_in(&knock, &mut transport, &mut buffer).await?;
        Ok::<_, Cause>((transport, buffer, logged_in))
    };
    let (transport, buffer, logged_in) = tokio::time::timeout(deadlines.login, work)
        .await
        .map_err(|_| Cause::LoginDeadline)??;
    let name = logged_in.principal.name().to_string();
    place
        .logged_in(&name, &core.limits())
        .map_err(|_| Cause::Cap)?;
    Ok(Entered {
        transport,
        buffer,
        logged_in,
        place,
    })
}

async fn live(
    core: &Arc<Core>,
    listener: &Listener,
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
    } = logged_in;
    let name = principal.name().clone();
    let mechanism = principal.proof().mechanism();
    let session = Session {
        id: registered.id,
        principal,
        host: Host::new(peer.ip()),
        peer,
        listener: listener.clone(),
        software,
    };
    let cause = pipeline::serve(core, session, registered, transport, buffer, draining).await;
    drop(place);
    if matches!(cause, Cause::Revoked | Cause::Expired) {
        metrics::counter!("gateway_sessions_cut_total", "cause" => cause.label()).increment(1);
        let event = Event::new("auth.session_ended", Class::Info, Outcome::Ok)
            .why(cause.label())
            .by(&name, Some(mechanism))
            .from_peer(peer, &listener.name);
        core.ports.trail.note(event);
    }
    cause
}
