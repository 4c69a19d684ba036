//! A client that speaks bytes: in clear text or TLS, in any order, also what no client should.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kastellan_core::credential::ScramMechanism;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use trust::ca::ClientCertificate;
use wire::Request;
use wire::header::{decode_response, encode_request};
use wire::message::*;
use wire::sasl::scram::Nonce;
use wire::sasl::scram::client::Login;
use wire::sasl::{Mechanism, plain};

use crate::world::{Door, World};

const PATIENCE: Duration = Duration::from_secs(10);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub struct Client {
    stream: Box<dyn Stream>,
    next: i32,
}

/// What a server said last to somebody who logs in.
pub type Verdict = Option<SaslAuthenticateResponse>;

impl World {
    pub async fn client(&self, door: Door) -> Client {
        let stream = TcpStream::connect(self.address(door)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        match door {
            Door::Open | Door::Sasl => Client::over(stream),
            _ => self.shake(stream, None).await.unwrap(),
        }
    }

    /// A client that shows a certificate.
    pub async fn certified(&self, certificate: &ClientCertificate) -> io::Result<Client> {
        let stream = TcpStream::connect(self.address(Door::Ssl)).await?;
        self.shake(stream, Some(certificate)).await
    }

    /// TLS over a stream that may have said something already.
    pub async fn shake(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        certificate: Option<&ClientCertificate>,
    ) -> io::Result<Client> {
        let mut roots = RootCertStore::empty();
        let pem = std::fs::read(self.ca.certificate_path())?;
        roots
            .add(CertificateDer::from_pem_slice(&pem).unwrap())
            .unwrap();
        let config = ClientConfig::builder_with_provider(trust::provider::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match certificate {
            None => config.with_no_client_auth(),
            Some(shown) => {
                let pem = shown.client_pem.as_bytes();
                let chain = CertificateDer::pem_slice_iter(pem).map(Result::unwrap);
                let key = PrivateKeyDer::from_pem_slice(pem).unwrap();
                config.with_client_auth_cert(chain.collect(), key).unwrap()
            }
        };
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = tokio::time::timeout(PATIENCE, connector.connect(name, stream)).await??;
        Ok(Client::over(stream))
    }
}

pub fn beat(generation_id: i32) -> HeartbeatRequest {
    beat_of("group", generation_id)
}

pub fn beat_of(group: &'static str, generation_id: i32) -> HeartbeatRequest {
    HeartbeatRequest {
        group_id: group.into(),
        generation_id,
        ..Default::default()
    }
}

/// A request as it goes on the wire, length first.
pub fn framed<R: Request>(correlation_id: i32, version: i16, request: &R) -> Vec<u8> {
    let frame = encode_request(correlation_id, Some("tests".into()), version, request)
        .unwrap()
        .into_bytes();
    let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
    [&length[..], &frame].concat()
}

impl Client {
    pub fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            next: 100,
        }
    }

    /// Writes bytes as they are. A peer that closed already is told by the next read.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    /// Says that nothing more comes. A peer that closed already is told by the next read.
    pub async fn finish_writing(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    pub async fn send<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        self.next += 1;
        let bytes = framed(self.next, version, request);
        self.write(&bytes).await;
        self.next
    }

    /// The next answer; `None` when the connection was closed instead.
    pub async fn receive_frame(&mut self) -> Option<Bytes> {
        let read = async {
            let length = self.stream.read_u32().await.ok()?;
            let mut frame = BytesMut::zeroed(length as usize);
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(frame.freeze())
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the gateway answers or closes")
    }

    pub async fn receive<R: Request>(&mut self, version: i16) -> Option<(i32, R::Response)> {
        let frame = self.receive_frame().await?;
        Some(decode_response::<R::Response>(R::KEY, version, frame).unwrap())
    }

    pub async fn ask<R: Request>(&mut self, version: i16, request: &R) -> Option<R::Response> {
        let id = self.send(version, request).await;
        let (answered, response) = self.receive::<R>(version).await?;
        assert_eq!(answered, id);
        Some(response)
    }

    /// Whether requests are answered.
    pub async fn is_served(&mut self) -> bool {
        self.ask(4, &beat(1)).await.is_some()
    }

    /// Whether the gateway closes, without another byte.
    pub async fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut byte)).await;
        !matches!(read.expect("the gateway closes"), Ok(1..))
    }

    /// Whether the gateway closes, whatever it says before (an alert of TLS).
    pub async fn is_ended(&mut self) -> bool {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await;
        read.is_ok()
    }

    /// Whether the gateway takes leave as TLS wants it, and does not just break off.
    pub async fn is_closed_in_order(&mut self) -> bool {
        let mut byte = [0];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut byte)).await;
        matches!(read.expect("the gateway closes"), Ok(0))
    }

    pub async fn greet(&mut self, mechanism: &str) -> Option<SaslHandshakeResponse> {
        let request = SaslHandshakeRequest {
            mechanism: mechanism.to_owned().into(),
            ..Default::default()
        };
        self.ask(1, &request).await
    }

    /// One SASL message.
    pub async fn token(&mut self, token: &[u8]) -> Verdict {
        self.ask(2, &proof(token)).await
    }

    /// The whole login.
    pub async fn log_in(&mut self, mechanism: Mechanism, user: &str, password: &str) -> Verdict {
        assert_eq!(self.greet(mechanism.name()).await?.error_code, 0);
        match mechanism {
            Mechanism::Scram(mechanism) => self.scram(mechanism, user, password).await,
            _ => {
                let message = plain::message(user, &password.to_owned().into());
                self.token(message.expose()).await
            }
        }
    }

    async fn scram(&mut self, mechanism: ScramMechanism, user: &str, password: &str) -> Verdict {
        let login = Login {
            mechanism,
            user: user.to_owned(),
            password: password.to_owned().into(),
        };
        let nonce = Nonce::from_random(trust::random::bytes().unwrap());
        let (greeted, first) = login.first(nonce);
        let challenge = self.token(&first).await?;
        if challenge.error_code != 0 {
            return Some(challenge);
        }
        let (answered, proof) = greeted.answer(&challenge.auth_bytes).unwrap();
        let last = self.token(&proof).await?;
        if last.error_code == 0 {
            answered.finish(&last.auth_bytes).unwrap();
        }
        Some(last)
    }
}

pub fn proof(token: &[u8]) -> SaslAuthenticateRequest {
    SaslAuthenticateRequest {
        auth_bytes: Bytes::copy_from_slice(token),
        ..Default::default()
    }
}
