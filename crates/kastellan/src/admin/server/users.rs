//! `/v1/users`

use axum::Json;
use axum::extract::{Path, Query, State};
use kastellan_core::secret::Secret;
use store::{Store, UserFacts, UserKind, UserName};

use super::{Refused, Shared, owner, store};
use crate::admin::api::{AddUser, Changed, SetPassword, User};

#[derive(serde::Deserialize)]
pub struct Wanted {
    kind: Option<String>,
}

pub async fn list(State(server): State<Shared>, Query(wanted): Query<Wanted>) -> Json<Vec<User>> {
    let users = store(&server).users().into_iter();
    let users = users.filter(|user| {
        wanted
            .kind
            .as_deref()
            .is_none_or(|kind| kind == user.kind.word())
    });
    Json(users.map(show_user).collect())
}

pub async fn show(
    State(server): State<Shared>,
    Path(name): Path<String>,
) -> Result<Json<User>, Refused> {
    Ok(Json(show_user(known(&server, &name)?)))
}

pub async fn add(
    State(server): State<Shared>,
    Json(wanted): Json<AddUser>,
) -> Result<Json<Changed>, Refused> {
    let name = UserName::parse(&wanted.name).map_err(|error| Refused::bad(error, None))?;
    let (password, made) = given_or_made(wanted.password)?;
    store(&server).add_person(&name, password, &owner()).await?;
    Ok(Json(Changed {
        name: wanted.name,
        password: made,
    }))
}

pub async fn password(
    State(server): State<Shared>,
    Path(name): Path<String>,
    Json(wanted): Json<SetPassword>,
) -> Result<Json<Changed>, Refused> {
    if known(&server, &name)?.kind == UserKind::Service {
        return Err(Refused::bad(
            format!("{name} is a client: its secret is random"),
            Some(&format!("kastellan client rotate {name}")),
        ));
    }
    let (password, made) = given_or_made(wanted.password)?;
    store(&server)
        .set_password(&name, password, &owner())
        .await?;
    Ok(Json(Changed {
        name,
        password: made,
    }))
}

pub async fn disable(state: State<Shared>, name: Path<String>) -> Result<Json<Changed>, Refused> {
    set_disabled(state, name, true).await
}

pub async fn enable(state: State<Shared>, name: Path<String>) -> Result<Json<Changed>, Refused> {
    set_disabled(state, name, false).await
}

async fn set_disabled(
    State(server): State<Shared>,
    Path(name): Path<String>,
    disabled: bool,
) -> Result<Json<Changed>, Refused> {
    store(&server)
        .set_disabled(&name, disabled, &owner())
        .await?;
    Ok(Json(Changed {
        name,
        password: None,
    }))
}

pub async fn delete(
    State(server): State<Shared>,
    Path(name): Path<String>,
) -> Result<Json<Changed>, Refused> {
    let user = known(&server, &name)?;
    store(&server).delete_user(&name, &owner()).await?;
    if user.kind == UserKind::Service {
        server
            .revoke_certificates(&name, &owner())
            .await
            .map_err(Refused::failed)?;
    }
    Ok(Json(Changed {
        name,
        password: None,
    }))
}

fn known(server: &Shared, name: &str) -> Result<UserFacts, Refused> {
    let missing = || kastellan_core::ports::ChangeError::UnknownUser(name.to_owned());
    Ok(store(server).user(name).ok_or_else(missing)?)
}

/// The password to set, and its text if it was made here and must be told.
fn given_or_made(given: Option<String>) -> Result<(Secret, Option<String>), Refused> {
    match given {
        Some(password) if password.is_empty() => {
            Err(Refused::bad("a password may not be empty", None))
        }
        Some(password) => Ok((Secret::from(password), None)),
        None => {
            let made = Store::random_password()?;
            let text = String::from_utf8_lossy(made.expose()).into_owned();
            Ok((made, Some(text)))
        }
    }
}

fn show_user(user: UserFacts) -> User {
    User {
        name: user.name,
        kind: user.kind.word().to_owned(),
        disabled: user.disabled,
        mechanisms: user.mechanisms.into_iter().map(str::to_owned).collect(),
        created: user.created.to_rfc3339(),
    }
}
