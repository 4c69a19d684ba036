//! What a running server knows of itself: status, certificates for clients and for itself.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use broker::log::Log;
use gateway::Gateway;
use kastellan_core::meter::Page;
use kastellan_core::ports::{PolicySource, Requester, Revocation};
use kastellan_core::time::Clock;
use store::Store;
use trail::Trail;
use trust::ca::{Ca, ClientCertificate};
use trust::server::TlsSource;

use super::listeners::{self, Standing};
use super::{LogAdmin, Overrides};
use crate::admin::api::{Ready, Status};
use crate::admin::server::NoLog;
use crate::config::Config;
use crate::logging::Level;
use crate::ops::families::{CERTIFICATE_EXPIRY, CRL_NEXT_UPDATE};

pub struct Server {
    pub store: Arc<Store>,
    pub(super) trail: Arc<Trail>,
    pub(super) clock: Clock,
    pub(super) ca: Ca,
    pub(super) config: ArcSwap<Config>,
    pub(super) config_file: Option<PathBuf>,
    pub(super) overrides: Overrides,
    pub(super) listeners: Mutex<Vec<Standing>>,
    pub(super) log: Option<Log>,
    pub(super) ready: ArcSwap<Ready>,
    pub(super) level: Level,
    pub(super) gateway: OnceLock<Arc<Gateway>>,
    /// One reload at a time.
    pub(super) reloading: tokio::sync::Mutex<()>,
}

impl Server {
    pub(super) fn attach(&self, gateway: Arc<Gateway>) {
        let _ = self.gateway.set(gateway);
    }

    /// The listeners that are open.
    pub(super) fn standing(&self) -> Vec<Standing> {
        self.listeners
            .lock()
            .expect("nobody panics while holding it")
            .clone()
    }

    pub(super) fn set_standing(&self, standing: Vec<Standing>) {
        *self
            .listeners
            .lock()
            .expect("nobody panics while holding it") = standing;
    }

    pub fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    pub fn addresses(&self) -> Arc<Ready> {
        self.ready.load_full()
    }

    /// What is missing for a login to succeed; empty: ready.
    pub fn waiting_for(&self) -> Vec<String> {
        let mut missing = Vec::new();
        match self.gateway.get() {
            None => missing.push("gateway".to_owned()),
            Some(gateway) if !gateway.watch().is_reached() => missing.push("upstream".to_owned()),
            Some(_) => {}
        }
        if self.log.as_ref().is_some_and(Log::has_failed) {
            missing.push("log".to_owned());
        }
        missing
    }

    pub fn status(&self) -> Status {
        let waiting_for = self.waiting_for();
        let (connections, sessions, upstream) = match self.gateway.get().map(|one| one.watch()) {
            Some(gateway) => (
                gateway.connections() as u64,
                gateway.sessions() as u64,
                gateway.upstream(),
            ),
            None => (0, 0, String::new()),
        };
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: self.clock.monotonic().as_secs(),
            addresses: Ready::clone(&self.addresses()),
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
        if let Some(gateway) = self.gateway.get() {
            gateway.watch().write_meters(page);
        }
        let now = self.clock.now();
        page.begin(&CERTIFICATE_EXPIRY);
        for listener in self.standing() {
            let Some(source) = &listener.source else {
                continue;
            };
            let left = source.not_after().since(now);
            let name = listener.settings.name.as_str();
            page.sample(&CERTIFICATE_EXPIRY, &[name], left.as_secs());
        }
        page.begin(&CRL_NEXT_UPDATE);
        for listener in self.standing() {
            let end = listener.source.as_ref().and_then(|one| one.lists_end());
            if let Some(end) = end {
                let name = listener.settings.name.as_str();
                page.sample(&CRL_NEXT_UPDATE, &[name], end.since(now).as_secs());
            }
        }
    }

    pub fn shown_config(&self) -> String {
        self.config.load().show()
    }

    pub fn log(&self) -> Result<LogAdmin<'_>, NoLog> {
        self.log.as_ref().map(LogAdmin).ok_or(NoLog)
    }

    /// A certificate for a service, remembered so that it can be revoked.
    pub async fn issue_client_certificate(
        &self,
        name: &str,
        by: &Requester,
    ) -> anyhow::Result<ClientCertificate> {
        let certificate = self.ca.issue_client(name, self.clock.now())?;
        self.store
            .add_certificate(&certificate.serial, name, certificate.not_after, by)
            .await?;
        Ok(certificate)
    }

    /// Revokes every certificate of a service, and cuts the sessions opened with one.
    pub async fn revoke_certificates(&self, name: &str, by: &Requester) -> anyhow::Result<()> {
        let certificates = self.store.revoke_certificates(name, by).await?;
        if certificates.is_empty() {
            return Ok(());
        }
        self.ca.revoke(&certificates, self.clock.now())?;
        self.reload_tls()?;
        Ok(())
    }

    /// Builds every TLS configuration anew, then judges open certificate sessions again.
    fn reload_tls(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let mut built = Vec::new();
        for one in self.standing() {
            if let Some(source) = one.source {
                let options = listeners::tls_options(&one.settings, &one.advertised, &self.ca);
                built.push((source, TlsSource::new(&options, now)?));
            }
        }
        for (source, new) in built {
            source.take_over(&new);
        }
        if let Some(gateway) = self.gateway.get() {
            gateway.sessions().revoke(Revocation::TrustChanged);
        }
        Ok(())
    }

    /// Renews the own server certificate and revocation list before they end.
    pub(super) async fn renew_certificates(&self) {
        let now = self.clock.now();
        let _turn = self.reloading.lock().await;
        let standing = self.standing();
        let addresses = standing.iter().map(|one| (&one.settings, one.address));
        let names = listeners::own_names(&self.config(), addresses);
        let renewed = self
            .ca
            .ensure_server(&names, now)
            .and_then(|_| self.ca.write_crl(now));
        let outcome = renewed
            .map_err(anyhow::Error::from)
            .and_then(|()| self.reload_tls());
        if let Err(error) = outcome {
            tracing::error!(%error, "Certificates could not be renewed");
        }
        for listener in &standing {
            let Some(source) = &listener.source else {
                continue;
            };
            let left = source.not_after().since(now);
            if left < Duration::from_secs(7 * 86_400) {
                tracing::warn!(
                    listener = listener.settings.name,
                    days = left.as_secs() / 86_400,
                    "Certificate ends soon"
                );
            }
        }
    }

    /// Says again what is not as safe as it could be.
    pub(super) fn remind(&self) {
        for one in self.standing().iter().filter(|one| one.source.is_none()) {
            listeners::warn_in_clear(&one.settings.name);
        }
        if self.config().gateway.upstream.is_some() {
            tracing::warn!("Upstream is reached in clear text");
        }
    }

    /// Files that somebody else writes. Our own CA's change by our hand only, and with each reload: who watched them would
    /// reload for ever.
    pub(super) fn watched_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.config_file.iter().cloned().collect();
        for one in self.standing().iter().filter(|one| one.source.is_some()) {
            let options = listeners::tls_options(&one.settings, &one.advertised, &self.ca);
            files.extend(listeners::watched(&options));
        }
        files.retain(|path| !self.ca.owns(path));
        files
    }
}
