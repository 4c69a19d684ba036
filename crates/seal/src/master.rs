//! The master key: wraps root keys and nothing else.
//!
//! In: a root key and the text of its context. Out: wrapped bytes. Here is the provider for a local key file;
//! a key management service fills the same trait.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use kastellan_core::secret::Secret;

/// Bytes of a wrapped root key, at most.
pub const WRAPPED_MAX: usize = 4096;
const KEY_LEN: usize = 32;

#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("{path}: {error}")]
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error(
        "{path}: mode is {mode:04o}, but only its owner may read a master key: chmod 600 {path}"
    )]
    Mode { path: PathBuf, mode: u32 },
    #[error("{path}: a master key file has {KEY_LEN} bytes, this one has {len}")]
    Length { path: PathBuf, len: u64 },
    /// A key management service did not answer; asking again may help.
    #[error("the key service cannot be reached: {0}")]
    Unreachable(String),
    #[error("the master key does not open this keyring (another key, or a damaged file)")]
    Wrong,
    #[error("the cryptographic library refused")]
    Crypto,
}

/// Wraps and unwraps root keys. `context` is bound to the result as associated data.
pub trait MasterKey: Send + Sync {
    /// `file:`, `vault:`: kept in the keyring so that a wrong configuration is told from a wrong key.
    fn provider(&self) -> &str;
    fn wrap(&self, context: &str, key: &Secret) -> Result<Vec<u8>, MasterKeyError>;
    fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Secret, MasterKeyError>;
}

/// A 32-byte key in a file that only its owner can read.
pub struct LocalKey {
    key: LessSafeKey,
}

impl LocalKey {
    /// Reads the key file; refuses one that others may read.
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let io = |error| MasterKeyError::Io {
            path: path.to_owned(),
            error,
        };
        let mut file = fs::File::open(path).map_err(io)?;
        let facts = file.metadata().map_err(io)?;
        if facts.mode() & 0o077 != 0 {
            return Err(MasterKeyError::Mode {
                path: path.to_owned(),
                mode: facts.mode() & 0o7777,
            });
        }
        if facts.len() != KEY_LEN as u64 {
            return Err(MasterKeyError::Length {
                path: path.to_owned(),
                len: facts.len(),
            });
        }
        let mut bytes = vec![0; KEY_LEN];
        file.read_exact(&mut bytes).map_err(io)?;
        Self::new(&Secret::new(bytes))
    }

    /// Makes a new key file with mode 0600; never replaces one.
    pub fn create(path: &Path) -> Result<Self, MasterKeyError> {
        let io = |error| MasterKeyError::Io {
            path: path.to_owned(),
            error,
        };
        let mut bytes = vec![0; KEY_LEN];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| MasterKeyError::Crypto)?;
        let secret = Secret::new(bytes);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(io)?;
        file.write_all(secret.expose())
            .and_then(|()| file.sync_all())
            .map_err(io)?;
        if let Some(parent) = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            fs::File::open(parent)
                .and_then(|dir| dir.sync_all())
                .map_err(io)?;
        }
        Self::new(&secret)
    }

    /// A key from memory.
    pub fn new(key: &Secret) -> Result<Self, MasterKeyError> {
        let key =
            UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| MasterKeyError::Crypto)?;
        Ok(Self {
            key: LessSafeKey::new(key),
        })
    }
}

impl MasterKey for LocalKey {
    fn provider(&self) -> &str {
        "file:"
    }

    /// Nonce (12 bytes), ciphertext, tag (16 bytes).
    fn wrap(&self, context: &str, key: &Secret) -> Result<Vec<u8>, MasterKeyError> {
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| MasterKeyError::Crypto)?;
        let mut out = nonce.to_vec();
        let mut body = key.expose().to_vec();
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context.as_bytes()),
                &mut body,
            )
            .map_err(|_| MasterKeyError::Crypto)?;
        out.extend_from_slice(&body);
        out.extend_from_slice(tag.as_ref());
        Ok(out)
    }

    fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Secret, MasterKeyError> {
        let (nonce, body) = wrapped
            .split_at_checked(NONCE_LEN)
            .ok_or(MasterKeyError::Wrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| MasterKeyError::Wrong)?;
        let mut body = zeroize::Zeroizing::new(body.to_vec());
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut body)
            .map_err(|_| MasterKeyError::Wrong)?;
        Ok(Secret::from(&*plain))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn temp(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("seal-master-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[test]
    fn unwraps_with_its_context_and_refuses_another() {
        let master = LocalKey::new(&Secret::new(vec![7; 32])).unwrap();
        let root = Secret::new(vec![1; 32]);
        let wrapped = master.wrap("kastellan-log/a/1", &root).unwrap();
        assert!(master.unwrap("kastellan-log/a/1", &wrapped).unwrap() == root);
        assert!(matches!(
            master.unwrap("kastellan-log/a/2", &wrapped),
            Err(MasterKeyError::Wrong)
        ));
        let other = LocalKey::new(&Secret::new(vec![8; 32])).unwrap();
        assert!(matches!(
            other.unwrap("kastellan-log/a/1", &wrapped),
            Err(MasterKeyError::Wrong)
        ));
        assert!(matches!(
            master.unwrap("kastellan-log/a/1", &wrapped[..5]),
            Err(MasterKeyError::Wrong)
        ));
    }

    #[test]
    fn refuses_a_key_file_that_others_can_read() {
        let dir = temp("mode");
        let path = dir.join("master.key");
        drop(LocalKey::create(&path).unwrap());
        assert!(LocalKey::load(&path).is_ok());
        assert!(
            matches!(LocalKey::create(&path), Err(MasterKeyError::Io { .. })),
            "never replaces a key"
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            LocalKey::load(&path),
            Err(MasterKeyError::Mode { mode: 0o640, .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, b"short").unwrap();
        assert!(matches!(
            LocalKey::load(&path),
            Err(MasterKeyError::Length { len: 5, .. })
        ));
        fs::remove_dir_all(dir).unwrap();
    }
}
