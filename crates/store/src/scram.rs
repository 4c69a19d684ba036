//! SCRAM credentials through Kafka's admin protocol: only the derived keys arrive here, never a password.

use kastellan_core::credential::{ScramMechanism, ScramVerifier};
use kastellan_core::event::{Change, Event};
use kastellan_core::ports::{ChangeError, Pending, Requester, Revocation, ScramChange, ScramStore};
use sqlx::Connection;

use crate::credential::UserName;
use crate::database::Database;
use crate::snapshot::{Snapshot, User, Verifier};
use crate::users::{UserKind, event, insert_credential, insert_user};
use crate::{Store, unavailable};

impl ScramStore for Store {
    fn list(&self) -> Vec<(String, Vec<(ScramMechanism, u32)>)> {
        let snapshot = self.current();
        let with_scram = snapshot.users.iter().filter_map(|(name, user)| {
            let mechanisms: Vec<(ScramMechanism, u32)> = ScramMechanism::ALL
                .into_iter()
                .filter_map(|mechanism| Some((mechanism, user.scram(mechanism)?.0.iterations)))
                .collect();
            (!mechanisms.is_empty()).then(|| (name.clone(), mechanisms))
        });
        with_scram.collect()
    }

    fn change<'a>(
        &'a self,
        changes: Vec<ScramChange>,
        by: &'a Requester,
    ) -> Pending<'a, Vec<Result<(), ChangeError>>> {
        Box::pin(async move {
            let mut database = self.database.lock().await;
            let mut outcomes = Vec::with_capacity(changes.len());
            for change in changes {
                let outcome = match change {
                    ScramChange::Set { user, verifier } => {
                        self.set(&mut database, &user, verifier, by).await
                    }
                    ScramChange::Delete { user, mechanism } => {
                        self.unset(&mut database, &user, mechanism, by).await
                    }
                };
                outcomes.push(outcome);
            }
            outcomes
        })
    }
}

impl Store {
    async fn set(
        &self,
        database: &mut Database,
        name: &str,
        verifier: ScramVerifier,
        by: &Requester,
    ) -> Result<(), ChangeError> {
        let name =
            UserName::parse(name).map_err(|error| ChangeError::Invalid(error.to_string()))?;
        let name = name.as_str();
        let snapshot = self.current();
        let mechanism = verifier.mechanism;
        let event = secret_event(name, mechanism, by);
        let mut transaction = database.connection.begin().await.map_err(unavailable)?;
        let (user, old) = match snapshot.users.get(name) {
            None => {
                let created = self.clock.now();
                let verifiers = vec![Verifier::Scram(verifier)];
                let (id, credentials) =
                    insert_user(&mut transaction, name, UserKind::Person, created, verifiers)
                        .await
                        .map_err(unavailable)?;
                (
                    User {
                        id,
                        kind: UserKind::Person,
                        disabled: false,
                        created,
                        credentials,
                    },
                    Vec::new(),
                )
            }
            Some(user) => {
                // The credential is a new secret: whatever else this user could log in with is the old one.
                sqlx::query("DELETE FROM credentials WHERE user_id = $1 AND (kind = $2 OR kind NOT LIKE 'SCRAM%')")
                    .bind(user.id)
                    .bind(mechanism.name())
                    .execute(&mut *transaction)
                    .await
                    .map_err(unavailable)?;
                let stays = |verifier: &Verifier| matches!(verifier, Verifier::Scram(one) if one.mechanism != mechanism);
                let (mut credentials, old): (Vec<_>, Vec<_>) = user
                    .credentials
                    .iter()
                    .cloned()
                    .partition(|credential| stays(&credential.verifier));
                let fresh = insert_credential(&mut transaction, user.id, Verifier::Scram(verifier))
                    .await
                    .map_err(unavailable)?;
                credentials.push(fresh);
                (
                    User {
                        credentials,
                        ..user.clone()
                    },
                    old,
                )
            }
        };
        let staged = self.stage(&mut transaction, vec![event]).await?;
        self.commit(transaction, staged).await?;
        self.finish(
            database,
            &snapshot,
            name,
            user,
            old.iter().map(|one| one.revision.id).collect(),
        )
        .await;
        Ok(())
    }

    async fn unset(
        &self,
        database: &mut Database,
        name: &str,
        mechanism: ScramMechanism,
        by: &Requester,
    ) -> Result<(), ChangeError> {
        let snapshot = self.current();
        let missing = || ChangeError::UnknownCredential(name.to_owned());
        let user = snapshot.users.get(name).ok_or_else(missing)?;
        let (_, old) = user.scram(mechanism).ok_or_else(missing)?;
        let mut transaction = database.connection.begin().await.map_err(unavailable)?;
        sqlx::query("DELETE FROM credentials WHERE id = $1")
            .bind(old.id)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        let event = Event {
            change: Some(Change {
                before: Some("set".into()),
                after: None,
            }),
            ..secret_event(name, mechanism, by)
        };
        let staged = self.stage(&mut transaction, vec![event]).await?;
        self.commit(transaction, staged).await?;
        let credentials = user
            .credentials
            .iter()
            .filter(|one| one.revision.id != old.id)
            .cloned()
            .collect();
        let user = User {
            credentials,
            ..user.clone()
        };
        self.finish(database, &snapshot, name, user, vec![old.id])
            .await;
        Ok(())
    }

    async fn finish(
        &self,
        database: &mut Database,
        snapshot: &Snapshot,
        name: &str,
        user: User,
        ended: Vec<i64>,
    ) {
        self.publish_users(snapshot, |users| {
            users.insert(name.to_owned(), user);
        });
        for id in ended {
            self.revoke(Revocation::Credential {
                user: name.to_owned(),
                current: None,
                id,
            });
        }
        self.deliver(database).await;
    }
}

fn secret_event(name: &str, mechanism: ScramMechanism, by: &Requester) -> Event {
    event("user.secret", name, by)
        .with("mechanism", mechanism.name())
        .changed(None, Some("set".into()))
}
