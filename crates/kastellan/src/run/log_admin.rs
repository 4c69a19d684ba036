//! The embedded log's keys, verification and export, for the admin socket.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use broker::log::Log;
use broker::offsets::Place;

use crate::admin::api::{ExportRequest, Exported, RootKey, RootVersion, Verified};

pub struct LogAdmin<'a>(pub &'a Log);

impl LogAdmin<'_> {
    pub async fn keys(&self) -> anyhow::Result<Vec<RootKey>> {
        let keys = self.0.root_keys().await?;
        Ok(keys
            .into_iter()
            .map(|key| RootKey {
                version: key.version,
                state: if key.is_active { "active" } else { "retired" }.to_owned(),
                created: key.created.to_rfc3339(),
                files: key.files,
            })
            .collect())
    }

    pub async fn rotate_root(&self) -> anyhow::Result<RootVersion> {
        let version = self.0.rotate_root().await?;
        Ok(RootVersion { version })
    }

    pub async fn forget_root(&self, wanted: RootVersion) -> anyhow::Result<RootVersion> {
        self.0.forget_root(wanted.version).await?;
        Ok(wanted)
    }

    pub async fn verify(&self) -> anyhow::Result<Verified> {
        let verified = self.0.verify().await;
        Ok(Verified {
            files: verified.files,
            frames: verified.frames,
            bytes: verified.bytes,
            damage: verified.damage,
        })
    }

    /// Writes a partition in clear, mode 0600; never replaces a file.
    pub async fn export(&self, wanted: ExportRequest) -> anyhow::Result<Exported> {
        let topics = self.0.topics();
        let topic = topics.by_name(&wanted.topic);
        let topic = topic.ok_or_else(|| anyhow::anyhow!("there is no topic {:?}", wanted.topic))?;
        let partition = i32::try_from(wanted.partition)?;
        anyhow::ensure!(
            partition < topic.partitions,
            "topic {} has {} partitions",
            topic.name,
            topic.partitions
        );
        let path = Path::new(&wanted.out);
        anyhow::ensure!(
            path.is_absolute(),
            "the file must be named by an absolute path"
        );
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        let place = Place {
            topic: topic.id,
            partition,
        };
        let exported = self
            .0
            .export(place, |batch| file.write_all(batch))
            .await
            .map_err(|code| anyhow::anyhow!("the partition cannot be read: {code}"))?;
        file.sync_all()?;
        Ok(Exported {
            batches: exported.batches,
            bytes: exported.bytes,
        })
    }
}
