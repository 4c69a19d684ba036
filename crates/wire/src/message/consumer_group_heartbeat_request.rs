// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupHeartbeatRequest {
    pub group_id: Str,
    pub member_id: Str,
    pub member_epoch: i32,
    pub instance_id: Option<Str>,
    pub rack_id: Option<Str>,
    pub rebalance_timeout_ms: i32,
    pub subscribed_topic_names: Option<Vec<Str>>,
    pub subscribed_topic_regex: Option<Str>,
    pub server_assignor: Option<Str>,
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    pub unknown_tags: UnknownTags,
}

impl Default for ConsumerGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            member_id: Str::EMPTY,
            member_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            subscribed_topic_names: None,
            subscribed_topic_regex: None,
            server_assignor: None,
            topic_partitions: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ConsumerGroupHeartbeatRequest {
    const MIN_LEN: usize = 16;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.group_id = Wire::read(r, v, flex)?;
        out.member_id = Wire::read(r, v, flex)?;
        out.member_epoch = Wire::read(r, v, flex)?;
        out.instance_id = r.nullable(v, flex, true)?;
        out.rack_id = r.nullable(v, flex, true)?;
        out.rebalance_timeout_ms = Wire::read(r, v, flex)?;
        out.subscribed_topic_names = r.nullable(v, flex, true)?;
        if v >= 1 {
            out.subscribed_topic_regex = r.nullable(v, flex, true)?;
        }
        out.server_assignor = r.nullable(v, flex, true)?;
        out.topic_partitions = r.nullable(v, flex, true)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.group_id.write(w, v, flex)?;
        self.member_id.write(w, v, flex)?;
        self.member_epoch.write(w, v, flex)?;
        w.nullable(&self.instance_id, v, flex, true)?;
        w.nullable(&self.rack_id, v, flex, true)?;
        self.rebalance_timeout_ms.write(w, v, flex)?;
        w.nullable(&self.subscribed_topic_names, v, flex, true)?;
        if v >= 1 {
            w.nullable(&self.subscribed_topic_regex, v, flex, true)?;
        }
        if !(v >= 1) && !(self.subscribed_topic_regex.is_none()) {
            return Err(EncodeError::NotInVersion { field: "ConsumerGroupHeartbeatRequest.SubscribedTopicRegex", version: v });
        }
        w.nullable(&self.server_assignor, v, flex, true)?;
        w.nullable(&self.topic_partitions, v, flex, true)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TopicPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
    pub unknown_tags: UnknownTags,
}

impl Default for TopicPartitions {
    fn default() -> Self {
        Self {
            topic_id: Uuid::nil(),
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for TopicPartitions {
    const MIN_LEN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.topic_id = Wire::read(r, v, flex)?;
        out.partitions = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.topic_id.write(w, v, flex)?;
        self.partitions.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for ConsumerGroupHeartbeatRequest {
    const NAME: &'static str = "ConsumerGroupHeartbeatRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ConsumerGroupHeartbeatRequest {
    const KEY: i16 = 68;
    type Response = super::ConsumerGroupHeartbeatResponse;
}
