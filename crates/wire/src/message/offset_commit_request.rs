// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequest {
    pub group_id: Str,
    pub generation_id_or_member_epoch: i32,
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    pub retention_time_ms: i64,
    pub topics: Vec<OffsetCommitRequestTopic>,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetCommitRequest {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            generation_id_or_member_epoch: -1,
            member_id: Str::EMPTY,
            group_instance_id: None,
            retention_time_ms: -1,
            topics: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetCommitRequest {
    const MIN_LEN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.group_id = Wire::read(r, v, flex)?;
        out.generation_id_or_member_epoch = Wire::read(r, v, flex)?;
        out.member_id = Wire::read(r, v, flex)?;
        if v >= 7 {
            out.group_instance_id = r.nullable(v, flex, true)?;
        }
        if v <= 4 {
            out.retention_time_ms = Wire::read(r, v, flex)?;
        }
        out.topics = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.group_id.write(w, v, flex)?;
        self.generation_id_or_member_epoch.write(w, v, flex)?;
        self.member_id.write(w, v, flex)?;
        if v >= 7 {
            w.nullable(&self.group_instance_id, v, flex, true)?;
        }
        if !(v >= 7) && !(self.group_instance_id.is_none()) {
            return Err(EncodeError::NotInVersion { field: "OffsetCommitRequest.GroupInstanceId", version: v });
        }
        if v <= 4 {
            self.retention_time_ms.write(w, v, flex)?;
        }
        self.topics.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestTopic {
    pub name: Str,
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitRequestPartition>,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetCommitRequestTopic {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            topic_id: Uuid::nil(),
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetCommitRequestTopic {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v <= 9 {
            out.name = Wire::read(r, v, flex)?;
        }
        if v >= 10 {
            out.topic_id = Wire::read(r, v, flex)?;
        }
        out.partitions = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 9 {
            self.name.write(w, v, flex)?;
        }
        if v >= 10 {
            self.topic_id.write(w, v, flex)?;
        }
        self.partitions.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestPartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub committed_metadata: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: Some(Str::EMPTY),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetCommitRequestPartition {
    const MIN_LEN: usize = 13;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.partition_index = Wire::read(r, v, flex)?;
        out.committed_offset = Wire::read(r, v, flex)?;
        if v >= 6 {
            out.committed_leader_epoch = Wire::read(r, v, flex)?;
        }
        out.committed_metadata = r.nullable(v, flex, true)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.partition_index.write(w, v, flex)?;
        self.committed_offset.write(w, v, flex)?;
        if v >= 6 {
            self.committed_leader_epoch.write(w, v, flex)?;
        }
        w.nullable(&self.committed_metadata, v, flex, true)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for OffsetCommitRequest {
    const NAME: &'static str = "OffsetCommitRequest";
    const MIN: i16 = 2;
    const MAX: i16 = 10;
    const FLEXIBLE_FROM: i16 = 8;
}

impl Request for OffsetCommitRequest {
    const KEY: i16 = 8;
    type Response = super::OffsetCommitResponse;
}
