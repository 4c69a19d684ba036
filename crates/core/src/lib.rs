//! Words and decisions of Kastellan: principals, secrets, resources, rules, the decision itself, trail events.
//!
//! Pure: no socket, no file, no task. The only clock is [`time::Clock`]; whoever needs the time is handed one.
//! The traits in [`ports`] are what the gateway asks for and the binary fills.
#![forbid(unsafe_code)]

pub mod secret;
pub mod time;

pub mod credential;
pub mod principal;

pub mod host;
pub mod operation;
pub mod resource;
pub mod rule;

pub mod authorize;
pub mod explain;
pub mod filter;
pub mod policy;

pub mod event;
pub mod meter;
pub mod ports;
