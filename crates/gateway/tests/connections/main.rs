//! Connections from accept to close: bytes, logins, order, deadlines, and how sessions are cut.
//!
//! Real sockets, real TLS, real SASL; the upstream answers what it is told to. Which rights an API needs is not looked at
//! here: everybody who logs in may do everything.

mod again;
mod certificates;
mod deadlines;
mod frames;
mod handshakes;
mod in_memory;
mod login;
mod order;
mod peer;
mod proxied;
mod refusals;
mod reload;
mod revocation;
mod upstream;
mod world;
