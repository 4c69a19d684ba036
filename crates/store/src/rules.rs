//! Changing the rules: one transaction with its trail events, then in force.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::filter::RuleFilter;
use kastellan_core::policy::{Policy, PolicyEpoch};
use kastellan_core::ports::{ChangeError, Pending, Requester, Revocation, RuleStore};
use kastellan_core::principal::PrincipalName;
use kastellan_core::rule::{Rule, RuleDefinition, RuleId};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};

use crate::snapshot::Snapshot;
use crate::{Store, unavailable};

/// Rules that one request may add or remove (Kafka `AclControlManager.MAX_RECORDS_PER_USER_OP`).
const CHANGE_MAX: usize = 10_000;
/// Filters of one request, and what they may find together: filters that overlap find the same rules again.
const FILTERS_MAX: usize = 10_000;
const FOUND_MAX: usize = 100_000;

impl Store {
    /// Removes rules by number; a number that no rule has is an error and nothing is removed.
    pub async fn remove_rules(
        &self,
        ids: &[RuleId],
        by: &Requester,
    ) -> Result<Vec<Rule>, ChangeError> {
        let mut database = self.database.lock().await;
        let snapshot = self.current();
        let mut removed = Vec::new();
        for id in ids {
            let rule = snapshot
                .policy
                .rule(*id)
                .ok_or_else(|| ChangeError::Invalid(format!("there is no {id}")))?;
            removed.push(rule.clone());
        }
        self.remove_now(&mut database, &snapshot, &removed, by)
            .await?;
        Ok(removed)
    }

    async fn add_now(
        &self,
        definitions: Vec<RuleDefinition>,
        by: &Requester,
    ) -> Result<Vec<Rule>, ChangeError> {
        if definitions.len() > CHANGE_MAX {
            return Err(ChangeError::TooMany(CHANGE_MAX));
        }
        let mut database = self.database.lock().await;
        let snapshot = self.current();
        let mut rules = snapshot.policy.rules().to_vec();
        let mut known: HashMap<RuleDefinition, RuleId> = rules
            .iter()
            .map(|rule| (rule.definition.clone(), rule.id))
            .collect();
        let mut answer = Vec::with_capacity(definitions.len());
        let mut events = Vec::new();
        let mut transaction = database.connection.begin().await.map_err(unavailable)?;
        for definition in definitions {
            if let Some(id) = known.get(&definition) {
                answer.push(Rule {
                    id: *id,
                    definition,
                });
                continue;
            }
            let id = insert(&mut transaction, &definition)
                .await
                .map_err(unavailable)?;
            let event = event(by, id).changed(None, Some(definition.to_string()));
            events.push(event);
            known.insert(definition.clone(), id);
            let rule = Rule { id, definition };
            rules.push(rule.clone());
            answer.push(rule);
        }
        if events.is_empty() {
            return Ok(answer);
        }
        let staged = self.stage(&mut transaction, events).await?;
        self.commit(transaction, staged).await?;
        self.enforce(&snapshot, rules);
        self.deliver(&mut database).await;
        Ok(answer)
    }

    async fn remove_now(
        &self,
        database: &mut crate::Database,
        snapshot: &Snapshot,
        removed: &[Rule],
        by: &Requester,
    ) -> Result<(), ChangeError> {
        let ids: BTreeSet<RuleId> = removed.iter().map(|rule| rule.id).collect();
        if ids.len() > CHANGE_MAX {
            return Err(ChangeError::TooMany(CHANGE_MAX));
        }
        if ids.is_empty() {
            return Ok(());
        }
        let mut events = Vec::new();
        let mut transaction = database.connection.begin().await.map_err(unavailable)?;
        for rule in snapshot
            .policy
            .rules()
            .iter()
            .filter(|rule| ids.contains(&rule.id))
        {
            sqlx::query("DELETE FROM rules WHERE id = $1")
                .bind(rule.id.0)
                .execute(&mut *transaction)
                .await
                .map_err(unavailable)?;
            let event = event(by, rule.id).changed(Some(rule.definition.to_string()), None);
            events.push(event);
        }
        let staged = self.stage(&mut transaction, events).await?;
        self.commit(transaction, staged).await?;
        let rules = snapshot
            .policy
            .rules()
            .iter()
            .filter(|rule| !ids.contains(&rule.id))
            .cloned()
            .collect();
        self.enforce(snapshot, rules);
        self.deliver(database).await;
        Ok(())
    }

    /// Changes whom no rule binds: first on the trail, then in force.
    pub async fn set_super_users(
        &self,
        super_users: BTreeSet<PrincipalName>,
        by: &Requester,
    ) -> Result<(), ChangeError> {
        let _database = self.database.lock().await;
        let before = self.super_users.load_full();
        if *before == super_users {
            return Ok(());
        }
        let listed = |names: &BTreeSet<PrincipalName>| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            Some(names.join(", "))
        };
        let event = Event::new("policy.super_users", Class::Critical, Outcome::Ok)
            .by(&by.principal, Some(by.proof))
            .with("listener", &by.listener)
            .changed(listed(&before), listed(&super_users));
        self.trail.record(event).await?;
        self.super_users.store(Arc::new(super_users));
        let snapshot = self.current();
        self.enforce(&snapshot, snapshot.policy.rules().to_vec());
        Ok(())
    }

    /// Compiles, swaps, and tells the sessions.
    fn enforce(&self, snapshot: &Snapshot, rules: Vec<Rule>) {
        let epoch = PolicyEpoch(snapshot.policy.epoch().0 + 1);
        let policy = Arc::new(Policy::compile(
            epoch,
            BTreeSet::clone(&self.super_users.load()),
            rules,
        ));
        self.publish(Snapshot {
            users: self.current().users.clone(),
            policy,
        });
        self.revoke(Revocation::Policy);
    }
}

impl RuleStore for Store {
    fn add<'a>(
        &'a self,
        rules: Vec<RuleDefinition>,
        by: &'a Requester,
    ) -> Pending<'a, Result<Vec<Rule>, ChangeError>> {
        Box::pin(self.add_now(rules, by))
    }

    fn remove<'a>(
        &'a self,
        filters: Vec<RuleFilter>,
        by: &'a Requester,
    ) -> Pending<'a, Result<Vec<Vec<Rule>>, ChangeError>> {
        Box::pin(async move {
            if filters.len() > FILTERS_MAX {
                return Err(ChangeError::TooMany(FILTERS_MAX));
            }
            let mut database = self.database.lock().await;
            let snapshot = self.current();
            let (mut found, mut count) = (Vec::with_capacity(filters.len()), 0);
            for filter in &filters {
                let rules: Vec<Rule> = snapshot.policy.find(filter).cloned().collect();
                count += rules.len();
                if count > FOUND_MAX {
                    return Err(ChangeError::TooMany(FOUND_MAX));
                }
                found.push(rules);
                // Each looks at every rule.
                tokio::task::yield_now().await;
            }
            self.remove_now(&mut database, &snapshot, &found.concat(), by)
                .await?;
            Ok(found)
        })
    }
}

fn event(by: &Requester, id: RuleId) -> Event {
    let event = Event::new("policy.rule", Class::Critical, Outcome::Ok)
        .by(&by.principal, Some(by.proof))
        .on("rule", &id.0.to_string());
    match by.peer {
        Some(peer) => event.from_peer(peer, &by.listener),
        None => event.with("listener", &by.listener),
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    rule: &RuleDefinition,
) -> Result<RuleId, sqlx::Error> {
    let row = sqlx::query(
        "INSERT INTO rules (effect, subject_kind, subject_name, host, operation, resource_kind, pattern, name) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
    )
    .bind(i64::from(rule.effect.code()))
    .bind(rule.subject.kind())
    .bind(rule.subject.name())
    .bind(rule.host.as_str())
    .bind(i64::from(rule.operation.code()))
    .bind(i64::from(rule.resource.kind.code()))
    .bind(i64::from(rule.resource.pattern.code()))
    .bind(&*rule.resource.name)
    .fetch_one(connection)
    .await?;
    Ok(RuleId(row.get(0)))
}
