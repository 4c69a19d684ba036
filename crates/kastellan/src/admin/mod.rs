//! Management of a running server: JSON over HTTP on a socket in the data directory that only its owner can open.
//!
//! [`api`] holds the words both sides use, [`server`] answers, `cli::client` asks. The command line never opens the
//! store behind a running server's back.

pub mod api;
pub mod server;
