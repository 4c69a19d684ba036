//! Every request of the broker through a link: answers, error rows, order, waiting.

mod fetch;
mod metadata;
mod offsets;
mod produce;
mod versions;

#[path = "../common/mod.rs"]
mod common;

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use common::{Bench, Client, batch, fetch_request, options, produce_request};
use kastellan_core::time::Clock;
use tokio::time::Instant;
use uuid::Uuid;
use wire::api;
use wire::error::ErrorCode;
use wire::message::*;
use wire::text::Str;

fn now() -> i64 {
    Clock::system().now().millis()
}

fn names(topics: &[&str]) -> MetadataRequest {
    let topic = |name: &&str| metadata_request::MetadataRequestTopic {
        name: Some(Str::from(*name)),
        ..Default::default()
    };
    MetadataRequest {
        topics: Some(topics.iter().map(topic).collect()),
        allow_auto_topic_creation: true,
        ..Default::default()
    }
}
