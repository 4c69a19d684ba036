// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ProduceRequest {
    pub transactional_id: Option<Str>,
    pub acks: i16,
    pub timeout_ms: i32,
    pub topic_data: Vec<TopicProduceData>,
    pub unknown_tags: UnknownTags,
}

impl Default for ProduceRequest {
    fn default() -> Self {
        Self {
            transactional_id: None,
            acks: 0,
            timeout_ms: 0,
            topic_data: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ProduceRequest {
    const MIN_LEN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.transactional_id = r.nullable(v, flex, true)?;
        out.acks = Wire::read(r, v, flex)?;
        out.timeout_ms = Wire::read(r, v, flex)?;
        out.topic_data = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.nullable(&self.transactional_id, v, flex, true)?;
        self.acks.write(w, v, flex)?;
        self.timeout_ms.write(w, v, flex)?;
        self.topic_data.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TopicProduceData {
    pub name: Str,
    pub topic_id: Uuid,
    pub partition_data: Vec<PartitionProduceData>,
    pub unknown_tags: UnknownTags,
}

impl Default for TopicProduceData {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            topic_id: Uuid::nil(),
            partition_data: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for TopicProduceData {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v <= 12 {
            out.name = Wire::read(r, v, flex)?;
        }
        if v >= 13 {
            out.topic_id = Wire::read(r, v, flex)?;
        }
        out.partition_data = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 12 {
            self.name.write(w, v, flex)?;
        }
        if v >= 13 {
            self.topic_id.write(w, v, flex)?;
        }
        self.partition_data.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionProduceData {
    pub index: i32,
    pub records: Option<Bytes>,
    pub unknown_tags: UnknownTags,
}

impl Default for PartitionProduceData {
    fn default() -> Self {
        Self {
            index: 0,
            records: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for PartitionProduceData {
    const MIN_LEN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.index = Wire::read(r, v, flex)?;
        out.records = r.nullable(v, flex, true)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.index.write(w, v, flex)?;
        w.nullable(&self.records, v, flex, true)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for ProduceRequest {
    const NAME: &'static str = "ProduceRequest";
    const MIN: i16 = 3;
    const MAX: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;
}

impl Request for ProduceRequest {
    const KEY: i16 = 0;
    type Response = super::ProduceResponse;
}
