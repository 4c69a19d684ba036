// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequest {
    pub group_id: Str,
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    pub groups: Vec<OffsetFetchRequestGroup>,
    pub require_stable: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetFetchRequest {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            topics: Some(Vec::new()),
            groups: Vec::new(),
            require_stable: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetFetchRequest {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v <= 7 {
            out.group_id = Wire::read(r, v, flex)?;
        }
        if v <= 7 {
            out.topics = r.nullable(v, flex, v >= 2)?;
        }
        if v >= 8 {
            out.groups = Wire::read(r, v, flex)?;
        }
        if v >= 7 {
            out.require_stable = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 7 {
            self.group_id.write(w, v, flex)?;
        }
        if !(v <= 7) && !(self.group_id.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchRequest.GroupId", version: v });
        }
        if v <= 7 {
            w.nullable(&self.topics, v, flex, v >= 2)?;
        }
        if !(v <= 7) && !(self.topics.as_ref().is_some_and(|value| value.is_empty())) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchRequest.Topics", version: v });
        }
        if v >= 8 {
            self.groups.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.groups.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchRequest.Groups", version: v });
        }
        if v >= 7 {
            self.require_stable.write(w, v, flex)?;
        }
        if !(v >= 7) && !(!self.require_stable) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchRequest.RequireStable", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestTopic {
    pub name: Str,
    pub partition_indexes: Vec<i32>,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetFetchRequestTopic {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            partition_indexes: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetFetchRequestTopic {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v <= 7 {
            out.name = Wire::read(r, v, flex)?;
        }
        if v <= 7 {
            out.partition_indexes = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 7 {
            self.name.write(w, v, flex)?;
        }
        if !(v <= 7) && !(self.name.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchRequestTopic.Name", version: v });
        }
        if v <= 7 {
            self.partition_indexes.write(w, v, flex)?;
        }
        if !(v <= 7) && !(self.partition_indexes.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchRequestTopic.PartitionIndexes", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestGroup {
    pub group_id: Str,
    pub member_id: Option<Str>,
    pub member_epoch: i32,
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            member_id: None,
            member_epoch: -1,
            topics: Some(Vec::new()),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetFetchRequestGroup {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 8 {
            out.group_id = Wire::read(r, v, flex)?;
        }
        if v >= 9 {
            out.member_id = r.nullable(v, flex, true)?;
        }
        if v >= 9 {
            out.member_epoch = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.topics = r.nullable(v, flex, true)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 8 {
            self.group_id.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.group_id.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchRequestGroup.GroupId", version: v });
        }
        if v >= 9 {
            w.nullable(&self.member_id, v, flex, true)?;
        }
        if v >= 9 {
            self.member_epoch.write(w, v, flex)?;
        }
        if v >= 8 {
            w.nullable(&self.topics, v, flex, true)?;
        }
        if !(v >= 8) && !(self.topics.as_ref().is_some_and(|value| value.is_empty())) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchRequestGroup.Topics", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestTopics {
    pub name: Str,
    pub topic_id: Uuid,
    pub partition_indexes: Vec<i32>,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetFetchRequestTopics {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            topic_id: Uuid::nil(),
            partition_indexes: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetFetchRequestTopics {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if (8..=9).contains(&v) {
            out.name = Wire::read(r, v, flex)?;
        }
        if v >= 10 {
            out.topic_id = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.partition_indexes = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if (8..=9).contains(&v) {
            self.name.write(w, v, flex)?;
        }
        if v >= 10 {
            self.topic_id.write(w, v, flex)?;
        }
        if v >= 8 {
            self.partition_indexes.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.partition_indexes.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchRequestTopics.PartitionIndexes", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for OffsetFetchRequest {
    const NAME: &'static str = "OffsetFetchRequest";
    const MIN: i16 = 1;
    const MAX: i16 = 10;
    const FLEXIBLE_FROM: i16 = 6;
}

impl Request for OffsetFetchRequest {
    const KEY: i16 = 9;
    type Response = super::OffsetFetchResponse;
}
