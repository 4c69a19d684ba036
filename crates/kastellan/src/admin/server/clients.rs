//! `/v1/clients`: services with a secret, a certificate, and their configuration.

use axum::Json;
use axum::extract::{Path, State};
use store::{UserKind, UserName};

use super::{Refused, Shared, owner, store};
use crate::admin::api::{AddClient, Bundle};
use crate::bundle;

pub async fn add(
    State(server): State<Shared>,
    Json(wanted): Json<AddClient>,
) -> Result<Json<Bundle>, Refused> {
    let name = UserName::parse(&wanted.name).map_err(|error| Refused::bad(error, None))?;
    let secret = store(&server).add_service(&name, &owner()).await?;
    bundle::make(&server, name.as_str(), &secret, &owner())
        .await
        .map(Json)
        .map_err(Refused::failed)
}

pub async fn rotate(
    State(server): State<Shared>,
    Path(name): Path<String>,
) -> Result<Json<Bundle>, Refused> {
    match store(&server).user(&name) {
        Some(user) if user.kind == UserKind::Person => {
            return Err(Refused::bad(
                format!("{name} is a person"),
                Some(&format!("kastellan user password {name}")),
            ));
        }
        _ => {}
    }
    let secret = store(&server).rotate_secret(&name, &owner()).await?;
    server
        .revoke_certificates(&name, &owner())
        .await
        .map_err(Refused::failed)?;
    bundle::make(&server, &name, &secret, &owner())
        .await
        .map(Json)
        .map_err(Refused::failed)
}
