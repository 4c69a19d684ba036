//! Root keys by version, wrapped by the master key; and the file keys they protect.
//!
//! ```text
//! `KSTLKEYR`, version u16 = 1, cluster id u8 length + text, provider u8 length + text, u16 n,
//! n x (root version u32, state u8 1 active 2 retired, created i64 ms, wrapped key u16 length + bytes), CRC-32C
//! ```
//! This file knows bytes only; whoever owns the directory writes them (temporary file, sync, rename, sync).

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use kastellan_core::secret::Secret;
use kastellan_core::time::Timestamp;

use super::frame::{Padding, ReadKey, WriteKey};
use super::header::{FileHeader, FileIdentity, HeaderError, Suite};
use crate::master::{MasterKey, MasterKeyError, WRAPPED_MAX};

const MAGIC: &[u8; 8] = b"KSTLKEYR";
const FORMAT: u16 = 1;
const WRAP_INFO: &[u8] = b"kastellan log wrap v1";
const COMMIT_INFO: &[u8] = b"kastellan log commit v1";
const KEY_LEN: usize = 32;
/// Root keys of one log; retired ones that no file names can be forgotten.
const ROOTS_MAX: usize = 250;

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
    #[error(
        "the keyring holds as many root keys as it can: forget retired ones that no file names"
    )]
    Full,
    #[error("the cryptographic library refused")]
    Crypto,
}

impl KeyringError {
    /// The key service could not be asked: it may go better later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Master(MasterKeyError::Unreachable(_)))
    }
}

#[derive(Clone)]
struct Root {
    facts: RootVersion,
    wrapped: Vec<u8>,
    wrap_key: Arc<LessSafeKey>,
}

/// All root keys of one log, opened.
///
/// It is shared while files are made and opened. A change is made on a [`Self::copy`], which is first written to the
/// disk and then [adopted](Self::adopt): a file never names a root key that a crash could take back.
pub struct Keyring {
    cluster_id: String,
    provider: String,
    suite: Suite,
    padding: Padding,
    roots: RwLock<Vec<Root>>,
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
            padding: Padding::default(),
            roots: RwLock::default(),
        };
        ring.rotate(master, now)?;
        Ok(ring)
    }

    /// Frames of new files are padded like this.
    pub fn with_padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// The same keys, to be changed before anybody uses the change.
    pub fn copy(&self) -> Self {
        Self {
            cluster_id: self.cluster_id.clone(),
            provider: self.provider.clone(),
            suite: self.suite,
            padding: self.padding,
            roots: RwLock::new(self.read().clone()),
        }
    }

    /// Takes over the root keys of a changed copy; files that are made from now on use its active one.
    pub fn adopt(&self, changed: Self) {
        let changed = changed
            .roots
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        *self.roots.write().unwrap_or_else(PoisonError::into_inner) = changed;
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Vec<Root>> {
        self.roots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn roots_mut(&mut self) -> &mut Vec<Root> {
        self.roots.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a root key for new files; older ones are retired and still open.
    pub fn rotate(&mut self, master: &dyn MasterKey, now: Timestamp) -> Result<u32, KeyringError> {
        let newest = self.read().iter().map(|root| root.facts.version).max();
        let version = newest
            .unwrap_or(0)
            .checked_add(1)
            .ok_or(KeyringError::Malformed)?;
        if self.read().len() >= ROOTS_MAX {
            return Err(KeyringError::Full);
        }
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
            wrap_key: Arc::new(wrap_key(&secret)?),
        };
        let roots = self.roots_mut();
        for older in roots.iter_mut() {
            older.facts.state = RootState::Retired;
        }
        roots.push(root);
        Ok(version)
    }

    /// Forgets a retired root key; files that name it can never be opened again.
    pub fn forget(&mut self, version: u32) -> bool {
        let roots = self.roots_mut();
        let before = roots.len();
        roots.retain(|root| root.facts.version != version || root.facts.state == RootState::Active);
        roots.len() < before
    }

    /// Wraps every root key anew under another master key; no data is touched.
    pub fn rewrap(&mut self, from: &dyn MasterKey, to: &dyn MasterKey) -> Result<(), KeyringError> {
        let mut fresh = self.read().clone();
        for root in &mut fresh {
            let context = context(&self.cluster_id, root.facts.version);
            root.wrapped = to.wrap(&context, &from.unwrap(&context, &root.wrapped)?)?;
            if root.wrapped.len() > WRAPPED_MAX {
                return Err(KeyringError::Malformed);
            }
        }
        *self.roots_mut() = fresh;
        self.provider = to.provider().to_owned();
        Ok(())
    }

    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    pub fn versions(&self) -> Vec<RootVersion> {
        self.read().iter().map(|root| root.facts).collect()
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
        let roots = self.read();
        out.extend_from_slice(&u16::try_from(roots.len()).unwrap_or(u16::MAX).to_be_bytes());
        for root in roots.iter() {
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
            padding: Padding::default(),
            roots: RwLock::new(roots),
        })
    }

    /// A fresh file key: the header to write first, and the key that seals the file's frames.
    pub fn create_file(
        &self,
        identity: FileIdentity,
    ) -> Result<(FileHeader, WriteKey), KeyringError> {
        let roots = self.read();
        let root = roots
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
        Ok((header, WriteKey::new(key, self.padding)))
    }

    /// Authenticates a header and gives the key that opens the file's frames.
    pub fn open_file(&self, header: &FileHeader) -> Result<ReadKey, HeaderError> {
        let roots = self.read();
        let root = roots
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
        wrap_key: Arc::new(wrap_key(&secret)?),
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
