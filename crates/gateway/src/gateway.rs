//! The whole gateway: what its connections share, start, reload, drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use kastellan_core::host::Cidr;
use kastellan_core::meter::Page;
use kastellan_core::ports::{
    CredentialSource, PolicySource, RevocationSink, RuleStore, ScramStore, TrailSink,
};
use kastellan_core::time::Clock;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::config::{Deadlines, Limits, Listener, LoginKind};
use crate::door::Doors;
use crate::limits::connections::Connections;
use crate::limits::heavy::Heavy;
use crate::limits::throttle::Throttle;
use crate::listen;
use crate::meters;
use crate::session::Registry;
use crate::topology::Topology;
use crate::transport::Memory;
use crate::upstream::Upstream;
use crate::uses::{self, Uses};

/// What the gateway asks of the world.
#[derive(Clone)]
pub struct Ports {
    pub credentials: Arc<dyn CredentialSource>,
    pub policy: Arc<dyn PolicySource>,
    pub rules: Arc<dyn RuleStore>,
    pub scram: Arc<dyn ScramStore>,
    pub trail: Arc<dyn TrailSink>,
    pub clock: Clock,
}

/// What every connection shares.
pub(crate) struct Core {
    pub(crate) ports: Ports,
    pub(crate) upstream: Arc<dyn Upstream>,
    pub(crate) topology: Topology,
    pub(crate) registry: Arc<Registry>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) throttle: Throttle,
    pub(crate) memory: Memory,
    pub(crate) heavy: Heavy,
    pub(crate) uses: Uses,
    settings: ArcSwap<(Limits, Deadlines)>,
}

impl Core {
    pub(crate) fn limits(&self) -> Limits {
        self.settings.load().0
    }

    pub(crate) fn upstream_creates(&self) -> bool {
        self.upstream.creates_topics()
    }

    pub(crate) fn upstream_settings_are_harmless(&self) -> bool {
        self.upstream.has_harmless_settings()
    }

    pub(crate) fn deadlines(&self) -> Deadlines {
        self.settings.load().1
    }
}

/// A running gateway.
pub struct Gateway {
    core: Arc<Core>,
    draining: watch::Sender<bool>,
    doors: Doors,
}

/// How often the upstream is asked anew, and how often while it has not answered yet.
const REFRESH: Duration = Duration::from_secs(300);
const RETRY: Duration = Duration::from_millis(500);

impl Gateway {
    /// Starts to accept. The sockets are bound already.
    pub async fn start(
        limits: Limits,
        deadlines: Deadlines,
        ports: Ports,
        upstream: Arc<dyn Upstream>,
        listeners: Vec<(Listener, TcpListener)>,
    ) -> std::io::Result<Self> {
        let core = Arc::new(Core {
            registry: Registry::new(ports.clock.clone()),
            uses: Uses::new(ports.clock.now()),
            topology: Topology::new(upstream.clone()),
            connections: Arc::default(),
            throttle: Throttle::default(),
            memory: Arc::new(Semaphore::new(
                (limits.request_memory >> 10).min(Semaphore::MAX_PERMITS),
            )),
            heavy: Heavy::default(),
            settings: ArcSwap::from_pointee((limits, deadlines)),
            ports,
            upstream,
        });
        if let Err(error) = core.topology.refresh().await {
            tracing::warn!(%error, "Upstream does not answer yet");
        }
        let (draining, receiver) = watch::channel(false);
        let doors = Doors::default();
        for (listener, socket) in listeners {
            doors.open(&core, listener, socket)?;
        }
        doors.spawn(keep_topology(core.clone(), receiver.clone()));
        doors.spawn(keep_uses(core.clone(), receiver));
        Ok(Self {
            core,
            draining,
            doors,
        })
    }

    /// Serves a client of this process to its end, over memory instead of a socket and in clear text, as if it came to
    /// this listener. For whole connections without a network: tests, fuzzing.
    pub async fn serve_in_memory(
        &self,
        listener: Listener,
        client: SocketAddr,
        stream: DuplexStream,
    ) {
        let draining = self.draining.subscribe();
        listen::in_memory(&self.core, listener, client, stream, draining).await;
    }

    /// Begins to accept at one more listener.
    pub fn open_listener(&self, listener: Listener, socket: TcpListener) -> std::io::Result<()> {
        self.doors.open(&self.core, listener, socket)
    }

    /// Changes a listener. Open connections go on, but for those whose certificate names somebody else by now.
    pub fn change_listener(&self, listener: Listener) {
        let login = listener.login.clone();
        let name = listener.name.clone();
        if self.doors.change(listener)
            && let LoginKind::Certificate { source, rules } = &login
        {
            self.core.registry.name_again(&name, *source, rules);
        }
    }

    /// Stops accepting at a listener; its connections finish what is in flight, within the drain time.
    pub fn close_listener(&self, name: &str) {
        self.doors.close(name);
    }

    /// Where each listener listens, by name.
    pub fn addresses(&self) -> Vec<(Arc<str>, SocketAddr)> {
        self.doors.addresses()
    }

    /// Takes revocations.
    pub fn sessions(&self) -> Arc<dyn RevocationSink> {
        self.core.registry.clone()
    }

    /// For status pages.
    pub fn watch(&self) -> GatewayStatus {
        GatewayStatus(self.core.clone())
    }

    /// Caps of connections by address, for addresses within blocks.
    pub fn except(&self, exceptions: Arc<[(Cidr, usize)]>) {
        self.core.connections.except(exceptions);
    }

    /// Changes limits and deadlines; open connections follow at their next request.
    pub fn change_settings(&self, limits: Limits, deadlines: Deadlines) {
        let before = self.core.limits().request_memory >> 10;
        let memory = self.core.memory.clone();
        match (limits.request_memory >> 10).min(Semaphore::MAX_PERMITS) {
            more if more > before => memory.add_permits(more - before),
            // What is lent is taken back when it is returned.
            less => self
                .doors
                .spawn(shrink(memory, before.saturating_sub(less))),
        }
        self.core.settings.store(Arc::new((limits, deadlines)));
    }

    /// Stops accepting, answers what is in flight, closes. What is left after `limit` is cut.
    pub async fn drain(&self, limit: Duration) {
        let _ = self.draining.send(true);
        self.doors.drain(limit).await;
        let ports = &self.core.ports;
        uses::tell(&self.core.uses, &*ports.trail, ports.clock.now()).await;
    }
}

/// A view on a running gateway.
#[derive(Clone)]
pub struct GatewayStatus(Arc<Core>);

impl GatewayStatus {
    /// The upstream has answered.
    pub fn is_reached(&self) -> bool {
        self.0.topology.is_reached()
    }

    pub fn connections(&self) -> usize {
        self.0.connections.count()
    }

    pub fn sessions(&self) -> usize {
        self.0.registry.count()
    }

    pub fn upstream(&self) -> String {
        self.0.upstream.name()
    }

    /// What the data plane counts, for monitoring.
    pub fn write_meters(&self, page: &mut Page) {
        let core = &self.0;
        let free = (core.memory.available_permits() as u64) << 10;
        let (revocation_age, policy_age) = core.registry.ages();
        let now = meters::Now {
            request_memory: (core.limits().request_memory as u64).saturating_sub(free),
            policy_epoch: core.ports.policy.current().epoch().0,
            policy_age,
            revocation_age,
        };
        meters::render(page, &now);
    }
}

/// Takes permits out of use, one by one: nobody waits behind a large request of this.
async fn shrink(memory: Memory, count: usize) {
    for _ in 0..count {
        let Ok(permit) = memory.acquire().await else {
            return;
        };
        permit.forget();
    }
}

async fn keep_uses(core: Arc<Core>, mut draining: watch::Receiver<bool>) {
    tokio::select! {
        _ = draining.wait_for(|draining| *draining) => {}
        never = uses::keep(&core.uses, &*core.ports.trail, &core.ports.clock) => never,
    }
}

async fn keep_topology(core: Arc<Core>, mut draining: watch::Receiver<bool>) {
    loop {
        let wait = if core.topology.is_reached() {
            REFRESH
        } else {
            RETRY
        };
        tokio::select! {
            _ = draining.wait_for(|draining| *draining) => return,
            () = tokio::time::sleep(wait) => {}
        }
        if let Err(error) = core.topology.refresh().await {
            tracing::warn!(%error, "Upstream does not answer");
        }
    }
}
