//! People and services: adding, disabling, deleting, new secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use kastellan_core::credential::{CredentialRevision, ScramMechanism};
use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::ports::{ChangeError, Requester, Revocation, Unavailable};
use kastellan_core::principal::PrincipalName;
use kastellan_core::secret::Secret;
use kastellan_core::time::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};

use crate::credential::{self, UserName};
use crate::snapshot::{Credential, Snapshot, User, Verifier};
use crate::{Store, unavailable};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKind {
    Person,
    Service,
}

impl UserKind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
        }
    }
}

/// What may be told about a user.
#[derive(Clone, Debug)]
pub struct UserFacts {
    pub name: String,
    pub kind: UserKind,
    pub disabled: bool,
    pub created: Timestamp,
    /// SASL mechanisms it can log in with.
    pub mechanisms: Vec<&'static str>,
}

impl UserFacts {
    fn of(name: &str, user: &User) -> Self {
        let mut mechanisms: Vec<&'static str> = ScramMechanism::ALL
            .into_iter()
            .filter(|one| user.scram(*one).is_some())
            .map(ScramMechanism::name)
            .collect();
        if !user.credentials.is_empty() {
            mechanisms.push("PLAIN");
        }
        Self {
            name: name.to_owned(),
            kind: user.kind,
            disabled: user.disabled,
            created: user.created,
            mechanisms,
        }
    }
}

impl Store {
    pub fn users(&self) -> Vec<UserFacts> {
        self.current()
            .users
            .iter()
            .map(|(name, user)| UserFacts::of(name, user))
            .collect()
    }

    pub fn user(&self, name: &str) -> Option<UserFacts> {
        self.current()
            .users
            .get(name)
            .map(|user| UserFacts::of(name, user))
    }

    /// Adds a person with a password.
    pub async fn add_person(
        &self,
        name: &UserName,
        password: Secret,
        by: &Requester,
    ) -> Result<(), ChangeError> {
        let verifiers = slow(move || person_verifiers(&password)).await?;
        self.add(name, UserKind::Person, verifiers, by).await
    }

    /// Adds a service with a random secret, which is told here and never again.
    pub async fn add_service(
        &self,
        name: &UserName,
        by: &Requester,
    ) -> Result<Secret, ChangeError> {
        let (secret, verifiers) = self.service_secret().await?;
        self.add(name, UserKind::Service, verifiers, by).await?;
        Ok(secret)
    }

    /// Sets a new password. Sessions opened with the old one are cut.
    pub async fn set_password(
        &self,
        name: &str,
        password: Secret,
        by: &Requester,
    ) -> Result<(), ChangeError> {
        let verifiers = slow(move || person_verifiers(&password)).await?;
        self.replace_secret(name, verifiers, by).await
    }

    /// A new random secret. Sessions opened with the old one are cut.
    pub async fn rotate_secret(&self, name: &str, by: &Requester) -> Result<Secret, ChangeError> {
        let (secret, verifiers) = self.service_secret().await?;
        self.replace_secret(name, verifiers, by).await?;
        Ok(secret)
    }

    /// A random password for a person, as text.
    pub fn random_password() -> Result<Secret, ChangeError> {
        credential::generate_secret().map_err(crypto)
    }

    async fn service_secret(&self) -> Result<(Secret, Vec<Verifier>), ChangeError> {
        let secret = credential::generate_secret().map_err(crypto)?;
        let (pepper, copy) = (self.pepper.clone(), secret.clone());
        let verifiers = slow(move || {
            let mut verifiers = scram_verifiers(&copy)?;
            verifiers.push(Verifier::Keyed(Secret::new(credential::keyed_hash(
                &pepper, &copy,
            ))));
            Ok(verifiers)
        })
        .await?;
        Ok((secret, verifiers))
    }

    async fn add(
        &self,
        name: &UserName,
        kind: UserKind,
        verifiers: Vec<Verifier>,
        by: &Requester,
    ) -> Result<(), ChangeError> {
        let name = name.as_str();
        let mut database = self.database.lock().await;
        let snapshot = self.current();
        if snapshot.users.contains_key(name) {
            return Err(ChangeError::Invalid(format!(
                "user {name:?} exists already"
            )));
        }
        let created = self.clock.now();
        let mut transaction = database.connection.begin().await.map_err(unavailable)?;
        let (id, credentials) = insert_user(&mut transaction, name, kind, created, verifiers)
            .await
            .map_err(unavailable)?;
        let event = event("user.create", name, by).changed(None, Some(kind.word().to_owned()));
        let staged = self.stage(&mut transaction, vec![event]).await?;
        self.commit(transaction, staged).await?;
        self.publish_users(&snapshot, |users| {
            users.insert(
                name.to_owned(),
                User {
                    id,
                    kind,
                    disabled: false,
                    created,
                    credentials,
                },
            );
        });
        self.deliver(&mut database).await;
        Ok(())
    }

    async fn replace_secret(
        &self,
        name: &str,
        verifiers: Vec<Verifier>,
        by: &Requester,
    ) -> Result<(), ChangeError> {
        let mut database = self.database.lock().await;
        let snapshot = self.current();
        let user = known(&snapshot, name)?.clone();
        let mut transaction = database.connection.begin().await.map_err(unavailable)?;
        sqlx::query("DELETE FROM credentials WHERE user_id = $1")
            .bind(user.id)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        let mut credentials = Vec::new();
        for verifier in verifiers {
            credentials.push(
                insert_credential(&mut transaction, user.id, verifier)
                    .await
                    .map_err(unavailable)?,
            );
        }
        let event = event("user.secret", name, by).changed(None, Some("set".into()));
        let staged = self.stage(&mut transaction, vec![event]).await?;
        self.commit(transaction, staged).await?;
        self.publish_users(&snapshot, |users| {
            users.insert(
                name.to_owned(),
                User {
                    credentials,
                    ..user.clone()
                },
            );
        });
        for old in &user.credentials {
            self.revoke(Revocation::Credential {
                user: name.to_owned(),
                current: None,
                id: old.revision.id,
            });
        }
        self.deliver(&mut database).await;
        Ok(())
    }

    /// Refuses logins and cuts sessions, or lets the user in again.
    pub async fn set_disabled(
        &self,
        name: &str,
        disabled: bool,
        by: &Requester,
    ) -> Result<(), ChangeError> {
        let mut database = self.database.lock().await;
        let snapshot = self.current();
        let user = known(&snapshot, name)?.clone();
        if user.disabled == disabled {
            return Ok(());
        }
        let words = |disabled: bool| Some(if disabled { "disabled" } else { "enabled" }.to_owned());
        let event = event("user.disable", name, by).changed(words(user.disabled), words(disabled));
        let mut transaction = database.connection.begin().await.map_err(unavailable)?;
        sqlx::query("UPDATE users SET disabled = $1 WHERE id = $2")
            .bind(i64::from(disabled))
            .bind(user.id)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        let staged = self.stage(&mut transaction, vec![event]).await?;
        self.commit(transaction, staged).await?;
        self.publish_users(&snapshot, |users| {
            users.insert(name.to_owned(), User { disabled, ..user });
        });
        if disabled {
            self.revoke(Revocation::Principal(PrincipalName::user(name)));
        }
        self.deliver(&mut database).await;
        Ok(())
    }

    /// Deletes the user with its credentials and cuts its sessions. Its rules stay.
    pub async fn delete_user(&self, name: &str, by: &Requester) -> Result<(), ChangeError> {
        let mut database = self.database.lock().await;
        let snapshot = self.current();
        let user = known(&snapshot, name)?;
        let event = event("user.delete", name, by).changed(Some(user.kind.word().to_owned()), None);
        let mut transaction = database.connection.begin().await.map_err(unavailable)?;
        sqlx::query("DELETE FROM users WHERE id = $1")
            .bind(user.id)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        let staged = self.stage(&mut transaction, vec![event]).await?;
        self.commit(transaction, staged).await?;
        self.publish_users(&snapshot, |users| {
            users.remove(name);
        });
        self.revoke(Revocation::Principal(PrincipalName::user(name)));
        self.deliver(&mut database).await;
        Ok(())
    }

    pub(crate) fn publish_users(
        &self,
        snapshot: &Snapshot,
        change: impl FnOnce(&mut BTreeMap<String, User>),
    ) {
        let mut users = BTreeMap::clone(&snapshot.users);
        change(&mut users);
        self.publish(Snapshot {
            users: Arc::new(users),
            policy: snapshot.policy.clone(),
        });
    }
}

fn known<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a User, ChangeError> {
    snapshot
        .users
        .get(name)
        .ok_or_else(|| ChangeError::UnknownUser(name.to_owned()))
}

pub(crate) fn event(kind: &str, name: &str, by: &Requester) -> Event {
    let event = Event::new(kind, Class::Critical, Outcome::Ok)
        .by(&by.principal, Some(by.proof))
        .on("user", name);
    match by.peer {
        Some(peer) => event.from_peer(peer, &by.listener),
        None => event.with("listener", &by.listener),
    }
}

pub(crate) async fn insert_user(
    connection: &mut SqliteConnection,
    name: &str,
    kind: UserKind,
    created: Timestamp,
    verifiers: Vec<Verifier>,
) -> Result<(i64, Vec<Credential>), sqlx::Error> {
    let id: i64 =
        sqlx::query("INSERT INTO users (name, kind, created) VALUES ($1, $2, $3) RETURNING id")
            .bind(name)
            .bind(kind.word())
            .bind(created.millis())
            .fetch_one(&mut *connection)
            .await?
            .get(0);
    let mut credentials = Vec::new();
    for verifier in verifiers {
        credentials.push(insert_credential(connection, id, verifier).await?);
    }
    Ok((id, credentials))
}

/// Adds a credential. Ids are never used twice, so a session keeps naming the one it was opened with.
pub(crate) async fn insert_credential(
    connection: &mut SqliteConnection,
    user: i64,
    verifier: Verifier,
) -> Result<Credential, sqlx::Error> {
    let query = sqlx::query(
        "INSERT INTO credentials (user_id, kind, revision, salt, iterations, stored_key, server_key, verifier) \
         VALUES ($1, $2, 1, $3, $4, $5, $6, $7) RETURNING id",
    )
    .bind(user)
    .bind(verifier.kind());
    let query = match &verifier {
        Verifier::Scram(scram) => query
            .bind(Some(scram.salt.clone()))
            .bind(Some(i64::from(scram.iterations)))
            .bind(Some(scram.stored_key.expose().to_vec()))
            .bind(Some(scram.server_key.expose().to_vec()))
            .bind(None::<Vec<u8>>),
        Verifier::Password(text) => bind_hash(query, text.as_bytes().to_vec()),
        Verifier::Keyed(hash) => bind_hash(query, hash.expose().to_vec()),
    };
    let id = query.fetch_one(connection).await?.get(0);
    Ok(Credential {
        revision: CredentialRevision { id, revision: 1 },
        verifier,
    })
}

type Query<'a> = sqlx::query::Query<'a, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn bind_hash(query: Query<'_>, hash: Vec<u8>) -> Query<'_> {
    query
        .bind(None::<Vec<u8>>)
        .bind(None::<i64>)
        .bind(None::<Vec<u8>>)
        .bind(None::<Vec<u8>>)
        .bind(Some(hash))
}

fn scram_verifiers(secret: &Secret) -> Result<Vec<Verifier>, credential::CryptoError> {
    ScramMechanism::ALL
        .into_iter()
        .map(|mechanism| credential::scram_verifier(mechanism, secret).map(Verifier::Scram))
        .collect()
}

fn person_verifiers(password: &Secret) -> Result<Vec<Verifier>, credential::CryptoError> {
    let mut verifiers = scram_verifiers(password)?;
    verifiers.push(Verifier::Password(credential::hash_password(password)?));
    Ok(verifiers)
}

/// Key derivation takes milliseconds: not on an async thread.
async fn slow<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, credential::CryptoError> + Send + 'static,
) -> Result<T, ChangeError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| {
            ChangeError::Unavailable(Unavailable("the secret could not be derived".to_owned()))
        })?
        .map_err(crypto)
}

fn crypto(error: credential::CryptoError) -> ChangeError {
    ChangeError::Unavailable(Unavailable(error.to_string()))
}
