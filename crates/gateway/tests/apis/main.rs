//! Every API through a running gateway: an allowed and a refused principal, and what of it reaches the upstream.
//!
//! The upstream is scripted, the client writes Kafka's bytes to a socket. What a client's library makes of the answers
//! is not looked at here.

mod acls;
mod addresses;
mod admin;
mod bounds;
mod changes;
mod drain;
mod fetch;
mod golden;
mod groups;
mod hidden;
mod matrix;
mod metadata;
mod offsets;
mod produce;
mod quotas;
mod scram;
mod support;
mod untouched;
