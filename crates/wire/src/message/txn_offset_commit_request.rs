// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequest {
    pub transactional_id: Str,
    pub group_id: Str,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub generation_id: i32,
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
    pub unknown_tags: UnknownTags,
}

impl Default for TxnOffsetCommitRequest {
    fn default() -> Self {
        Self {
            transactional_id: Str::EMPTY,
            group_id: Str::EMPTY,
            producer_id: 0,
            producer_epoch: 0,
            generation_id: -1,
            member_id: Str::EMPTY,
            group_instance_id: None,
            topics: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for TxnOffsetCommitRequest {
    const MIN_LEN: usize = 13;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.transactional_id = Wire::read(r, v, flex)?;
        out.group_id = Wire::read(r, v, flex)?;
        out.producer_id = Wire::read(r, v, flex)?;
        out.producer_epoch = Wire::read(r, v, flex)?;
        if v >= 3 {
            out.generation_id = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.member_id = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.group_instance_id = r.nullable(v, flex, true)?;
        }
        out.topics = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.transactional_id.write(w, v, flex)?;
        self.group_id.write(w, v, flex)?;
        self.producer_id.write(w, v, flex)?;
        self.producer_epoch.write(w, v, flex)?;
        if v >= 3 {
            self.generation_id.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.generation_id == -1) {
            return Err(EncodeError::NotInVersion { field: "TxnOffsetCommitRequest.GenerationId", version: v });
        }
        if v >= 3 {
            self.member_id.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.member_id.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "TxnOffsetCommitRequest.MemberId", version: v });
        }
        if v >= 3 {
            w.nullable(&self.group_instance_id, v, flex, true)?;
        }
        if !(v >= 3) && !(self.group_instance_id.is_none()) {
            return Err(EncodeError::NotInVersion { field: "TxnOffsetCommitRequest.GroupInstanceId", version: v });
        }
        self.topics.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequestTopic {
    pub name: Str,
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
    pub unknown_tags: UnknownTags,
}

impl Default for TxnOffsetCommitRequestTopic {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for TxnOffsetCommitRequestTopic {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.name = Wire::read(r, v, flex)?;
        out.partitions = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.name.write(w, v, flex)?;
        self.partitions.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequestPartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub committed_metadata: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for TxnOffsetCommitRequestPartition {
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

impl Wire for TxnOffsetCommitRequestPartition {
    const MIN_LEN: usize = 13;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.partition_index = Wire::read(r, v, flex)?;
        out.committed_offset = Wire::read(r, v, flex)?;
        if v >= 2 {
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
        if v >= 2 {
            self.committed_leader_epoch.write(w, v, flex)?;
        }
        w.nullable(&self.committed_metadata, v, flex, true)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for TxnOffsetCommitRequest {
    const NAME: &'static str = "TxnOffsetCommitRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for TxnOffsetCommitRequest {
    const KEY: i16 = 28;
    type Response = super::TxnOffsetCommitResponse;
}
