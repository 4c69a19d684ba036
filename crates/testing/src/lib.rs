//! What tests and fuzz targets of several crates share. No part of the product: only `[dev-dependencies]` name it.
#![forbid(unsafe_code)]

pub mod disk;
pub mod log;
