//! Metrics and health for monitoring: plain HTTP, loopback unless asked otherwise, nothing secret in it.

pub mod families;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use kastellan_core::meter::{self, Page};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::run::Server;

#[derive(Clone)]
struct Shared {
    server: Arc<Server>,
    metrics: PrometheusHandle,
}

/// Installs the recorder that every `metrics` call of the process reports to.
pub fn recorder() -> anyhow::Result<PrometheusHandle> {
    let bounds = meter::REQUESTS.map(|nanos| nanos as f64 / 1e9);
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new()
        .set_buckets(&bounds)?
        .install_recorder()?;
    families::describe();
    Ok(recorder)
}

/// What was recorded is put into its buckets this often; until then every single value is kept.
const UPKEEP: Duration = Duration::from_secs(5);

async fn keep_up(metrics: &PrometheusHandle) -> ! {
    loop {
        tokio::time::sleep(UPKEEP).await;
        metrics.run_upkeep();
    }
}

pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

pub async fn serve(
    listener: TcpListener,
    server: Arc<Server>,
    metrics: PrometheusHandle,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(render))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(Shared {
            server,
            metrics: metrics.clone(),
        });
    let serving = axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .into_future();
    tokio::select! {
        served = serving => served,
        never = keep_up(&metrics) => never,
    }
}

async fn render(State(shared): State<Shared>) -> impl IntoResponse {
    shared.metrics.run_upkeep();
    let mut page = Page::default();
    shared.server.write_meters(&mut page);
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        shared.metrics.render() + &page.into_text(),
    )
}

/// 200 when a login would succeed, else 503 with what is missing.
async fn ready(State(shared): State<Shared>) -> impl IntoResponse {
    let waiting_for = shared.server.waiting_for();
    if waiting_for.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("waiting for {}\n", waiting_for.join(", ")),
        )
    }
}
