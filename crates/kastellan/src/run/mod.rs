//! A server's life: start, serve, reload, stop. The only place where the products meet.

mod descriptors;
mod embedded;
mod first_start;
mod listeners;
mod log_admin;
mod overrides;
mod reload;
mod server;
mod start;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::{Failure, Outcome};
use crate::config::{Config, LogFailure};
use crate::logging;

pub use log_admin::LogAdmin;
pub use overrides::Overrides;
pub use server::Server;
use start::Started;

/// What a server is started with.
pub struct Start {
    pub data: PathBuf,
    pub config_file: Option<PathBuf>,
    pub config: Config,
    pub overrides: Overrides,
    /// For the first start; made and printed when absent.
    pub admin_password: Option<String>,
    pub ready_file: Option<PathBuf>,
}

/// Runs until a signal or a failed log ends it.
pub fn run(start: Start) -> Outcome {
    let level = logging::install(&start.config.logging);
    // The cryptographic library gathers entropy for some 20 ms before its first random byte: meanwhile files are read.
    std::thread::spawn(trust::random::prepare);
    // One of them may wait for the disk while the others serve (`broker::shard`).
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .map_err(|error| Failure::Refused(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(serve(start, level));
    runtime.shutdown_timeout(Duration::from_secs(5));
    outcome
}

async fn serve(start: Start, level: logging::Level) -> Outcome {
    let mut terminate = signals(SignalKind::terminate())?;
    let mut interrupt = signals(SignalKind::interrupt())?;
    let mut hangup = signals(SignalKind::hangup())?;
    let started = start::start(start, level).await?;
    let ended = loop {
        tokio::select! {
            _ = terminate.recv() => break None,
            _ = interrupt.recv() => break None,
            reason = started.log_failed() => break Some(reason),
            _ = hangup.recv() => {
                // The outcome is logged there; the old configuration stays when the new one is wrong.
                let _ = started.server.reload().await;
            }
        }
    };
    stop(started, ended).await
}

fn signals(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::Refused(format!("signals cannot be received: {error}")))
}

/// Stops accepting, answers what is in flight, closes the log.
async fn stop(started: Started, log_failure: Option<String>) -> Outcome {
    if log_failure.is_some() && started.server.config().log.on_failure == LogFailure::Stay {
        // Serves refusals until somebody stops it.
        if let (Ok(mut terminate), Ok(mut interrupt)) = (
            signals(SignalKind::terminate()),
            signals(SignalKind::interrupt()),
        ) {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        }
    }
    tracing::info!("Stopping");
    let stopped = started.stop().await;
    match log_failure {
        Some(reason) => Err(Failure::LogFailed(format!(
            "the log could not be made durable: {reason}\nnext: check the disk, then start again; recovery rewrites what was not proven durable"
        ))),
        None => stopped,
    }
}
