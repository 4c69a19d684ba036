//! From a socket to an encrypted stream, with the client's certificate if the listener asks for one.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use wire::frame::{self, Stray};

use crate::cause::Cause;
use crate::config::{Encryption, Listener};
use crate::session::Chain;
use crate::transport::Transport;

/// A stream that is ready for Kafka bytes, and the client's validated chain.
pub struct Handshaken {
    pub transport: Transport,
    pub chain: Option<Chain>,
}

/// Shakes hands within the deadline.
pub async fn shake(
    stream: TcpStream,
    listener: &Listener,
    limit: Duration,
) -> Result<Handshaken, Cause> {
    let source = match &listener.encryption {
        Encryption::InsecurePlaintext => {
            note_stray(&stream, listener).await;
            return Ok(Handshaken {
                transport: Transport::Plain(stream),
                chain: None,
            });
        }
        Encryption::Tls(source) => source,
    };
    let acceptor = TlsAcceptor::from(source.config());
    let shaken = tokio::time::timeout(limit, acceptor.accept(stream))
        .await
        .map_err(|_| Cause::LoginDeadline)?;
    let stream = shaken.map_err(|error| {
        tracing::info!(listener = &*listener.name, %error, "TLS handshake failed");
        metrics::counter!("gateway_handshake_failures_total", "listener" => listener.name.to_string()).increment(1);
        Cause::Handshake
    })?;
    let chain = stream.get_ref().1.peer_certificates().map(|chain| Chain {
        certificates: chain.iter().map(|one| one.clone().into_owned()).collect(),
        trust: source.clone(),
    });
    Ok(Handshaken {
        transport: Transport::Tls(Box::new(stream)),
        chain,
    })
}

/// Says in the log when something else than Kafka knocks at a clear-text listener; the frame check closes it.
async fn note_stray(stream: &TcpStream, listener: &Listener) {
    let mut head = [0; 4];
    let peeked = tokio::time::timeout(Duration::from_secs(1), stream.peek(&mut head)).await;
    let Ok(Ok(count)) = peeked else { return };
    let what = match frame::stray(head.get(..count).unwrap_or_default()) {
        Some(Stray::TlsClient) => "TLS client on a plaintext listener",
        Some(Stray::HttpClient) => "HTTP client on a Kafka listener",
        None => return,
    };
    tracing::info!(listener = &*listener.name, error = what, "Stray connection");
}
