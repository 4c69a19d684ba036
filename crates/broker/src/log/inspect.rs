//! Looks at the whole log: verification of every byte, export in clear, use of root keys.

use std::collections::BTreeMap;

use bytes::Bytes;
use kastellan_core::time::Timestamp;
use seal::at_rest::{FileHeader, HEADER_LEN, RootState};
use wire::error::ErrorCode;

use super::{Log, ReadError};
use crate::container::{self, Opened, Tail};
use crate::disk::Disk;
use crate::offsets::Place;
use crate::partition::Partition;
use crate::segment::{FRAME_CAP, SegmentName};

/// A root key, and how many files still name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootKeyUse {
    pub version: u32,
    pub is_active: bool,
    pub created: Timestamp,
    pub files: u64,
}

/// What a verification saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub files: u64,
    pub frames: u64,
    pub bytes: u64,
    /// One line a damaged file.
    pub damage: Vec<String>,
}

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    pub batches: u64,
    pub bytes: u64,
}

impl Log {
    /// Reads and authenticates every frame of every segment.
    pub async fn verify(&self) -> Verified {
        let log = self.clone();
        tokio::task::spawn_blocking(move || log.verify_now())
            .await
            .unwrap_or_default()
    }

    fn verify_now(&self) -> Verified {
        let mut verified = Verified::default();
        for (place, shared) in self.inner().partitions.all() {
            let segments = shared.segments();
            for (at, segment) in segments.iter().enumerate() {
                let is_active = at + 1 == segments.len();
                self.verify_file(place, segment.name, &segment.path, is_active, &mut verified);
            }
            if shared.view().is_offline && segments.is_empty() {
                verified.damage.push(format!(
                    "{}: offline since the start",
                    Partition::dir(place)
                ));
            }
        }
        verified
    }

    fn verify_file(
        &self,
        place: Place,
        name: SegmentName,
        path: &str,
        is_active: bool,
        verified: &mut Verified,
    ) {
        let inner = self.inner();
        verified.files += 1;
        let opened = Opened::open(
            inner.disk.as_ref(),
            &inner.keyring,
            path,
            name.identity(place),
        );
        let scanned = opened.and_then(|opened| {
            container::scan(&opened, FRAME_CAP, |_, frame| {
                verified.frames += 1;
                verified.bytes += u64::from(frame.header.len);
                true
            })
        });
        match scanned {
            // Whoever writes the file may be in the middle of a frame.
            Ok(scan) if scan.tail == Tail::Whole || (is_active && scan.tail == Tail::Torn) => {}
            Ok(scan) => verified
                .damage
                .push(format!("{path}: damaged at byte {}", scan.end)),
            Err(error) => verified.damage.push(format!("{path}: {error}")),
        }
    }

    /// Hands every batch of a partition, in clear, to `write`: an ordinary Kafka segment when written one after the
    /// other.
    pub async fn export(
        &self,
        place: Place,
        mut write: impl FnMut(&Bytes) -> std::io::Result<()>,
    ) -> Result<Exported, ErrorCode> {
        let view = self
            .view(place)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        let mut exported = Exported::default();
        let mut offset = view.log_start;
        while offset < view.high_watermark {
            let batches =
                self.read(place, offset, 4 << 20, true)
                    .await
                    .map_err(|error| match error {
                        ReadError::Unknown => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                        ReadError::Offline => ErrorCode::KAFKA_STORAGE_ERROR,
                    })?;
            let Some(last) = batches.last() else { break };
            let header = wire::record::BatchHeader::parse(last)
                .map_err(|_| ErrorCode::KAFKA_STORAGE_ERROR)?;
            for batch in &batches {
                write(batch).map_err(|_| ErrorCode::KAFKA_STORAGE_ERROR)?;
                exported.batches += 1;
                exported.bytes += batch.len() as u64;
            }
            offset = header.last_offset() + 1;
        }
        Ok(exported)
    }

    /// Root keys by version, with the number of files that name each, those in quarantine included.
    pub async fn root_keys(&self) -> std::io::Result<Vec<RootKeyUse>> {
        let log = self.clone();
        tokio::task::spawn_blocking(move || log.root_keys_now())
            .await
            .map_err(std::io::Error::other)?
    }

    pub(super) fn root_keys_now(&self) -> std::io::Result<Vec<RootKeyUse>> {
        let inner = self.inner();
        let mut uses: BTreeMap<u32, u64> = BTreeMap::new();
        for path in files_below(
            inner.disk.as_ref(),
            &["catalog", "groups", "p", "quarantine"],
        )? {
            let mut head = [0; HEADER_LEN];
            let read = match inner.disk.open(&path) {
                Ok(file) => file.read_at(&mut head, 0)?,
                // Retention just removed it.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if let Ok(header) = FileHeader::parse(head.get(..read).unwrap_or_default()) {
                *uses.entry(header.root_version).or_default() += 1;
            }
        }
        let versions = inner.keyring.versions().into_iter();
        Ok(versions
            .map(|root| RootKeyUse {
                version: root.version,
                is_active: root.state == RootState::Active,
                created: root.created,
                files: uses.get(&root.version).copied().unwrap_or(0),
            })
            .collect())
    }
}

/// Every file of these directories.
fn files_below(disk: &dyn Disk, dirs: &[&str]) -> std::io::Result<Vec<String>> {
    let mut left: Vec<String> = dirs.iter().map(|dir| (*dir).to_owned()).collect();
    let mut files = Vec::new();
    while let Some(dir) = left.pop() {
        for entry in disk.list(&dir)? {
            let path = format!("{dir}/{}", entry.name);
            if entry.is_dir {
                left.push(path);
            } else {
                files.push(path);
            }
        }
    }
    Ok(files)
}
