//! Addresses from the command line, which win over the file at the start and at every reload.

use std::net::SocketAddr;

use crate::config::{Config, Protocol};

/// Each names the first listener of its protocol.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides {
    pub kafka: Option<SocketAddr>,
    pub kafka_mtls: Option<SocketAddr>,
    pub ops: Option<SocketAddr>,
}

impl Overrides {
    pub fn apply(&self, config: &mut Config) -> Result<(), String> {
        for (address, protocol, flag) in [
            (self.kafka, Protocol::SaslSsl, "--bind-kafka"),
            (self.kafka_mtls, Protocol::Ssl, "--bind-kafka-mtls"),
        ] {
            let Some(address) = address else { continue };
            let mut listeners = config.gateway.listeners.iter_mut();
            match listeners.find(|listener| listener.protocol == protocol) {
                Some(listener) => listener.bind = address,
                None => return Err(format!("{flag}: the configuration has no such listener")),
            }
        }
        let Some(address) = self.ops else {
            return Ok(());
        };
        if !address.ip().is_loopback() && !config.ops.insecure_accept_remote {
            return Err(
                "--bind-ops: metrics are served without TLS: bind to loopback, or set ops.insecure_accept_remote"
                    .to_owned(),
            );
        }
        config.ops.bind = address;
        Ok(())
    }
}
