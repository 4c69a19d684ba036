//! Reload: the configuration is read anew and put in force without dropping a connection.
//!
//! In: the file, certificates, revocation lists. Out: what was done, or every reason why nothing was. A plan is made
//! whole, with sockets bound and certificates checked, before anything changes. What only a start can change is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use gateway::config::{Encryption, Listener};
use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::ports::{Requester, Revocation, TrailSink};
use kastellan_core::principal::PrincipalName;
use tokio::net::TcpListener;

use super::descriptors::{self, Behind};
use super::listeners::{self, Standing};
use super::{Server, start};
use crate::config::Config;

/// Everything that is about to be in force.
struct Plan {
    config: Config,
    /// With a socket: new.
    listeners: Vec<(Standing, Listener, Option<TcpListener>)>,
    closed: Vec<String>,
    /// What only a start changes.
    later: Vec<String>,
}

impl Server {
    /// Reads everything again. What is wrong leaves the old in force.
    pub async fn reload(&self) -> Result<Vec<String>, String> {
        let _turn = self.reloading.lock().await;
        let outcome = match self.plan().await {
            Ok(plan) => self.adopt(plan).await,
            Err(problems) => Err(problems),
        };
        let (label, event) = match &outcome {
            Ok(done) => {
                tracing::info!(done = done.join("; "), "Reloaded");
                ("ok", Outcome::Ok)
            }
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

    fn read_again(&self) -> Result<Config, String> {
        let mut config = match &self.config_file {
            Some(file) => Config::load(file).map_err(|problems| problems.to_string())?,
            None => Config::clone(&self.config()),
        };
        self.overrides.apply(&mut config)?;
        let limits = &mut config.gateway.limits;
        let behind = Behind::of(self.config().gateway.upstream.is_some());
        limits.max_connections = Some(descriptors::settle(limits.max_connections, behind)?);
        Ok(config)
    }

    /// Checks all of it, and changes nothing that anybody sees.
    async fn plan(&self) -> Result<Plan, String> {
        let mut config = self.read_again()?;
        let mut later = only_at_start(&self.config(), &config);
        let (standing, mut problems, mut found) = (self.standing(), Vec::new(), Vec::new());
        for settings in &mut config.gateway.listeners {
            let live = standing
                .iter()
                .find(|one| one.settings.name == settings.name);
            match live {
                Some(live) => {
                    if settings.bind != live.settings.bind {
                        later.push(format!("listener {}: bind", settings.name));
                        settings.bind = live.settings.bind;
                    }
                    found.push((settings.clone(), live.address, None));
                }
                None => match listeners::bind_one(settings).await {
                    Ok((socket, address)) => found.push((settings.clone(), address, Some(socket))),
                    Err(problem) => problems.push(problem),
                },
            }
        }
        let now = self.clock.now();
        let addresses = found
            .iter()
            .map(|(settings, address, _)| (settings, *address));
        let names = listeners::own_names(&config, addresses);
        let renewed = self.ca.ensure_server(&names, now);
        if let Err(error) = renewed.and_then(|_| self.ca.write_crl(now)) {
            problems.push(error.to_string());
        }
        let mut planned = Vec::new();
        for (settings, address, socket) in found {
            match listeners::stand(settings, address, &self.ca, now) {
                Ok((standing, listener)) => planned.push((standing, listener, socket)),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems.join("\n"));
        }
        let stays = |name: &str| planned.iter().any(|(one, ..)| one.settings.name == name);
        let names = standing.iter().map(|one| one.settings.name.clone());
        Ok(Plan {
            closed: names.filter(|name| !stays(name)).collect(),
            config,
            listeners: planned,
            later,
        })
    }

    /// Puts a plan in force. The one thing that may still fail comes first.
    async fn adopt(&self, plan: Plan) -> Result<Vec<String>, String> {
        let gateway = self.gateway.get().ok_or("the server has not started yet")?;
        let Plan {
            config,
            listeners,
            closed,
            later,
        } = plan;
        let super_users: BTreeSet<PrincipalName> =
            config.gateway.super_users.iter().cloned().collect();
        self.store
            .set_super_users(super_users, &operator())
            .await
            .map_err(|error| error.to_string())?;
        self.level.set(&config.logging.level);
        let (limits, deadlines) = listeners::settings(&config);
        gateway.change_settings(limits, deadlines);
        gateway.except(listeners::exceptions(&config));
        let mut done = vec!["limits, deadlines, super users, log level".to_owned()];
        for name in closed {
            gateway.close_listener(&name);
            self.note_listener(&name, "closed", &mut done);
        }
        let before = self.standing();
        let mut standing = Vec::new();
        for (mut one, mut listener, socket) in listeners {
            let name = one.settings.name.clone();
            let old = before.iter().find(|old| old.settings.name == name);
            if let (Some(old), Some(new)) = (old.and_then(|old| old.source.clone()), &one.source) {
                // Open connections ask the source that judged them.
                old.take_over(new);
                listener.encryption = Encryption::Tls(old.clone());
                one.source = Some(old);
            }
            match socket {
                Some(socket) => {
                    gateway
                        .open_listener(listener, socket)
                        .map_err(|error| error.to_string())?;
                    self.note_listener(&name, "opened", &mut done);
                }
                None => {
                    gateway.change_listener(listener);
                    if old.is_some_and(|old| old.settings != one.settings) {
                        self.note_listener(&name, "changed", &mut done);
                    }
                }
            }
            standing.push(one);
        }
        gateway.sessions().revoke(Revocation::TrustChanged);
        done.push("certificates and revocation lists".to_owned());
        done.extend(
            later
                .into_iter()
                .map(|what| format!("{what}: from the next start on")),
        );
        self.ready.store(Arc::new(start::ready_facts(
            &standing,
            &self.addresses().ops,
            &self.ca,
        )));
        self.set_standing(standing);
        self.config.store(Arc::new(config));
        Ok(done)
    }

    fn note_listener(&self, name: &str, what: &str, done: &mut Vec<String>) {
        done.push(format!("listener {name}: {what}"));
        let event = Event::new("system.listener", Class::Critical, Outcome::Ok)
            .why(what)
            .with("listener", name);
        self.trail.note(event);
    }
}

/// Whoever can change the file.
fn operator() -> Requester {
    Requester {
        principal: PrincipalName::user("admin"),
        proof: "FILE",
        peer: None,
        listener: "configuration".to_owned(),
    }
}

/// What differs and stays as it is until the next start.
fn only_at_start(old: &Config, new: &Config) -> Vec<String> {
    let differs = [
        (
            "gateway.upstream",
            old.gateway.upstream != new.gateway.upstream,
        ),
        ("log", old.log != new.log),
        ("ops", old.ops != new.ops),
        ("logging.format", old.logging.json != new.logging.json),
    ];
    let changed = differs.into_iter().filter(|(_, differs)| *differs);
    changed.map(|(what, _)| what.to_owned()).collect()
}
