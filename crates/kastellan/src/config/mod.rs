//! The configuration: read once, checked as a whole, then believed.
//!
//! In: the text of `kastellan.toml`. Out: a [`Config`] without any open question, or every [`Problem`] at once.
//! Nothing behind this line checks it again. What each key means is in [`reference`], which also writes the page
//! `docs/reference/configuration.md`.

mod check;
mod gateway;
mod log;
mod problem;
mod reader;
pub mod reference;
mod show;
pub mod units;

use std::path::Path;

use toml::de::DeTable;

pub use gateway::{
    CertificateSource, ClientAuth, GatewaySettings, ListenerSettings, Mechanism, MinTls,
    PrincipalFrom, Protocol,
};
pub use log::{LogFailure, LogSettings, LoggingSettings, OpsSettings, OwnTlsSettings};
pub use problem::{Problem, Problems};
use reader::{Notes, Section};
pub use show::host_port;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    pub gateway: GatewaySettings,
    pub log: LogSettings,
    pub ops: OpsSettings,
    pub tls: OwnTlsSettings,
    pub logging: LoggingSettings,
}

impl Config {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let whole = |message: String| Problems {
            file: Some(path.to_owned()),
            list: vec![Problem {
                line: None,
                key: String::new(),
                message,
            }],
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| whole(format!("cannot be read: {error}")))?;
        Self::parse(&text).map_err(|list| Problems {
            file: Some(path.to_owned()),
            list,
        })
    }

    /// What holds without any file.
    pub fn defaults() -> Self {
        Self::parse("").expect("an empty configuration is valid: a test holds this")
    }

    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        Self::parse_with(text, &Notes::new(text))
    }

    fn parse_with(text: &str, notes: &Notes) -> Result<Self, Vec<Problem>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            notes.add(error.span().map(|span| span.start), "", error.message());
        }
        let mut root = Section::root(&table, notes.clone());
        let config = Self {
            gateway: gateway::read(&mut root),
            log: log::read_log(&mut root),
            ops: log::read_ops(&mut root),
            tls: log::read_own_tls(&mut root),
            logging: log::read_logging(&mut root),
        };
        check::whole(&config, &root);
        root.finish();
        let problems = notes.take();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(problems)
        }
    }

    /// The resolved configuration as TOML that reads back to the same values. There is no secret in it.
    pub fn show(&self) -> String {
        show::to_toml(self)
    }
}

#[cfg(test)]
mod tests;
