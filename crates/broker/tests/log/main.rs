//! Appends, reads, files and what ends them: the log engine without the wire.

mod append;
mod cost;
mod files;
mod producers;
mod retention;
mod times;
mod trouble;
mod writes;

use testing::log as simulated;

use std::sync::Arc;
use std::time::Duration;

use broker::disk::RealDisk;
use broker::log::{Append, Log, LogOptions, ReadError, SettingChange, SettingScope};
use broker::offsets::Place;
use bytes::Bytes;
use kastellan_core::secret::Secret;
use seal::master::LocalKey;
use simulated::{
    KEY, START, SimDisk, append, batch, batch_at, open_whole, place, put, stored, texts, values,
};
use wire::error::ErrorCode;
use wire::record::{BatchBuilder, Codec, Encoding, TimedOffset, TimestampType};

async fn fresh(settings: &[(&str, &str)]) -> (SimDisk, Log, Place) {
    let disk = SimDisk::new();
    let log = open_whole(&disk).await;
    let place = place(&log, settings).await;
    (disk, log, place)
}

async fn refusal(log: &Log, place: Place, records: Bytes) -> ErrorCode {
    append(log, place, records).await.unwrap_err().code
}
