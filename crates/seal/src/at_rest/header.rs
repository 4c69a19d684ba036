//! The 256-byte header of every file of the embedded log.
//!
//! ```text
//!   0  8 magic `KSTLLOG1`      32 16 topic id (zero in journals)   72 48 wrapped file key (AES-256-GCM)
//!   8  2 format version 1      48  4 partition                    120 32 key commitment
//!  10  1 kind                  52  8 base offset or sequence      152 100 zero
//!  11  1 suite                 60 12 wrap nonce                   252  4 CRC-32C of bytes 0..252
//!  12  4 root key version
//!  16 16 file id
//! ```
//! The CRC tells an accident from a wrong key; the wrapped key authenticates bytes 0..60.

use uuid::Uuid;

pub const HEADER_LEN: usize = 256;
pub(super) const MAGIC: &[u8; 8] = b"KSTLLOG1";
const FORMAT: u16 = 1;
/// Bytes that are associated data of the wrapped file key.
pub(super) const BOUND: usize = 60;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FileKind {
    Segment = 1,
    Catalog = 2,
    Groups = 3,
}

/// How frames are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Suite {
    Aes256Gcm = 1,
    /// Default: survives a virtual machine that is resumed twice from one snapshot.
    #[default]
    Aes256GcmSiv = 2,
}

/// What a file is and where it belongs; a file cannot be carried to another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    pub kind: FileKind,
    pub topic: Uuid,
    pub partition: u32,
    /// Base offset of a segment, sequence number of a journal.
    pub base: u64,
}

/// A parsed header. It is believed only once [`super::Keyring::open_file`] opened it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHeader {
    pub identity: FileIdentity,
    pub suite: Suite,
    pub root_version: u32,
    pub file_id: [u8; 16],
    pub(super) wrap_nonce: [u8; 12],
    pub(super) wrapped_key: [u8; 48],
    pub(super) commitment: [u8; 32],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    #[error("file is shorter than its header")]
    Short,
    #[error("not a sealed log file")]
    Magic,
    #[error("header checksum does not match")]
    Checksum,
    #[error("written by a newer format, version {0}")]
    Format(u16),
    #[error("unknown file kind {0}")]
    Kind(u8),
    #[error("unknown sealing suite {0}")]
    Suite(u8),
    #[error("reserved header bytes are not zero")]
    Reserved,
    #[error("root key version {0} is not in the keyring")]
    RootUnknown(u32),
    #[error("file key cannot be unwrapped: wrong root key, or a changed header")]
    Unwrap,
    #[error("file key does not match its commitment")]
    Commitment,
    #[error("the file belongs elsewhere")]
    Identity,
}

impl FileHeader {
    /// Reads a header. Checks form and checksum, not authenticity.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let bytes: &[u8; HEADER_LEN] = bytes
            .get(..HEADER_LEN)
            .and_then(|head| head.try_into().ok())
            .ok_or(HeaderError::Short)?;
        if &bytes[..8] != MAGIC {
            return Err(HeaderError::Magic);
        }
        if crc32c::crc32c(&bytes[..252]).to_be_bytes() != bytes[252..] {
            return Err(HeaderError::Checksum);
        }
        let format = u16::from_be_bytes(array(bytes, 8));
        if format != FORMAT {
            return Err(HeaderError::Format(format));
        }
        let kind = match bytes[10] {
            1 => FileKind::Segment,
            2 => FileKind::Catalog,
            3 => FileKind::Groups,
            other => return Err(HeaderError::Kind(other)),
        };
        let suite = match bytes[11] {
            1 => Suite::Aes256Gcm,
            2 => Suite::Aes256GcmSiv,
            other => return Err(HeaderError::Suite(other)),
        };
        if bytes[152..252].iter().any(|byte| *byte != 0) {
            return Err(HeaderError::Reserved);
        }
        Ok(Self {
            identity: FileIdentity {
                kind,
                topic: Uuid::from_bytes(array(bytes, 32)),
                partition: u32::from_be_bytes(array(bytes, 48)),
                base: u64::from_be_bytes(array(bytes, 52)),
            },
            suite,
            root_version: u32::from_be_bytes(array(bytes, 12)),
            file_id: array(bytes, 16),
            wrap_nonce: array(bytes, 60),
            wrapped_key: array(bytes, 72),
            commitment: array(bytes, 120),
        })
    }

    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..BOUND].copy_from_slice(&self.bound_bytes());
        bytes[60..72].copy_from_slice(&self.wrap_nonce);
        bytes[72..120].copy_from_slice(&self.wrapped_key);
        bytes[120..152].copy_from_slice(&self.commitment);
        let checksum = crc32c::crc32c(&bytes[..252]);
        bytes[252..].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    /// Bytes 0..60: everything that says what the file is.
    pub(super) fn bound_bytes(&self) -> [u8; BOUND] {
        let mut bytes = [0; BOUND];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT.to_be_bytes());
        bytes[10] = self.identity.kind as u8;
        bytes[11] = self.suite as u8;
        bytes[12..16].copy_from_slice(&self.root_version.to_be_bytes());
        bytes[16..32].copy_from_slice(&self.file_id);
        bytes[32..48].copy_from_slice(self.identity.topic.as_bytes());
        bytes[48..52].copy_from_slice(&self.identity.partition.to_be_bytes());
        bytes[52..60].copy_from_slice(&self.identity.base.to_be_bytes());
        bytes
    }
}

fn array<const N: usize>(bytes: &[u8; HEADER_LEN], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}
