//! The keyring file: made at the first start, replaced as a whole.

use kastellan_core::time::Clock;
use seal::at_rest::{Keyring, Suite};
use seal::master::MasterKey;
use uuid::Uuid;

use super::OpenError;
use crate::disk::Disk;

/// Opens the keyring, or makes one where no log is yet.
pub(super) fn open_keyring(
    disk: &dyn Disk,
    master: &dyn MasterKey,
    clock: &Clock,
) -> Result<Keyring, OpenError> {
    if disk.exists("keyring") {
        return Ok(Keyring::open(&read_keyring(disk)?, master)?);
    }
    if !disk.list("catalog")?.is_empty() || !disk.list("p")?.is_empty() {
        return Err(OpenError::KeyringMissing);
    }
    let keyring = Keyring::create(&new_cluster_id(), Suite::default(), master, clock.now())?;
    write_keyring(disk, &keyring)?;
    Ok(keyring)
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
