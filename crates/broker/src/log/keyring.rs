//! The keyring file: made at the first start, replaced as a whole when a root key is made or forgotten.

use std::time::Duration;

use kastellan_core::time::Clock;
use seal::at_rest::{Keyring, KeyringError, Suite};
use seal::master::MasterKey;
use uuid::Uuid;

use super::{Log, LogOptions, OpenError};
use crate::disk::Disk;

#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    #[error("keyring: {0}")]
    Keyring(#[from] KeyringError),
    #[error("the keyring cannot be written: {0}")]
    Io(#[from] std::io::Error),
    #[error("the log has failed: restart the server first")]
    LogFailed,
    #[error("there is no root key {0}")]
    Unknown(u32),
    #[error("root key {0} is the active one")]
    Active(u32),
    #[error("{files} files still need root key {version}")]
    InUse { version: u32, files: u64 },
}

impl Log {
    /// Makes a root key for new files. It is durable in the keyring before the first file names it; older files open
    /// with theirs. Gives its version.
    pub async fn rotate_root(&self) -> Result<u32, RotateError> {
        let log = self.clone();
        self.change_keyring(move || {
            let inner = log.inner();
            let mut changed = inner.keyring.copy();
            let version = changed.rotate(inner.master.as_ref(), inner.clock.now())?;
            write_keyring(inner.disk.as_ref(), &changed)?;
            inner.keyring.adopt(changed);
            inner.catalog.rewrite();
            inner.notes.root_rotated(version);
            Ok(version)
        })
        .await
    }

    /// Forgets a retired root key that no file names.
    pub async fn forget_root(&self, version: u32) -> Result<(), RotateError> {
        let log = self.clone();
        self.change_keyring(move || {
            let inner = log.inner();
            let uses = log.root_keys_now()?;
            let root = uses.iter().find(|root| root.version == version);
            match root.ok_or(RotateError::Unknown(version))? {
                root if root.is_active => return Err(RotateError::Active(version)),
                root if root.files > 0 => {
                    let files = root.files;
                    return Err(RotateError::InUse { version, files });
                }
                _ => {}
            }
            let mut changed = inner.keyring.copy();
            changed.forget(version);
            write_keyring(inner.disk.as_ref(), &changed)?;
            inner.keyring.adopt(changed);
            inner.notes.root_forgotten(version);
            Ok(())
        })
        .await
    }

    /// One change at a time, on a thread that may wait for the key service and the disk.
    async fn change_keyring<T: Send + 'static>(
        &self,
        change: impl FnOnce() -> Result<T, RotateError> + Send + 'static,
    ) -> Result<T, RotateError> {
        let _turn = self.inner().changes.lock().await;
        if self.has_failed() {
            return Err(RotateError::LogFailed);
        }
        tokio::task::spawn_blocking(change)
            .await
            .unwrap_or(Err(RotateError::LogFailed))
    }
}

/// Opens the keyring, or makes one where no log is yet. A key service that cannot be reached is asked again for a while.
pub(super) fn open_keyring(
    options: &LogOptions,
    disk: &dyn Disk,
    master: &dyn MasterKey,
    clock: &Clock,
) -> Result<Keyring, OpenError> {
    let patience = options.key_patience;
    let ring = if disk.exists("keyring") {
        let bytes = read_keyring(disk)?;
        patiently(patience, || Keyring::open(&bytes, master))?
    } else {
        if !disk.list("catalog")?.is_empty() || !disk.list("p")?.is_empty() {
            return Err(OpenError::KeyringMissing);
        }
        let (id, now) = (new_cluster_id(), clock.now());
        let made = patiently(patience, || {
            Keyring::create(&id, Suite::default(), master, now)
        })?;
        write_keyring(disk, &made)?;
        made
    };
    Ok(ring.with_padding(options.padding))
}

/// Reads the keyring that is there.
pub(crate) fn existing_keyring(
    options: &LogOptions,
    disk: &dyn Disk,
    master: &dyn MasterKey,
) -> Result<Keyring, OpenError> {
    if !disk.exists("keyring") {
        return Err(OpenError::KeyringMissing);
    }
    let bytes = read_keyring(disk)?;
    Ok(patiently(options.key_patience, || {
        Keyring::open(&bytes, master)
    })?)
}

/// Asks again, ever more slowly, while the key service cannot be reached.
fn patiently<T>(
    patience: Duration,
    mut ask: impl FnMut() -> Result<T, KeyringError>,
) -> Result<T, KeyringError> {
    let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
    loop {
        match ask() {
            Err(error) if error.is_passing() && waited < patience => {
                tracing::warn!(%error, "The key service cannot be reached: asking again");
                std::thread::sleep(pause.min(patience - waited));
                waited += pause;
                pause = (pause * 2).min(LAST_PAUSE);
            }
            done => return done,
        }
    }
}

/// Replaces the keyring as a whole; the one before stays as `keyring.old`.
fn write_keyring(disk: &dyn Disk, keyring: &Keyring) -> std::io::Result<()> {
    if disk.exists("keyring") {
        replace_file(disk, "keyring.old", &read_keyring(disk)?)?;
    }
    replace_file(disk, "keyring", &keyring.to_bytes())
}

fn read_keyring(disk: &dyn Disk) -> std::io::Result<Vec<u8>> {
    let file = disk.open("keyring")?;
    let len = file.size()?.min(KEYRING_MAX);
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// The file has its old content or its new one, whenever the power fails.
fn replace_file(disk: &dyn Disk, path: &str, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = format!("{path}.new");
    if disk.exists(&unfinished) {
        disk.remove_file(&unfinished)?;
    }
    let file = disk.create(&unfinished)?;
    file.write_at(bytes, 0)?;
    file.sync_all()?;
    disk.rename(&unfinished, path)?;
    disk.sync_dir("")
}

/// 16 random bytes as Kafka writes them: base64url, 22 characters.
fn new_cluster_id() -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let id = u128::from_be_bytes(*Uuid::new_v4().as_bytes());
    (0..22)
        .map(|at| {
            let shifted = if at < 21 {
                id >> (122 - 6 * at)
            } else {
                id << 4
            };
            char::from(LETTERS[(shifted & 63) as usize])
        })
        .collect()
}

/// Bytes of a keyring, at most.
const KEYRING_MAX: u64 = 1 << 20;
/// Between the first two questions to a key service, and between the last ones.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cluster_id_has_the_form_that_kafka_uses() {
        let id = new_cluster_id();
        assert_eq!(id.len(), 22);
        assert!(
            id.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        );
        assert_ne!(id, new_cluster_id());
    }
}
