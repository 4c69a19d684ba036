//! Topics, settings, groups and offsets as administrators see them, through a link.

mod groups;
mod precedence;
mod settings;
mod topics;

#[path = "../common/mod.rs"]
mod common;

use std::time::Duration;

use broker::Options;
use bytes::Bytes;
use common::{Bench, Client, batch, options};
use kastellan_core::time::Clock;
use uuid::Uuid;
use wire::error::ErrorCode;
use wire::message::*;
use wire::text::Str;

fn now() -> i64 {
    Clock::system().now().millis()
}
