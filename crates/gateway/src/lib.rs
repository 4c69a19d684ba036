//! The Kafka data plane: connections in, judged requests out.
//!
//! Data meets the modules in this order: `listen`, `handshake`, `login`, `session`, `pipeline`, `apis`, `upstream`.
//! Knows neither SQL nor HTTP: credentials, policy and trail come as the traits of `kastellan_core::ports`.
#![forbid(unsafe_code)]

pub mod config;
pub mod gateway;

mod door;
mod listen;
pub mod proxy;
mod transport;

mod handshake;
mod login;

mod session;

mod apis;
mod apiversions;
mod pipeline;

pub mod topology;
pub mod upstream;

mod cause;
mod limits;
pub mod meters;
mod uses;

pub use gateway::{Gateway, Ports};
