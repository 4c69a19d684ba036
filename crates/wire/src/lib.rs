//! Kafka's bytes and values: messages, frames, record batches, SASL conversations.
//!
//! Opens no socket and reads no clock. Bytes from a peer meet a cap before an allocator, and any bytes at all give an
//! answer rather than a panic.
#![forbid(unsafe_code)]

pub mod text;

pub mod codec;
#[rustfmt::skip]
pub mod message;

pub mod api;
pub mod error;

pub mod frame;
pub mod header;

pub mod record;

pub mod sasl;

pub use codec::{Message, Request};
