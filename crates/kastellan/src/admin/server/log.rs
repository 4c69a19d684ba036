//! `/v1/log`: the embedded log's keys, verification, export.

use axum::Json;
use axum::extract::State;

use super::{Refused, Shared};
use crate::admin::api::{ExportRequest, Exported, RootKey, RootVersion, Verified};

pub async fn keys(State(server): State<Shared>) -> Result<Json<Vec<RootKey>>, Refused> {
    server
        .log()?
        .keys()
        .await
        .map(Json)
        .map_err(Refused::failed)
}

pub async fn rotate_root(State(server): State<Shared>) -> Result<Json<RootVersion>, Refused> {
    server
        .log()?
        .rotate_root()
        .await
        .map(Json)
        .map_err(Refused::failed)
}

pub async fn forget_root(
    State(server): State<Shared>,
    Json(wanted): Json<RootVersion>,
) -> Result<Json<RootVersion>, Refused> {
    server
        .log()?
        .forget_root(wanted)
        .await
        .map(Json)
        .map_err(Refused::failed)
}

pub async fn verify(State(server): State<Shared>) -> Result<Json<Verified>, Refused> {
    server
        .log()?
        .verify()
        .await
        .map(Json)
        .map_err(Refused::failed)
}

pub async fn export(
    State(server): State<Shared>,
    Json(wanted): Json<ExportRequest>,
) -> Result<Json<Exported>, Refused> {
    server
        .log()?
        .export(wanted)
        .await
        .map(Json)
        .map_err(Refused::failed)
}

/// There is no embedded log in front of a cluster.
pub struct NoLog;

impl From<NoLog> for Refused {
    fn from(_: NoLog) -> Self {
        Self::bad(
            "this server stands in front of a Kafka cluster: it has no log of its own",
            None,
        )
    }
}
