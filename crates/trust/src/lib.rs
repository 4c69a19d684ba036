//! Certificates: our own CA, TLS configurations, revocation, and who a client certificate names.
//!
//! Also the place where the product's random bytes come from. Speaks no Kafka and opens no socket.
#![forbid(unsafe_code)]

pub mod provider;
pub mod random;

pub mod ca;
pub mod pem;
pub mod server;

mod pattern;
pub mod principal;
mod subject;
