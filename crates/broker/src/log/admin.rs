//! Changes of topics and settings: in the catalog first, durable, then in sight.

use kastellan_core::time::Timestamp;
use uuid::Uuid;
use wire::error::ErrorCode;

use super::Log;
use crate::catalog::{self, Entry};
use crate::offsets::Place;
use crate::partition::PartitionShared;

/// A topic to make. Names and values were checked.
#[derive(Clone, Debug)]
pub struct NewTopic {
    pub name: String,
    pub partitions: i32,
    pub settings: Vec<(String, String)>,
}

/// What a setting belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingScope {
    Topic(String),
    Broker,
    Group(String),
}

/// `None` removes what was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingChange {
    pub key: String,
    pub value: Option<String>,
}

impl Log {
    /// Makes a topic. Its id comes back; it is in [`Log::topics`] when this returns.
    pub async fn create_topic(&self, topic: NewTopic) -> Result<Uuid, ErrorCode> {
        let inner = self.inner();
        let _turn = inner.changes.lock().await;
        self.refuse_growth()?;
        let topics = self.topics();
        if topics.by_name(&topic.name).is_some() {
            return Err(ErrorCode::TOPIC_ALREADY_EXISTS);
        }
        let count = usize::try_from(topic.partitions).unwrap_or(usize::MAX);
        if topics.len() >= inner.options.max_topics
            || topics.partitions().saturating_add(count) > inner.options.max_partitions
        {
            return Err(ErrorCode::POLICY_VIOLATION);
        }
        let id = Uuid::new_v4();
        let created = inner.clock.now();
        let mut entries = vec![Entry::TopicCreated {
            id,
            name: topic.name.clone(),
            partitions: topic.partitions,
            created,
        }];
        entries.extend(
            topic
                .settings
                .into_iter()
                .map(|(key, value)| Entry::Setting {
                    scope: catalog::TOPIC,
                    name: topic.name.clone(),
                    key,
                    value: Some(value),
                }),
        );
        inner.catalog.commit(entries).await?;
        self.show_partitions(id, 0..topic.partitions);
        inner.catalog.show();
        Ok(id)
    }

    /// Deletes a topic with its records and settings.
    pub async fn delete_topic(&self, id: Uuid) -> Result<(), ErrorCode> {
        let inner = self.inner();
        let _turn = inner.changes.lock().await;
        let topics = self.topics();
        let topic = topics.by_id(id).ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?;
        inner
            .catalog
            .commit(vec![Entry::TopicDeleted { id }])
            .await?;
        inner.catalog.show();
        for partition in 0..topic.partitions {
            let place = Place {
                topic: id,
                partition,
            };
            if let Some(shared) = inner.partitions.remove(place) {
                shared.set_deleted();
            }
            inner.shards.forget(place).await;
        }
        self.discard_files(id).await;
        Ok(())
    }

    /// Files go to `trash/` first, then for good: a crash in between leaves nothing in the way.
    async fn discard_files(&self, id: Uuid) {
        let (disk, failure) = (self.inner().disk.clone(), self.inner().failure.clone());
        let discard = move || {
            let (from, to) = (
                format!("p/{}", id.simple()),
                format!("trash/{}", id.simple()),
            );
            if !disk.exists(&from) {
                return Ok(());
            }
            disk.make_dir("trash")?;
            disk.rename(&from, &to)?;
            if let Err(error) = disk.sync_dir("p") {
                failure.set(format!("p: sync failed: {error}"));
                return Err(error);
            }
            disk.remove_dir_all(&to)
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(discard).await {
            tracing::warn!(%error, topic = %id, "Files of a deleted topic stay until the next start");
        }
    }

    /// Raises the number of partitions to `count`.
    pub async fn grow_topic(&self, id: Uuid, count: i32) -> Result<(), ErrorCode> {
        let inner = self.inner();
        let _turn = inner.changes.lock().await;
        self.refuse_growth()?;
        let topics = self.topics();
        let topic = topics.by_id(id).ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?;
        if count <= topic.partitions {
            return Err(ErrorCode::INVALID_PARTITIONS);
        }
        let more = usize::try_from(count - topic.partitions).unwrap_or(usize::MAX);
        if topics.partitions().saturating_add(more) > inner.options.max_partitions {
            return Err(ErrorCode::POLICY_VIOLATION);
        }
        inner
            .catalog
            .commit(vec![Entry::PartitionsAdded { id, count }])
            .await?;
        self.show_partitions(id, topic.partitions..count);
        inner.catalog.show();
        Ok(())
    }

    fn show_partitions(&self, topic: Uuid, range: std::ops::Range<i32>) {
        let epoch = i32::try_from(self.inner().catalog.incarnation()).unwrap_or(i32::MAX);
        for partition in range {
            let shared = PartitionShared::new(0, 0, epoch, Vec::new());
            self.inner()
                .partitions
                .insert(Place { topic, partition }, shared);
        }
    }

    /// Changes settings. Names and values were checked.
    pub async fn change_settings(
        &self,
        scope: &SettingScope,
        changes: Vec<SettingChange>,
    ) -> Result<(), ErrorCode> {
        let inner = self.inner();
        let _turn = inner.changes.lock().await;
        let (code, name) = match scope {
            SettingScope::Topic(name) => {
                self.topics()
                    .by_name(name)
                    .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
                (catalog::TOPIC, name.clone())
            }
            SettingScope::Broker => (catalog::BROKER, "1".to_owned()),
            SettingScope::Group(name) => (catalog::GROUP, name.clone()),
        };
        let entries = changes
            .into_iter()
            .map(|change| Entry::Setting {
                scope: code,
                name: name.clone(),
                key: change.key,
                value: change.value,
            })
            .collect();
        inner.catalog.commit(entries).await?;
        inner.catalog.show();
        Ok(())
    }

    /// Drops records below an offset (-1: the high watermark). Returns where the log begins.
    pub async fn delete_records(&self, place: Place, offset: i64) -> Result<i64, ErrorCode> {
        let inner = self.inner();
        let shared = self
            .partition(place)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        let view = shared.view();
        if view.is_offline || self.has_failed() {
            return Err(ErrorCode::KAFKA_STORAGE_ERROR);
        }
        let offset = if offset == -1 {
            view.high_watermark
        } else {
            offset
        };
        if offset < 0 || offset > view.high_watermark {
            return Err(ErrorCode::OFFSET_OUT_OF_RANGE);
        }
        if offset > view.log_start
            && !crate::retain::raise_log_start(inner, place, &shared, offset, true).await
        {
            return Err(ErrorCode::KAFKA_STORAGE_ERROR);
        }
        Ok(shared.log_start())
    }

    fn refuse_growth(&self) -> Result<(), ErrorCode> {
        if self.has_failed() || self.is_full() {
            Err(ErrorCode::KAFKA_STORAGE_ERROR)
        } else {
            Ok(())
        }
    }

    /// When a topic was made.
    pub fn created(&self, id: Uuid) -> Option<Timestamp> {
        self.topics().by_id(id).map(|topic| topic.created)
    }
}
