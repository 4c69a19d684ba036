// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerProtocolSubscription {
    pub topics: Vec<Str>,
    pub user_data: Option<Bytes>,
    pub owned_partitions: Vec<TopicPartition>,
    pub generation_id: i32,
    pub rack_id: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for ConsumerProtocolSubscription {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            user_data: None,
            owned_partitions: Vec::new(),
            generation_id: -1,
            rack_id: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ConsumerProtocolSubscription {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.topics = Wire::read(r, v, flex)?;
        out.user_data = r.nullable(v, flex, true)?;
        if v >= 1 {
            out.owned_partitions = Wire::read(r, v, flex)?;
        }
        if v >= 2 {
            out.generation_id = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.rack_id = r.nullable(v, flex, true)?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.topics.write(w, v, flex)?;
        w.nullable(&self.user_data, v, flex, true)?;
        if v >= 1 {
            self.owned_partitions.write(w, v, flex)?;
        }
        if v >= 2 {
            self.generation_id.write(w, v, flex)?;
        }
        if v >= 3 {
            w.nullable(&self.rack_id, v, flex, true)?;
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TopicPartition {
    pub topic: Str,
    pub partitions: Vec<i32>,
    pub unknown_tags: UnknownTags,
}

impl Default for TopicPartition {
    fn default() -> Self {
        Self {
            topic: Str::EMPTY,
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for TopicPartition {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 1 {
            out.topic = Wire::read(r, v, flex)?;
        }
        if v >= 1 {
            out.partitions = Wire::read(r, v, flex)?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 1 {
            self.topic.write(w, v, flex)?;
        }
        if !(v >= 1) && !(self.topic.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "TopicPartition.Topic", version: v });
        }
        if v >= 1 {
            self.partitions.write(w, v, flex)?;
        }
        if !(v >= 1) && !(self.partitions.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "TopicPartition.Partitions", version: v });
        }
        Ok(())
    }
}

impl Message for ConsumerProtocolSubscription {
    const NAME: &'static str = "ConsumerProtocolSubscription";
    const MIN: i16 = 0;
    const MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = i16::MAX;
}
