//! The start, in the order in which one thing needs another. Whatever is wrong is said before anything is served.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use broker::disk::RealDisk;
use broker::log::{AnchorMark, Log};
use broker::{Broker, Options};
use gateway::upstream::Upstream;
use gateway::upstream::tcp::TcpUpstream;
use gateway::{Gateway, Ports};
use kastellan_core::event::{Class, Event, Outcome as EventOutcome};
use kastellan_core::ports::TrailSink;
use kastellan_core::time::{Clock, Timestamp};
use seal::master::LocalKey;
use store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use trail::Trail;
use trust::ca::Ca;

use super::descriptors::{self, Behind};
use super::embedded::Embedded;
use super::server::Server;
use super::watch::Seen;
use super::{Start, first_start, listeners, watch as files};
use crate::admin;
use crate::admin::api::Ready;
use crate::cli::{Failure, Outcome};
use crate::config::{Config, Protocol};
use crate::data_dir::{self, DataDir};
use crate::logging::Level;
use crate::ops;

/// A server that serves.
pub struct Started {
    pub server: Arc<Server>,
    gateway: Arc<Gateway>,
    embedded: Option<Arc<Embedded>>,
    log: Option<Log>,
    trail: Arc<Trail>,
    stopping: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    _data: DataDir,
}

impl Started {
    /// Ends when the embedded log fails.
    pub async fn log_failed(&self) -> String {
        match &self.log {
            Some(log) => log.failed().await,
            None => std::future::pending().await,
        }
    }

    /// Drains, closes the log, ends the tasks.
    pub async fn stop(self) -> Outcome {
        let limit = self.server.config().gateway.deadlines.drain;
        self.gateway.drain(limit).await;
        let stopped = match &self.embedded {
            Some(embedded) => embedded.stop().await,
            None => Ok(()),
        };
        let _ = self.stopping.send(true);
        for task in self.tasks {
            let _ = tokio::time::timeout(Duration::from_secs(2), task).await;
        }
        let _ = self
            .trail
            .record(Event::new("system.stop", Class::Critical, EventOutcome::Ok))
            .await;
        let _ = self.trail.flush().await;
        stopped.map_err(|error| Failure::Refused(error.to_string()))
    }
}

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::Usage(error.to_string())
}

pub async fn start(start: Start, level: Level) -> Result<Started, Failure> {
    let Start {
        data,
        config_file,
        config,
        overrides,
        admin_password,
        ready_file,
    } = start;
    let clock = Clock::system();
    let directory = DataDir::open(&data).map_err(usage)?;
    let config = fit(config)?;
    let metrics = ops::recorder().map_err(usage)?;
    let (bound, ops_socket) = bind_all(&config).await?;
    let trail = Trail::open(
        &directory.join("trail"),
        clock.clone(),
        &listeners::host_name(),
    )
    .map_err(usage)?;
    let addresses = bound
        .iter()
        .map(|(settings, address, _)| (settings, *address));
    let own_names = listeners::own_names(&config, addresses);
    let ca = open_ca(directory.join("ca"), own_names, clock.now());
    let super_users: BTreeSet<_> = config.gateway.super_users.iter().cloned().collect();
    let store = Store::open(
        &directory.join("store.db"),
        super_users,
        trail.clone(),
        clock.clone(),
    )
    .await
    .map_err(usage)?;
    // The store has delivered what it knows of changes that an earlier process announced.
    trail.settle().await.map_err(usage)?;
    let ca = ca.await.map_err(usage)??;
    let (mut standing, mut gateway_listeners, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (settings, address, socket) in bound {
        match listeners::stand(settings, address, &ca, clock.now()) {
            Ok((one, listener)) => {
                standing.push(one);
                gateway_listeners.push((listener, socket));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::Usage(problems.join("\n")));
    }
    let ops_address = ops_socket.local_addr().map_err(usage)?.to_string();
    let ready = ready_facts(&standing, &ops_address, &ca);
    let (upstream, embedded, log) = open_upstream(&config, &directory, &trail, &clock).await?;
    let password = if store.user(first_start::ADMIN).is_none() && directory.is_new {
        Some(
            first_start::make_admin(&store, admin_password)
                .await
                .map_err(usage)?,
        )
    } else {
        None
    };
    let server = Arc::new(Server {
        store: store.clone(),
        trail: trail.clone(),
        clock: clock.clone(),
        ca,
        config: ArcSwap::from_pointee(config),
        config_file,
        overrides,
        listeners: Mutex::new(standing),
        log: log.clone(),
        ready: ArcSwap::from_pointee(ready.clone()),
        level,
        gateway: OnceLock::new(),
        reloading: tokio::sync::Mutex::new(()),
    });
    let seen = Seen::now(&server);
    let (limits, deadlines) = listeners::settings(&server.config());
    let ports = Ports {
        credentials: store.clone(),
        policy: store.clone(),
        rules: store.clone(),
        scram: store.clone(),
        trail: trail.clone(),
        clock,
    };
    let gateway = Gateway::start(limits, deadlines, ports, upstream, gateway_listeners)
        .await
        .map_err(usage)?;
    gateway.except(listeners::exceptions(&server.config()));
    store.on_revocation(gateway.sessions());
    let gateway = Arc::new(gateway);
    server.attach(gateway.clone());
    let (stopping, stopped) = watch::channel(false);
    let tasks = serve_management(&server, ops_socket, metrics, &directory, &stopped, seen)?;
    trail
        .record(Event::new(
            "system.start",
            Class::Critical,
            EventOutcome::Ok,
        ))
        .await
        .map_err(|error| Failure::Refused(error.to_string()))?;
    announce(&ready, ready_file.as_deref(), &data, password)?;
    Ok(Started {
        server,
        gateway,
        embedded,
        log,
        trail,
        stopping,
        tasks,
        _data: directory,
    })
}

/// The CA with a certificate of the server, made beside what else waits for the disk.
fn open_ca(path: PathBuf, names: Vec<String>, now: Timestamp) -> JoinHandle<Result<Ca, Failure>> {
    tokio::task::spawn_blocking(move || {
        let ca = Ca::open(&path, now).map_err(usage)?;
        ca.ensure_server(&names, now).map_err(usage)?;
        Ok(ca)
    })
}

/// As many connections as the open-file limit allows, unless a number was asked for.
fn fit(mut config: Config) -> Result<Config, Failure> {
    let limits = &mut config.gateway.limits;
    let asked = limits.max_connections;
    let behind = Behind::of(config.gateway.upstream.is_some());
    let connections = descriptors::settle(asked, behind).map_err(usage)?;
    if asked.is_none() {
        tracing::info!(
            max_connections = connections,
            "Connections follow the open-file limit"
        );
    }
    limits.max_connections = Some(connections);
    Ok(config)
}

/// Kafka listeners and the ops address; every address that is taken is named.
async fn bind_all(
    config: &Config,
) -> Result<(Vec<listeners::Bound>, tokio::net::TcpListener), Failure> {
    let ops = ops::bind(config.ops.bind)
        .await
        .map_err(|error| listeners::taken("ops", config.ops.bind, &error));
    match (listeners::bind(config).await, ops) {
        (Ok(bound), Ok(ops)) => Ok((bound, ops)),
        (bound, ops) => {
            let mut problems = bound.err().unwrap_or_default();
            problems.extend(ops.err());
            Err(Failure::Usage(problems.join("\n")))
        }
    }
}

/// Where clients find what.
pub fn ready_facts(standing: &[listeners::Standing], ops: &str, ca: &Ca) -> Ready {
    let address = |protocol: Protocol| {
        let mut listeners = standing.iter();
        let found = listeners.find(|one| one.settings.protocol == protocol)?;
        let advertised = &found.advertised;
        Some(crate::config::host_port(&advertised.host, advertised.port))
    };
    Ready {
        kafka: address(Protocol::SaslSsl),
        kafka_mtls: address(Protocol::Ssl),
        ops: ops.to_owned(),
        ca: ca.certificate_path().display().to_string(),
        pid: std::process::id(),
    }
}

type Served = (Arc<dyn Upstream>, Option<Arc<Embedded>>, Option<Log>);

/// The embedded log, or the configured node.
async fn open_upstream(
    config: &Config,
    directory: &DataDir,
    trail: &Arc<Trail>,
    clock: &Clock,
) -> Result<Served, Failure> {
    if let Some(upstream) = &config.gateway.upstream {
        let address = format!("{}:{}", upstream.bootstrap.host, upstream.bootstrap.port);
        tracing::warn!(upstream = address, "Upstream is reached in clear text");
        return Ok((Arc::new(TcpUpstream::new(address, 256 << 20)), None, None));
    }
    let key_path = config
        .log
        .master_key
        .clone()
        .unwrap_or_else(|| directory.join("master.key"));
    let key = open_master_key(&key_path, directory)?;
    let disk = RealDisk::open(&directory.join("log"))
        .map_err(|error| usage(format!("{}: {error}", directory.join("log").display())))?;
    let log = &config.log;
    let mut options = Options {
        auto_create_topics: log.auto_create_topics,
        partitions: i32::try_from(log.num_partitions).unwrap_or(1),
        ..Options::default()
    };
    options.log.trail = Some(broker::options::Trail(trail.clone()));
    let anchor = trail::newest(&directory.join("trail"), AnchorMark::KIND).map_err(usage)?;
    options.log.last_anchor = anchor.and_then(|entry| AnchorMark::read(&entry.event));
    options.log.padding = log.pad_frames;
    options.groups.initial_delay = log.initial_rebalance_delay;
    options.log.sync_linger = log.sync_linger;
    options.log.retention_check = log.retention_check;
    options.log.min_free = log.min_free.map(|size| size.0);
    options.log.max_topics = usize::try_from(log.max_topics).unwrap_or(usize::MAX);
    options.log.max_partitions = usize::try_from(log.max_partitions).unwrap_or(usize::MAX);
    let broker = Broker::open(options, Arc::new(key), Arc::new(disk), clock.clone())
        .await
        .map_err(usage)?;
    let log = broker.log().clone();
    let embedded = Embedded::new(broker, config.log.auto_create_topics);
    Ok((embedded.clone(), Some(embedded), Some(log)))
}

/// The key file; made beside the log at the first start only.
fn open_master_key(path: &Path, directory: &DataDir) -> Result<LocalKey, Failure> {
    if path.exists() || !directory.is_new {
        return LocalKey::load(path).map_err(|error| {
            usage(format!(
                "master key: {error}\nnext: put the key file back, or name it with log.master_key"
            ))
        });
    }
    let key = LocalKey::create(path).map_err(usage)?;
    tracing::info!(path = %path.display(), "Made a master key: keep a copy apart from the log");
    Ok(key)
}

/// Admin socket, metrics and health, watched files.
fn serve_management(
    server: &Arc<Server>,
    ops_socket: tokio::net::TcpListener,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
    directory: &DataDir,
    stopped: &watch::Receiver<bool>,
    seen: Seen,
) -> Result<Vec<JoinHandle<()>>, Failure> {
    let socket = admin::server::bind(directory.path()).map_err(|error| {
        usage(format!(
            "{}: admin socket: {error}",
            directory.path().display()
        ))
    })?;
    let stop = |mut stopped: watch::Receiver<bool>| async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let (admin_server, admin_stop) = (server.clone(), stop(stopped.clone()));
    let (ops_server, ops_stop) = (server.clone(), stop(stopped.clone()));
    let watched = Arc::downgrade(server);
    let watching = stop(stopped.clone());
    Ok(vec![
        tokio::spawn(async move {
            if let Err(error) = admin::server::serve(socket, admin_server, admin_stop).await {
                tracing::error!(%error, "Admin socket failed");
            }
        }),
        tokio::spawn(async move {
            if let Err(error) = ops::serve(ops_socket, ops_server, metrics, ops_stop).await {
                tracing::error!(%error, "Metrics and health failed");
            }
        }),
        tokio::spawn(async move {
            tokio::select! { () = watching => {}, () = files::run(watched, seen) => {} }
        }),
    ])
}

/// Says where it listens, and writes the ready file.
fn announce(
    ready: &Ready,
    file: Option<&Path>,
    data: &Path,
    password: Option<Option<String>>,
) -> Result<(), Failure> {
    let text = match &password {
        Some(password) => {
            first_start::welcome(ready, &data.display().to_string(), password.as_deref())
        }
        None => first_start::listening(ready),
    };
    crate::cli::print(&text);
    let Some(file) = file else { return Ok(()) };
    let json = serde_json::to_vec(ready).map_err(usage)?;
    data_dir::replace(file, &json).map_err(|error| usage(format!("{}: {error}", file.display())))
}
