// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct DeleteTopicsRequest {
    pub topics: Vec<DeleteTopicState>,
    pub topic_names: Vec<Str>,
    pub timeout_ms: i32,
    pub unknown_tags: UnknownTags,
}

impl Default for DeleteTopicsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            topic_names: Vec::new(),
            timeout_ms: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DeleteTopicsRequest {
    const MIN_LEN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 6 {
            out.topics = Wire::read(r, v, flex)?;
        }
        if v <= 5 {
            out.topic_names = Wire::read(r, v, flex)?;
        }
        out.timeout_ms = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 6 {
            self.topics.write(w, v, flex)?;
        }
        if !(v >= 6) && !(self.topics.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "DeleteTopicsRequest.Topics", version: v });
        }
        if v <= 5 {
            self.topic_names.write(w, v, flex)?;
        }
        self.timeout_ms.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeleteTopicState {
    pub name: Option<Str>,
    pub topic_id: Uuid,
    pub unknown_tags: UnknownTags,
}

impl Default for DeleteTopicState {
    fn default() -> Self {
        Self {
            name: None,
            topic_id: Uuid::nil(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DeleteTopicState {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 6 {
            out.name = r.nullable(v, flex, true)?;
        }
        if v >= 6 {
            out.topic_id = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 6 {
            w.nullable(&self.name, v, flex, true)?;
        }
        if !(v >= 6) && !(self.name.is_none()) {
            return Err(EncodeError::NotInVersion { field: "DeleteTopicState.Name", version: v });
        }
        if v >= 6 {
            self.topic_id.write(w, v, flex)?;
        }
        if !(v >= 6) && !(self.topic_id.is_nil()) {
            return Err(EncodeError::NotInVersion { field: "DeleteTopicState.TopicId", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for DeleteTopicsRequest {
    const NAME: &'static str = "DeleteTopicsRequest";
    const MIN: i16 = 1;
    const MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for DeleteTopicsRequest {
    const KEY: i16 = 20;
    type Response = super::DeleteTopicsResponse;
}
