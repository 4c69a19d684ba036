//! Users, credentials and rules: kept in SQLite, read from memory.
//!
//! Reading never touches the database: a [`snapshot`] is swapped after each commit. A change is one transaction with
//! its trail event; when its future ends it is in force and open sessions that it ends have been told.
#![forbid(unsafe_code)]

mod certificates;
mod commit;
mod credential;
mod database;
mod password;
mod rules;
mod scram;
mod snapshot;
mod sources;
mod users;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use kastellan_core::ports::{ChangeError, Revocation, RevocationSink, TrailSink, Unavailable};
use kastellan_core::principal::PrincipalName;
use kastellan_core::secret::Secret;
use kastellan_core::time::Clock;
use tokio::sync::Mutex;

pub use credential::{UserName, UserNameError};
use database::Database;
use password::Passwords;
use snapshot::Snapshot;
pub use users::{UserFacts, UserKind};

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path}: {error}")]
    Io { path: String, error: std::io::Error },
    #[error("{path}: {error}")]
    Database { path: String, error: sqlx::Error },
    #[error("{path}: was written by a newer version of Kastellan (schema {found})")]
    Newer { path: String, found: i64 },
    #[error("{path}: migration {number} is not the one that was applied")]
    Changed { path: String, number: i64 },
    #[error("{path}: holds a row that means nothing: {what}")]
    Malformed { path: String, what: String },
    #[error("no randomness")]
    Random,
}

/// The store. Writers wait for one another; readers wait for nobody.
pub struct Store {
    database: Mutex<Database>,
    snapshot: ArcSwap<Snapshot>,
    passwords: Passwords,
    decoy_key: Secret,
    pepper: Secret,
    super_users: ArcSwap<BTreeSet<PrincipalName>>,
    trail: Arc<dyn TrailSink>,
    sessions: OnceLock<Arc<dyn RevocationSink>>,
    clock: Clock,
}

impl Store {
    /// Opens or makes the database file (mode 0600) and delivers trail events that a crash left behind.
    pub async fn open(
        path: &Path,
        super_users: BTreeSet<PrincipalName>,
        trail: Arc<dyn TrailSink>,
        clock: Clock,
    ) -> Result<Arc<Self>, OpenError> {
        let mut database = Database::open(path).await?;
        let decoy_key = database.secret("decoy_key").await?;
        let pepper = database.secret("pepper").await?;
        let snapshot = Snapshot::load(&mut database, super_users.clone()).await?;
        let store = Self {
            database: Mutex::new(database),
            snapshot: ArcSwap::from_pointee(snapshot),
            passwords: Passwords::new(clock.clone())?,
            decoy_key,
            pepper,
            super_users: ArcSwap::from_pointee(super_users),
            trail,
            sessions: OnceLock::new(),
            clock,
        };
        store.deliver(&mut *store.database.lock().await).await;
        Ok(Arc::new(store))
    }

    /// Who is told about users, credentials and rules that end sessions. Set once.
    pub fn on_revocation(&self, sessions: Arc<dyn RevocationSink>) {
        let _ = self.sessions.set(sessions);
    }

    fn revoke(&self, revocation: Revocation) {
        if let Some(sessions) = self.sessions.get() {
            sessions.revoke(revocation);
        }
    }

    /// Makes a new snapshot the current one.
    fn publish(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }

    fn current(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }
}

fn unavailable(error: sqlx::Error) -> ChangeError {
    ChangeError::Unavailable(Unavailable(format!("the store cannot be written: {error}")))
}
