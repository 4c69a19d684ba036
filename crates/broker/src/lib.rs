//! The embedded log: a single-node log that speaks Kafka, sealed on disk.
//!
//! In: request frames of one connection after the other, from peers whose identity is settled. Out: answer frames.
//! No authentication, no authorization, no TLS, no quotas: that is the gateway's side.
#![forbid(unsafe_code)]

pub mod groups;
pub mod offsets;
