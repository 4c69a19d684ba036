//! A gateway on a loopback socket, the ports it asks, and an upstream whose answers the test writes.

mod answers;
mod client;
mod rules;
mod trail;
mod upstream;
mod users;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway::config::{Deadlines, Encryption, HostPort, Limits, Listener, LoginKind};
use gateway::{Gateway, Ports};
use kastellan_core::secret::Secret;
use kastellan_core::time::Clock;
use tokio::net::{TcpListener, TcpStream};
use wire::Request;

pub use client::Client;
pub use rules::{Rules, rule};
pub use trail::Trail;
pub use upstream::{Scripted, id_of};
pub use users::Users;

use upstream::Open;
use users::NoCredentials;

/// Who every client of these tests is.
pub const ME: &str = "ANONYMOUS";
/// Where clients are sent.
pub const FRONT: &str = "front.example";
pub const FRONT_PORT: i32 = 9_094;
/// What no client may ever read.
pub const MARKER: &str = "upstream-only.internal";

const PATIENCE: Duration = Duration::from_secs(10);

/// Everything a test needs. The gateway ends with it.
pub struct World {
    pub upstream: Arc<Scripted>,
    pub rules: Arc<Rules>,
    pub users: Arc<Users>,
    pub trail: Arc<Trail>,
    address: SocketAddr,
    pub gateway: Gateway,
}

impl World {
    /// A gateway before an upstream with topics `a`, `b` and `hidden`.
    pub async fn new(rules: &[&str]) -> Self {
        let upstream = Scripted::with_topics(&["a", "b", "hidden"]);
        let policy = Arc::new(Rules::default());
        policy.set(rules);
        let (users, trail) = (Arc::new(Users::default()), Arc::new(Trail::default()));
        let ports = Ports {
            credentials: Arc::new(NoCredentials(Secret::from(vec![1; 32]))),
            policy: policy.clone(),
            rules: policy.clone(),
            scram: users.clone(),
            trail: trail.clone(),
            clock: Clock::system(),
        };
        let listener = Listener {
            name: "plain".into(),
            encryption: Encryption::InsecurePlaintext,
            login: LoginKind::InsecureAnonymous,
            advertised: HostPort {
                host: FRONT.into(),
                port: FRONT_PORT as u16,
            },
            trusted_proxies: [].into(),
        };
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let limits = Limits {
            fetch_max_bytes: 1 << 20,
            accept_rate: 10_000,
            accept_rate_per_ip: 10_000,
            ..Limits::default()
        };
        let open = Arc::new(Open(upstream.clone()));
        let gateway = Gateway::start(
            limits,
            Deadlines::default(),
            ports,
            open,
            vec![(listener, socket)],
        )
        .await
        .unwrap();
        Self {
            upstream,
            rules: policy,
            users,
            trail,
            address,
            gateway,
        }
    }

    /// Ends the gateway in order; what is left after ten seconds is cut.
    pub async fn drain(self) {
        self.gateway.drain(PATIENCE).await;
    }

    pub async fn client(&self) -> Client {
        Client {
            stream: TcpStream::connect(self.address).await.unwrap(),
            next: 100,
        }
    }

    /// One request on a connection of its own.
    pub async fn ask<R: Request>(&self, version: i16, request: &R) -> R::Response {
        self.client().await.ask(version, request).await
    }

    /// Whether one request ends its connection without an answer.
    pub async fn closes_on<R: Request>(&self, version: i16, request: &R) -> bool {
        let mut client = self.client().await;
        client.send(version, request).await;
        client.is_closed().await
    }
}
