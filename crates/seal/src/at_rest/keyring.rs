//! Root keys by version, wrapped by the master key; and the file keys they protect.
//!
//! ```text
//! `KSTLKEYR`, version u16 = 1, cluster id u8 length + text, provider u8 length + text, u16 n,
//! n x (root version u32, state u8 1 active 2 retired, created i64 ms, wrapped key u16 length + bytes), CRC-32C
//! ```
//! This file knows bytes only; whoever owns the directory writes them (temporary file, sync, rename, sync).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use kastellan_core::secret::Secret;
use kastellan_core::time::Timestamp;

use super::frame::{ReadKey, WriteKey};
use super::header::{FileHeader, FileIdentity, HeaderError, Suite};
use crate::master::{MasterKey, MasterKeyError, WRAPPED_MAX};

const MAGIC: &[u8; 8] = b"KSTLKEYR";
const FORMAT: u16 = 1;
const WRAP_INFO: &[u8] = b"kastellan log wrap v1";
const COMMIT_INFO: &[u8] = b"kastellan log commit v1";
const KEY_LEN: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootState {
    /// New files use it. Exactly one version is active.
    Active,
    /// Opens files that name it.
    Retired,
}

/// What may be told about a root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootVersion {
    pub version: u32,
    pub state: RootState,
    pub created: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("not a keyring")]
    Magic,
    #[error("keyring checksum does not match")]
    Checksum,
    #[error("keyring is written by a newer format, version {0}")]
    Format(u16),
    #[error("keyring is cut or inconsistent")]
    Malformed,
    #[error("keyring belongs to cluster {found}, not {expected}")]
    Cluster { found: String, expected: String },
    #[error("keyring was wrapped by a {found} master key, but the configured one is {configured}")]
    Provider { found: String, configured: String },
    #[error(transparent)]
    Master(#[from] MasterKeyError),
    #[error("the cryptographic library refused")]
    Crypto,
}

struct Root {
    facts: RootVersion,
    wrapped: Vec<u8>,
    wrap_key: LessSafeKey,
}

/// All root keys of one log, opened.
pub struct Keyring {
    cluster_id: String,
    provider: String,
    suite: Suite,
    roots: Vec<Root>,
}

impl Keyring {
    /// A keyring with one fresh root key.
    pub fn create(
        cluster_id: &str,
        suite: Suite,
        master: &dyn MasterKey,
        now: Timestamp,
    ) -> Result<Self, KeyringError> {
        if cluster_id.len() > usize::from(u8::MAX) || master.provider().len() > usize::from(u8::MAX)
        {
            return Err(KeyringError::Malformed);
        }
        let mut ring = Self {
            cluster_id: cluster_id.to_owned(),
            provider: master.provider().to_owned(),
            suite,
            roots: Vec::new(),
        };
        ring.rotate(master, now)?;
        Ok(ring)
    }

    /// Adds a root key for new files; older ones are retired and still open.
    pub fn rotate(&mut self, master: &dyn MasterKey, now: Timestamp) -> Result<u32, KeyringError> {
        let version = self
            .roots
            .iter()
            .map(|root| root.facts.version)
            .max()
            .unwrap_or(0)
            + 1;
        let secret = random_key()?;
        let wrapped = master.wrap(&context(&self.cluster_id, version), &secret)?;
        if wrapped.len() > WRAPPED_MAX {
            return Err(KeyringError::Malformed);
        }
        let facts = RootVersion {
            version,
            state: RootState::Active,
            created: now,
        };
        let root = Root {
            facts,
            wrapped,
            wrap_key: wrap_key(&secret)?,
        };
        for older in &mut self.roots {
            older.facts.state = RootState::Retired;
        }
        self.roots.push(root);
        Ok(version)
    }

    /// Forgets a retired root key; files that name it can never be opened again.
    pub fn forget(&mut self, version: u32) -> bool {
        let before = self.roots.len();
        self.roots
            .retain(|root| root.facts.version != version || root.facts.state == RootState::Active);
        self.roots.len() < before
    }

    /// Wraps every root key anew under another master key; no data is touched.
    pub fn rewrap(&mut self, from: &dyn MasterKey, to: &dyn MasterKey) -> Result<(), KeyringError> {
        let mut fresh = Vec::with_capacity(self.roots.len());
        for root in &self.roots {
            let context = context(&self.cluster_id, root.facts.version);
            fresh.push(to.wrap(&context, &from.unwrap(&context, &root.wrapped)?)?);
        }
        for (root, wrapped) in self.roots.iter_mut().zip(fresh) {
            root.wrapped = wrapped;
        }
        self.provider = to.provider().to_owned();
        Ok(())
    }

    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    pub fn versions(&self) -> Vec<RootVersion> {
        self.roots.iter().map(|root| root.facts).collect()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&FORMAT.to_be_bytes());
        for text in [&self.cluster_id, &self.provider] {
            out.push(
                u8::try_from(text.len()).expect("create and parse keep texts below 256 bytes"),
            );
            out.extend_from_slice(text.as_bytes());
        }
        out.push(self.suite as u8);
        out.extend_from_slice(
            &u16::try_from(self.roots.len())
                .unwrap_or(u16::MAX)
                .to_be_bytes(),
        );
        for root in &self.roots {
            out.extend_from_slice(&root.facts.version.to_be_bytes());
            out.push(match root.facts.state {
                RootState::Active => 1,
                RootState::Retired => 2,
            });
            out.extend_from_slice(&root.facts.created.millis().to_be_bytes());
            let len =
                u16::try_from(root.wrapped.len()).expect("wrapped keys are at most 4096 bytes");
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(&root.wrapped);
        }
        let checksum = crc32c::crc32c(&out);
        out.extend_from_slice(&checksum.to_be_bytes());
        out
    }

    /// Reads a keyring and unwraps its root keys.
    pub fn open(bytes: &[u8], master: &dyn MasterKey) -> Result<Self, KeyringError> {
        let (body, checksum) = bytes
            .len()
            .checked_sub(4)
            .and_then(|at| bytes.split_at_checked(at))
            .ok_or(KeyringError::Magic)?;
        let mut fields = Fields(body);
        if fields.take(8)? != MAGIC {
            return Err(KeyringError::Magic);
        }
        if crc32c::crc32c(body).to_be_bytes() != *checksum {
            return Err(KeyringError::Checksum);
        }
        let format = fields.u16()?;
        if format != FORMAT {
            return Err(KeyringError::Format(format));
        }
        let cluster_id = fields.text()?;
        let provider = fields.text()?;
        if provider != master.provider() {
            return Err(KeyringError::Provider {
                found: provider,
                configured: master.provider().to_owned(),
            });
        }
        let suite = match fields.u8()? {
            1 => Suite::Aes256Gcm,
            2 => Suite::Aes256GcmSiv,
            _ => return Err(KeyringError::Malformed),
        };
        let count = fields.u16()?;
        let mut roots = Vec::new();
        for _ in 0..count {
            roots.push(open_root(&mut fields, &cluster_id, master)?);
        }
        let active = roots
            .iter()
            .filter(|root| root.facts.state == RootState::Active)
            .count();
        if active != 1 || !fields.0.is_empty() {
            return Err(KeyringError::Malformed);
        }
        Ok(Self {
            cluster_id,
            provider,
            suite,
            roots,
        })
    }

    /// A fresh file key: the header to write first, and the key that seals the file's frames.
    pub fn create_file(
        &self,
        identity: FileIdentity,
    ) -> Result<(FileHeader, WriteKey), KeyringError> {
        let root = self
            .roots
            .iter()
            .find(|root| root.facts.state == RootState::Active)
            .ok_or(KeyringError::Malformed)?;
        let file_key = random_key()?;
        let mut header = FileHeader {
            identity,
            suite: self.suite,
            root_version: root.facts.version,
            file_id: random_array()?,
            wrap_nonce: random_array()?,
            wrapped_key: [0; 48],
            commitment: commitment(&file_key)?,
        };
        let mut body = zeroize::Zeroizing::new([0; KEY_LEN]);
        body.copy_from_slice(file_key.expose());
        let nonce = Nonce::assume_unique_for_key(header.wrap_nonce);
        let tag = root
            .wrap_key
            .seal_in_place_separate_tag(nonce, Aad::from(header.bound_bytes()), body.as_mut_slice())
            .map_err(|_| KeyringError::Crypto)?;
        header.wrapped_key[..KEY_LEN].copy_from_slice(body.as_slice());
        header.wrapped_key[KEY_LEN..].copy_from_slice(tag.as_ref());
        let key = ReadKey::new(header.suite, &file_key, header.file_id)
            .map_err(|_| KeyringError::Crypto)?;
        Ok((header, WriteKey::new(key)))
    }

    /// Authenticates a header and gives the key that opens the file's frames.
    pub fn open_file(&self, header: &FileHeader) -> Result<ReadKey, HeaderError> {
        let root = self
            .roots
            .iter()
            .find(|root| root.facts.version == header.root_version)
            .ok_or(HeaderError::RootUnknown(header.root_version))?;
        let mut body = zeroize::Zeroizing::new(header.wrapped_key);
        let nonce = Nonce::assume_unique_for_key(header.wrap_nonce);
        let plain = root
            .wrap_key
            .open_in_place(nonce, Aad::from(header.bound_bytes()), body.as_mut_slice())
            .map_err(|_| HeaderError::Unwrap)?;
        let file_key = Secret::from(&*plain);
        let expected = Secret::new(
            commitment(&file_key)
                .map_err(|_| HeaderError::Commitment)?
                .to_vec(),
        );
        if !expected.matches(&header.commitment) {
            return Err(HeaderError::Commitment);
        }
        ReadKey::new(header.suite, &file_key, header.file_id).map_err(|_| HeaderError::Unwrap)
    }

    /// As [`Self::open_file`], and the file must be the one that belongs at this place.
    pub fn open_expected(
        &self,
        bytes: &[u8],
        expected: FileIdentity,
    ) -> Result<(FileHeader, ReadKey), HeaderError> {
        let header = FileHeader::parse(bytes)?;
        let key = self.open_file(&header)?;
        if header.identity != expected {
            return Err(HeaderError::Identity);
        }
        Ok((header, key))
    }
}

fn open_root(
    fields: &mut Fields<'_>,
    cluster_id: &str,
    master: &dyn MasterKey,
) -> Result<Root, KeyringError> {
    let version = fields.u32()?;
    let state = match fields.u8()? {
        1 => RootState::Active,
        2 => RootState::Retired,
        _ => return Err(KeyringError::Malformed),
    };
    let created = Timestamp(fields.i64()?);
    let len = usize::from(fields.u16()?);
    if len > WRAPPED_MAX {
        return Err(KeyringError::Malformed);
    }
    let wrapped = fields.take(len)?.to_vec();
    let secret = master.unwrap(&context(cluster_id, version), &wrapped)?;
    Ok(Root {
        facts: RootVersion {
            version,
            state,
            created,
        },
        wrapped,
        wrap_key: wrap_key(&secret)?,
    })
}

/// Associated data of a wrapped root key.
fn context(cluster_id: &str, version: u32) -> String {
    format!("kastellan-log/{cluster_id}/{version}")
}

struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive(key: &Secret, info: &[u8]) -> Result<Secret, KeyringError> {
    let info = [info];
    let okm = Salt::new(HKDF_SHA256, &[])
        .extract(key.expose())
        .expand(&info, Len(KEY_LEN))
        .map_err(|_| KeyringError::Crypto)
        .and_then(|okm| {
            let mut out = vec![0; KEY_LEN];
            okm.fill(&mut out).map_err(|_| KeyringError::Crypto)?;
            Ok(Secret::new(out))
        })?;
    Ok(okm)
}

fn wrap_key(root: &Secret) -> Result<LessSafeKey, KeyringError> {
    if root.len() != KEY_LEN {
        return Err(KeyringError::Malformed);
    }
    let key = derive(root, WRAP_INFO)?;
    UnboundKey::new(&AES_256_GCM, key.expose())
        .map(LessSafeKey::new)
        .map_err(|_| KeyringError::Crypto)
}

fn commitment(file_key: &Secret) -> Result<[u8; 32], KeyringError> {
    let mut out = [0; 32];
    out.copy_from_slice(derive(file_key, COMMIT_INFO)?.expose());
    Ok(out)
}

fn random_key() -> Result<Secret, KeyringError> {
    Ok(Secret::new(random_array::<KEY_LEN>()?.to_vec()))
}

fn random_array<const N: usize>() -> Result<[u8; N], KeyringError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyringError::Crypto)?;
    Ok(bytes)
}

/// What is left of the bytes.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], KeyringError> {
        let (head, rest) = self
            .0
            .split_at_checked(len)
            .ok_or(KeyringError::Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], KeyringError> {
        self.take(N)?
            .try_into()
            .map_err(|_| KeyringError::Malformed)
    }

    fn u8(&mut self) -> Result<u8, KeyringError> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, KeyringError> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, KeyringError> {
        self.array().map(u32::from_be_bytes)
    }

    fn i64(&mut self) -> Result<i64, KeyringError> {
        self.array().map(i64::from_be_bytes)
    }

    fn text(&mut self) -> Result<String, KeyringError> {
        let len = usize::from(self.u8()?);
        String::from_utf8(self.take(len)?.to_vec()).map_err(|_| KeyringError::Malformed)
    }
}
