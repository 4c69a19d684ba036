//! The SQLite file: opening, migrations, the outbox. Knows SQL and nothing of what rows mean.

use std::collections::BTreeSet;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use kastellan_core::event::Event;
use kastellan_core::secret::Secret;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Row};

use crate::OpenError;

/// Numbered from 1; applied in order, never changed once released.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001.sql")];

pub(crate) struct Database {
    pub(crate) connection: SqliteConnection,
    /// Events of the outbox that the trail has.
    delivered: BTreeSet<i64>,
    path: String,
}

impl Database {
    pub(crate) async fn open(path: &Path) -> Result<Self, OpenError> {
        let shown = path.display().to_string();
        make_private(path).map_err(|error| OpenError::Io {
            path: shown.clone(),
            error,
        })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(std::time::Duration::from_secs(5));
        let connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(|error| OpenError::Database {
                path: shown.clone(),
                error,
            })?;
        let mut database = Self {
            connection,
            delivered: BTreeSet::new(),
            path: shown,
        };
        database.migrate().await?;
        Ok(database)
    }

    pub(crate) fn failed(&self, error: sqlx::Error) -> OpenError {
        OpenError::Database {
            path: self.path.clone(),
            error,
        }
    }

    pub(crate) fn malformed(&self, what: impl std::fmt::Display) -> OpenError {
        OpenError::Malformed {
            path: self.path.clone(),
            what: what.to_string(),
        }
    }

    async fn migrate(&mut self) -> Result<(), OpenError> {
        sqlx::query("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY NOT NULL, checksum BLOB NOT NULL)")
            .execute(&mut self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        let applied = sqlx::query("SELECT number, checksum FROM migrations ORDER BY number")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        for row in &applied {
            let number: i64 = row.get(0);
            let checksum: Vec<u8> = row.get(1);
            let Some(text) = usize::try_from(number - 1)
                .ok()
                .and_then(|at| MIGRATIONS.get(at))
            else {
                return Err(OpenError::Newer {
                    path: self.path.clone(),
                    found: number,
                });
            };
            if digest(&SHA256, text.as_bytes()).as_ref() != checksum.as_slice() {
                return Err(OpenError::Changed {
                    path: self.path.clone(),
                    number,
                });
            }
        }
        for (at, text) in MIGRATIONS.iter().enumerate().skip(applied.len()) {
            self.apply(at as i64 + 1, text)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    async fn apply(&mut self, number: i64, text: &'static str) -> Result<(), sqlx::Error> {
        let mut transaction = self.connection.begin().await?;
        sqlx::raw_sql(text).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO migrations (number, checksum) VALUES ($1, $2)")
            .bind(number)
            .bind(digest(&SHA256, text.as_bytes()).as_ref())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    /// A secret that is made at the first start and stays.
    pub(crate) async fn secret(&mut self, key: &str) -> Result<Secret, OpenError> {
        let found = sqlx::query("SELECT value FROM meta WHERE key = $1")
            .bind(key)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        if let Some(row) = found {
            return Ok(Secret::new(row.get::<Vec<u8>, _>(0)));
        }
        let mut bytes = vec![0; 32];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| OpenError::Random)?;
        let secret = Secret::new(bytes);
        sqlx::query("INSERT INTO meta (key, value) VALUES ($1, $2)")
            .bind(key)
            .bind(secret.expose())
            .execute(&mut self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(secret)
    }

    /// Events in the outbox that the trail does not have yet.
    pub(crate) async fn left_over_events(&mut self) -> Result<Vec<(i64, Event)>, sqlx::Error> {
        let rows = sqlx::query("SELECT id, event FROM outbox ORDER BY id")
            .fetch_all(&mut self.connection)
            .await?;
        let events = rows.iter().filter_map(|row| {
            let id = row.get(0);
            let event = serde_json::from_str(row.get::<&str, _>(1));
            match event {
                Ok(event) => (!self.delivered.contains(&id)).then_some((id, event)),
                Err(error) => {
                    tracing::error!(%error, "Outbox holds an event that cannot be read");
                    None
                }
            }
        });
        Ok(events.collect())
    }

    /// The trail has them. Those that cannot be taken out now are not delivered again, and taken out later.
    pub(crate) async fn forget_events(&mut self, ids: &[i64]) {
        self.delivered.extend(ids);
        for id in self.delivered.clone() {
            let gone = sqlx::query("DELETE FROM outbox WHERE id = $1")
                .bind(id)
                .execute(&mut self.connection)
                .await;
            match gone {
                Ok(_) => {
                    self.delivered.remove(&id);
                }
                Err(error) => tracing::warn!(%error, "Trail event stays in the outbox"),
            }
        }
    }
}

/// Puts an event beside the change it belongs to.
pub(crate) async fn stage(
    connection: &mut SqliteConnection,
    event: &Event,
) -> Result<(), sqlx::Error> {
    let text =
        serde_json::to_string(event).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query("INSERT INTO outbox (event) VALUES ($1)")
        .bind(text)
        .execute(connection)
        .await
        .map(drop)
}

/// The database file exists with mode 0600 before SQLite opens it; its companions inherit the mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}
