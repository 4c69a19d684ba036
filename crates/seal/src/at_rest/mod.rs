//! Files at rest: keyring, file header, frames.
//!
//! ```text
//! master key (operator) -> root key (keyring, by version) -> HKDF -> wrap key -> file key (random, one per file)
//! file = header (256 bytes) + frames, all integers big-endian
//! ```
//! A file key is used for writing by one process run only: [`Keyring::create_file`] makes a fresh one and
//! [`Keyring::open_file`] gives a key that can only open.

mod frame;
mod header;
mod keyring;

pub use frame::{
    FRAME_OVERHEAD, FrameError, FrameHeader, Opened, Padding, ReadKey, WriteKey, frame_len,
};
pub use header::{FileHeader, FileIdentity, FileKind, HEADER_LEN, HeaderError, Suite};
pub use keyring::{Keyring, KeyringError, RootState, RootVersion};
