//! What the store knows, in memory: users with their credentials, and the compiled policy.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use kastellan_core::credential::{CredentialRevision, ScramMechanism, ScramVerifier};
use kastellan_core::host::HostPattern;
use kastellan_core::operation::Operation;
use kastellan_core::policy::{Policy, PolicyEpoch};
use kastellan_core::principal::PrincipalName;
use kastellan_core::resource::{PatternType, ResourcePattern, ResourceType};
use kastellan_core::rule::{Effect, Rule, RuleDefinition, RuleId};
use kastellan_core::secret::Secret;
use kastellan_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::OpenError;
use crate::database::Database;
use crate::users::UserKind;

#[derive(Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) users: Arc<BTreeMap<String, User>>,
    pub(crate) policy: Arc<Policy>,
}

#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) kind: UserKind,
    pub(crate) disabled: bool,
    pub(crate) created: Timestamp,
    pub(crate) credentials: Vec<Credential>,
}

#[derive(Clone)]
pub(crate) struct Credential {
    pub(crate) revision: CredentialRevision,
    pub(crate) verifier: Verifier,
}

#[derive(Clone)]
pub(crate) enum Verifier {
    Scram(ScramVerifier),
    /// argon2id, PHC text.
    Password(String),
    /// HMAC under the store's key.
    Keyed(Secret),
}

impl Verifier {
    /// The `kind` column.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Scram(verifier) => verifier.mechanism.name(),
            Self::Password(_) => "argon2id",
            Self::Keyed(_) => "keyed",
        }
    }
}

impl User {
    pub(crate) fn scram(
        &self,
        mechanism: ScramMechanism,
    ) -> Option<(&ScramVerifier, CredentialRevision)> {
        self.credentials
            .iter()
            .find_map(|credential| match &credential.verifier {
                Verifier::Scram(verifier) if verifier.mechanism == mechanism => {
                    Some((verifier, credential.revision))
                }
                _ => None,
            })
    }
}

impl Snapshot {
    pub(crate) async fn load(
        database: &mut Database,
        super_users: BTreeSet<PrincipalName>,
    ) -> Result<Self, OpenError> {
        let users = load_users(database).await?;
        let rows = sqlx::query(
            "SELECT id, effect, subject_kind, subject_name, host, operation, resource_kind, pattern, name FROM rules ORDER BY id",
        )
        .fetch_all(&mut database.connection)
        .await
        .map_err(|error| database.failed(error))?;
        let rules: Result<Vec<Rule>, OpenError> = rows
            .iter()
            .map(|row| {
                rule(row).ok_or_else(|| {
                    database.malformed(format_args!("rule {}", row.get::<i64, _>(0)))
                })
            })
            .collect();
        let policy = Policy::compile(PolicyEpoch(1), super_users, rules?);
        Ok(Self {
            users: Arc::new(users),
            policy: Arc::new(policy),
        })
    }
}

async fn load_users(database: &mut Database) -> Result<BTreeMap<String, User>, OpenError> {
    let rows = sqlx::query("SELECT id, name, kind, disabled, created FROM users")
        .fetch_all(&mut database.connection)
        .await
        .map_err(|error| database.failed(error))?;
    let mut by_id: HashMap<i64, (String, User)> = rows
        .iter()
        .map(|row| {
            let id = row.get(0);
            let kind = if row.get::<&str, _>(2) == "person" {
                UserKind::Person
            } else {
                UserKind::Service
            };
            let user = User {
                id,
                kind,
                disabled: row.get::<i64, _>(3) != 0,
                created: Timestamp(row.get(4)),
                credentials: Vec::new(),
            };
            (id, (row.get(1), user))
        })
        .collect();
    let rows = sqlx::query(
        "SELECT id, user_id, kind, revision, salt, iterations, stored_key, server_key, verifier FROM credentials ORDER BY id",
    )
    .fetch_all(&mut database.connection)
    .await
    .map_err(|error| database.failed(error))?;
    for row in &rows {
        let credential = credential(row).ok_or_else(|| {
            database.malformed(format_args!("credential {}", row.get::<i64, _>(0)))
        })?;
        if let Some((_, user)) = by_id.get_mut(&row.get::<i64, _>(1)) {
            user.credentials.push(credential);
        }
    }
    Ok(by_id.into_values().collect())
}

fn credential(row: &SqliteRow) -> Option<Credential> {
    let kind: &str = row.get(2);
    let verifier = match (kind, kind.parse::<ScramMechanism>()) {
        (_, Ok(mechanism)) => Verifier::Scram(ScramVerifier {
            mechanism,
            salt: row.try_get(4).ok()?,
            iterations: u32::try_from(row.try_get::<i64, _>(5).ok()?).ok()?,
            stored_key: Secret::new(row.try_get(6).ok()?),
            server_key: Secret::new(row.try_get(7).ok()?),
        }),
        ("argon2id", _) => Verifier::Password(String::from_utf8(row.try_get(8).ok()?).ok()?),
        ("keyed", _) => Verifier::Keyed(Secret::new(row.try_get(8).ok()?)),
        _ => return None,
    };
    Some(Credential {
        revision: CredentialRevision {
            id: row.get(0),
            revision: row.get(3),
        },
        verifier,
    })
}

/// A rule, if every code in the row is known.
fn rule(row: &SqliteRow) -> Option<Rule> {
    let code = |at: usize| i8::try_from(row.get::<i64, _>(at)).ok();
    let pattern = match code(7)? {
        3 => PatternType::Literal,
        4 => PatternType::Prefixed,
        _ => return None,
    };
    // A host that was accepted once but cannot be parsed today is kept as text: it matches nobody.
    let host: &str = row.get(4);
    Some(Rule {
        id: RuleId(row.get(0)),
        definition: RuleDefinition {
            effect: Effect::from_code(code(1)?)?,
            subject: PrincipalName::new(row.get(2), row.get(3)),
            host: HostPattern::parse(host).unwrap_or_else(|_| HostPattern::Exact(host.into())),
            operation: Operation::from_code(code(5)?)?,
            resource: ResourcePattern {
                kind: ResourceType::from_code(code(6)?)?,
                pattern,
                name: row.get::<&str, _>(8).into(),
            },
        },
    })
}
