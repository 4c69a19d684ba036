//! Log lines on standard error: for people, or as JSON for machines.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config::LoggingSettings;

/// Changes the level of a running process.
#[derive(Clone)]
pub struct Level(reload::Handle<Targets, Registry>);

impl Level {
    /// Sets the level again; the configuration has checked the text.
    pub fn set(&self, level: &str) {
        if let Ok(targets) = level.parse::<Targets>() {
            let _ = self.0.reload(targets);
        }
    }
}

/// Installs the log. Once a process.
pub fn install(settings: &LoggingSettings) -> Level {
    let targets: Targets = settings.level.parse().unwrap_or_default();
    let (filter, handle) = reload::Layer::new(targets);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if settings.json {
        Box::new(
            fmt::layer()
                .json()
                .with_writer(std::io::stderr)
                .with_filter(filter),
        )
    } else {
        Box::new(
            fmt::layer()
                .with_ansi(false)
                .with_target(false)
                .with_writer(std::io::stderr)
                .with_filter(filter),
        )
    };
    let _ = tracing_subscriber::registry().with(lines).try_init();
    Level(handle)
}
