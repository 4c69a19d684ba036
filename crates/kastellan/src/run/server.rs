//! What a running server knows of itself: status, reload, certificates for clients.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use broker::log::Log;
use gateway::Gateway;
use gateway::config::HostPort;
use gateway::gateway::GatewayStatus;
use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::meter::Page;
use kastellan_core::ports::{PolicySource, Revocation, RevocationSink, TrailSink};
use kastellan_core::time::Clock;
use store::Store;
use trail::Trail;
use trust::ca::{Ca, ClientCertificate};
use trust::server::TlsSource;

use super::LogAdmin;
use super::listeners;
use crate::admin::api::{Ready, Status};
use crate::admin::server::NoLog;
use crate::config::{Config, ListenerSettings};
use crate::logging::Level;
use crate::ops::families::CERTIFICATE_EXPIRY;

/// A TLS source with what it is made of.
pub(super) struct TlsListener {
    pub(super) settings: ListenerSettings,
    pub(super) advertised: HostPort,
    pub(super) source: Arc<TlsSource>,
}

/// Puts limits of a new configuration in force.
type Reconfigure = Box<dyn Fn(&Config) + Send + Sync>;

pub struct Server {
    pub store: Arc<Store>,
    pub(super) trail: Arc<Trail>,
    pub(super) clock: Clock,
    pub(super) ca: Ca,
    pub(super) own_names: Vec<String>,
    pub(super) config: ArcSwap<Config>,
    pub(super) config_file: Option<PathBuf>,
    pub(super) tls: Vec<TlsListener>,
    pub(super) log: Option<Log>,
    pub(super) ready: Ready,
    pub(super) level: Level,
    pub(super) gateway: OnceLock<(GatewayStatus, Arc<dyn RevocationSink>)>,
    pub(super) limits: OnceLock<Reconfigure>,
}

impl Server {
    pub(super) fn attach(&self, gateway: &Gateway) {
        let _ = self.gateway.set((gateway.watch(), gateway.sessions()));
    }

    pub fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    pub fn addresses(&self) -> &Ready {
        &self.ready
    }

    /// What is missing for a login to succeed; empty: ready.
    pub fn waiting_for(&self) -> Vec<String> {
        let mut missing = Vec::new();
        match self.gateway.get() {
            None => missing.push("gateway".to_owned()),
            Some((gateway, _)) if !gateway.is_reached() => missing.push("upstream".to_owned()),
            Some(_) => {}
        }
        if self.log.as_ref().is_some_and(Log::has_failed) {
            missing.push("log".to_owned());
        }
        missing
    }

    pub fn status(&self) -> Status {
        let waiting_for = self.waiting_for();
        let (connections, sessions, upstream) = match self.gateway.get() {
            Some((gateway, _)) => (
                gateway.connections() as u64,
                gateway.sessions() as u64,
                gateway.upstream(),
            ),
            None => (0, 0, String::new()),
        };
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: self.clock.monotonic().as_secs(),
            addresses: self.ready.clone(),
            ready: waiting_for.is_empty(),
            waiting_for,
            connections,
            sessions,
            rules: PolicySource::current(&*self.store).rules().len(),
            users: self.store.users().len(),
            upstream,
        }
    }

    /// What is looked at when somebody asks for metrics.
    pub fn write_meters(&self, page: &mut Page) {
        if let Some((gateway, _)) = self.gateway.get() {
            gateway.write_meters(page);
        }
        let now = self.clock.now();
        page.begin(&CERTIFICATE_EXPIRY);
        for listener in &self.tls {
            let left = listener.source.not_after().since(now);
            let name = listener.settings.name.as_str();
            page.sample(&CERTIFICATE_EXPIRY, &[name], left.as_secs());
        }
    }

    pub fn shown_config(&self) -> String {
        self.config.load().show()
    }

    pub fn log(&self) -> Result<LogAdmin<'_>, NoLog> {
        self.log.as_ref().map(LogAdmin).ok_or(NoLog)
    }

    /// A certificate for a service, remembered so that it can be revoked.
    pub async fn issue_client_certificate(&self, name: &str) -> anyhow::Result<ClientCertificate> {
        let certificate = self.ca.issue_client(name, self.clock.now())?;
        self.store
            .add_certificate(&certificate.serial, name, certificate.not_after)
            .await?;
        Ok(certificate)
    }

    /// Revokes every certificate of a service, and cuts the sessions opened with one.
    pub async fn revoke_certificates(&self, name: &str) -> anyhow::Result<()> {
        let certificates = self.store.revoke_certificates(name).await?;
        if certificates.is_empty() {
            return Ok(());
        }
        self.ca.revoke(&certificates, self.clock.now())?;
        self.reload_tls()?;
        Ok(())
    }

    /// Reads the configuration, certificates and revocation lists again. What is wrong leaves the old in force.
    pub async fn reload(&self) -> Result<Vec<String>, String> {
        let outcome = self.reload_now();
        let (label, event) = match &outcome {
            Ok(_) => ("ok", Outcome::Ok),
            Err(error) => {
                tracing::error!(%error, "Reload refused: the old configuration stays");
                ("refused", Outcome::Failed)
            }
        };
        metrics::counter!("gateway_reloads_total", "outcome" => label).increment(1);
        self.trail
            .note(Event::new("system.config", Class::Critical, event).why("reload"));
        outcome
    }

    fn reload_now(&self) -> Result<Vec<String>, String> {
        let mut done = Vec::new();
        if let Some(file) = &self.config_file {
            let config = Config::load(file).map_err(|problems| problems.to_string())?;
            done.extend(self.adopt(config));
        }
        self.ca
            .write_crl(self.clock.now())
            .map_err(|error| error.to_string())?;
        self.reload_tls().map_err(|error| error.to_string())?;
        done.push("certificates and revocation lists".to_owned());
        tracing::info!("Reloaded");
        Ok(done)
    }

    /// Puts in force what can change while the server runs.
    fn adopt(&self, config: Config) -> Vec<String> {
        let old = self.config.load_full();
        self.level.set(&config.logging.level);
        if let Some(change) = self.limits.get() {
            change(&config);
        }
        let mut done = vec!["limits, deadlines, log level".to_owned()];
        let sockets = |config: &Config| {
            let listeners = config.gateway.listeners.iter();
            listeners
                .map(|one| (one.name.clone(), one.protocol as u8))
                .collect::<Vec<_>>()
        };
        if sockets(&old) != sockets(&config)
            || old.gateway.super_users != config.gateway.super_users
        {
            done.push("listeners and super users: from the next start on".to_owned());
        }
        self.config.store(Arc::new(config));
        done
    }

    /// Builds every TLS configuration anew, then judges open certificate sessions again.
    fn reload_tls(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let config = self.config.load();
        for listener in &self.tls {
            let current = config
                .gateway
                .listeners
                .iter()
                .find(|one| one.name == listener.settings.name);
            let settings = current.unwrap_or(&listener.settings);
            let options = listeners::tls_options(settings, &listener.advertised, &self.ca);
            listener.source.reload(&options, now)?;
        }
        if let Some((_, sessions)) = self.gateway.get() {
            sessions.revoke(Revocation::TrustChanged);
        }
        Ok(())
    }

    /// Renews the own server certificate and revocation list before they end.
    pub(super) async fn renew_certificates(&self) {
        let now = self.clock.now();
        let renewed = self
            .ca
            .ensure_server(&self.own_names, now)
            .and_then(|_| self.ca.write_crl(now));
        let outcome = renewed
            .map_err(anyhow::Error::from)
            .and_then(|()| self.reload_tls());
        if let Err(error) = outcome {
            tracing::error!(%error, "Certificates could not be renewed");
        }
        for listener in &self.tls {
            let left = listener.source.not_after().since(now);
            if left < Duration::from_secs(7 * 86_400) {
                tracing::warn!(
                    listener = listener.settings.name,
                    days = left.as_secs() / 86_400,
                    "Certificate ends soon"
                );
            }
        }
    }

    pub(super) fn watched_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.config_file.iter().cloned().collect();
        for listener in &self.tls {
            let options =
                listeners::tls_options(&listener.settings, &listener.advertised, &self.ca);
            files.extend(listeners::watched(&options));
        }
        files
    }
}
