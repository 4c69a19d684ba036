//! Metrics and health for monitoring: plain HTTP, loopback unless asked otherwise, nothing secret in it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
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
    Ok(metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder()?)
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
        .with_state(Shared { server, metrics });
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
}

async fn render(State(shared): State<Shared>) -> impl IntoResponse {
    shared.metrics.run_upkeep();
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        shared.metrics.render(),
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
