//! The embedded log: a single-node log that speaks Kafka, sealed on disk.
//!
//! In: request frames of one connection after the other, from peers whose identity is settled. Out: answer frames.
//! No authentication, no authorization, no TLS, no quotas: that is the gateway's side.
#![forbid(unsafe_code)]

pub mod broker;
pub mod link;
pub mod options;

mod handle;

mod coordinator;
mod fetch;
pub mod groups;
pub mod offsets;
mod together;

mod bytes_io;
mod catalog;
mod container;
pub mod disk;
mod failure;
mod groups_journal;
mod journal;
pub mod log;
mod notes;
mod partition;
mod producers;
mod read;
mod recover;
pub mod repair;
mod retain;
mod segment;
pub mod settings;
mod shard;
mod space;
mod sync;
mod waiters;

pub use broker::{Broker, OpenError, StopError};
pub use link::{Link, LinkClosed, LinkReceiver, LinkSender, Peer};
pub use options::{Options, Trail};
