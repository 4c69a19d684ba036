//! Sealing: the only crate that sees data keys.
//!
//! [`at_rest`] seals the files of the embedded log: a keyring of root keys under a master key, one key per file,
//! authenticated frames. Plain keys never leave this crate; callers hold [`at_rest::WriteKey`] and
//! [`at_rest::ReadKey`], which can only seal and open.
#![forbid(unsafe_code)]

pub mod at_rest;
pub mod digest;
pub mod master;
