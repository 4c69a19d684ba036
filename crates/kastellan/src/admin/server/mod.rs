//! Answers the admin socket. Who can open it owns the data directory, and may do everything.

mod clients;
mod log;
mod rules;
mod users;

pub use log::NoLog;

use std::path::Path;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kastellan_core::ports::{ChangeError, Requester};
use kastellan_core::principal::PrincipalName;
use store::Store;
use tokio::net::UnixListener;

use super::api::{Problem, Reloaded, Status};
use crate::data_dir;
use crate::run::Server;

/// Bytes of a request body.
const BODY_MAX: usize = 4 << 20;

/// What the handlers share.
pub type Shared = Arc<Server>;

/// Binds the socket. An old one is left over from a server that was killed: the directory's lock is ours.
pub fn bind(dir: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    let (_handle, path) = data_dir::socket_path(dir)?;
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves until `stop` is ready.
pub async fn serve(
    listener: UnixListener,
    server: Shared,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(server))
        .with_graceful_shutdown(stop)
        .await
}

fn router(server: Shared) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/config", get(config))
        .route("/v1/reload", post(reload))
        .route("/v1/users", get(users::list).post(users::add))
        .route("/v1/users/{name}", get(users::show).delete(users::delete))
        .route("/v1/users/{name}/disable", post(users::disable))
        .route("/v1/users/{name}/enable", post(users::enable))
        .route("/v1/users/{name}/password", post(users::password))
        .route("/v1/clients", post(clients::add))
        .route("/v1/clients/{name}/rotate", post(clients::rotate))
        .route(
            "/v1/rules",
            get(rules::list).post(rules::add).delete(rules::remove),
        )
        .route("/v1/explain", post(rules::explain))
        .route("/v1/log/keys", get(log::keys))
        .route("/v1/log/rotate-root", post(log::rotate_root))
        .route("/v1/log/forget-root", post(log::forget_root))
        .route("/v1/log/verify", post(log::verify))
        .route("/v1/log/export", post(log::export))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(server)
}

async fn status(State(server): State<Shared>) -> Json<Status> {
    Json(server.status())
}

async fn config(State(server): State<Shared>) -> Json<String> {
    Json(server.shown_config())
}

async fn reload(State(server): State<Shared>) -> Result<Json<Reloaded>, Refused> {
    server
        .reload()
        .await
        .map(|reloaded| Json(Reloaded { reloaded }))
        .map_err(|problems| Refused::bad(problems, None))
}

/// The requester of whatever comes over this socket.
fn owner() -> Requester {
    Requester {
        principal: PrincipalName::user("admin"),
        proof: "SOCKET",
        peer: None,
        listener: "admin".to_owned(),
    }
}

/// A "no" with its reason and the next step.
pub struct Refused {
    status: StatusCode,
    problem: Problem,
}

impl Refused {
    fn new(status: StatusCode, error: impl ToString, next: Option<&str>) -> Self {
        Self {
            status,
            problem: Problem {
                error: error.to_string(),
                next: next.map(str::to_owned),
            },
        }
    }

    fn bad(error: impl ToString, next: Option<&str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, next)
    }

    fn failed(error: impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error, None)
    }
}

impl From<ChangeError> for Refused {
    fn from(error: ChangeError) -> Self {
        match &error {
            ChangeError::UnknownUser(_) => Self::new(
                StatusCode::NOT_FOUND,
                error,
                Some("kastellan user list, kastellan client list"),
            ),
            ChangeError::UnknownCredential(_) => Self::new(StatusCode::NOT_FOUND, error, None),
            ChangeError::Invalid(_) | ChangeError::TooMany(_) => {
                Self::new(StatusCode::CONFLICT, error, None)
            }
            ChangeError::Unavailable(_) => Self::failed(error),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(self.problem)).into_response()
    }
}

fn store(server: &Shared) -> &Store {
    &server.store
}
