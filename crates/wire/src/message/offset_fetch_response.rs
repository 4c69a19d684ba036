// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetFetchResponseTopic>,
    pub error_code: i16,
    pub groups: Vec<OffsetFetchResponseGroup>,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetFetchResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            topics: Vec::new(),
            error_code: 0,
            groups: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetFetchResponse {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 3 {
            out.throttle_time_ms = Wire::read(r, v, flex)?;
        }
        if v <= 7 {
            out.topics = Wire::read(r, v, flex)?;
        }
        if (2..=7).contains(&v) {
            out.error_code = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.groups = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 3 {
            self.throttle_time_ms.write(w, v, flex)?;
        }
        if v <= 7 {
            self.topics.write(w, v, flex)?;
        }
        if !(v <= 7) && !(self.topics.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponse.Topics", version: v });
        }
        if (2..=7).contains(&v) {
            self.error_code.write(w, v, flex)?;
        }
        if v >= 8 {
            self.groups.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.groups.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponse.Groups", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponseTopic {
    pub name: Str,
    pub partitions: Vec<OffsetFetchResponsePartition>,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetFetchResponseTopic {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetFetchResponseTopic {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v <= 7 {
            out.name = Wire::read(r, v, flex)?;
        }
        if v <= 7 {
            out.partitions = Wire::read(r, v, flex)?;
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
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponseTopic.Name", version: v });
        }
        if v <= 7 {
            self.partitions.write(w, v, flex)?;
        }
        if !(v <= 7) && !(self.partitions.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponseTopic.Partitions", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub metadata: Option<Str>,
    pub error_code: i16,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetFetchResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(Str::EMPTY),
            error_code: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetFetchResponsePartition {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v <= 7 {
            out.partition_index = Wire::read(r, v, flex)?;
        }
        if v <= 7 {
            out.committed_offset = Wire::read(r, v, flex)?;
        }
        if (5..=7).contains(&v) {
            out.committed_leader_epoch = Wire::read(r, v, flex)?;
        }
        if v <= 7 {
            out.metadata = r.nullable(v, flex, true)?;
        }
        if v <= 7 {
            out.error_code = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 7 {
            self.partition_index.write(w, v, flex)?;
        }
        if !(v <= 7) && !(self.partition_index == 0) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponsePartition.PartitionIndex", version: v });
        }
        if v <= 7 {
            self.committed_offset.write(w, v, flex)?;
        }
        if !(v <= 7) && !(self.committed_offset == 0) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponsePartition.CommittedOffset", version: v });
        }
        if (5..=7).contains(&v) {
            self.committed_leader_epoch.write(w, v, flex)?;
        }
        if v <= 7 {
            w.nullable(&self.metadata, v, flex, true)?;
        }
        if !(v <= 7) && !(self.metadata.as_ref().is_some_and(|value| value.is_empty())) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponsePartition.Metadata", version: v });
        }
        if v <= 7 {
            self.error_code.write(w, v, flex)?;
        }
        if !(v <= 7) && !(self.error_code == 0) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponsePartition.ErrorCode", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponseGroup {
    pub group_id: Str,
    pub topics: Vec<OffsetFetchResponseTopics>,
    pub error_code: i16,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetFetchResponseGroup {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            topics: Vec::new(),
            error_code: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetFetchResponseGroup {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 8 {
            out.group_id = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.topics = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.error_code = Wire::read(r, v, flex)?;
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
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponseGroup.GroupId", version: v });
        }
        if v >= 8 {
            self.topics.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.topics.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponseGroup.Topics", version: v });
        }
        if v >= 8 {
            self.error_code.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.error_code == 0) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponseGroup.ErrorCode", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponseTopics {
    pub name: Str,
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetFetchResponsePartitions>,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetFetchResponseTopics {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            topic_id: Uuid::nil(),
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetFetchResponseTopics {
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
            out.partitions = Wire::read(r, v, flex)?;
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
            self.partitions.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.partitions.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponseTopics.Partitions", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartitions {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub metadata: Option<Str>,
    pub error_code: i16,
    pub unknown_tags: UnknownTags,
}

impl Default for OffsetFetchResponsePartitions {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(Str::EMPTY),
            error_code: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for OffsetFetchResponsePartitions {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 8 {
            out.partition_index = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.committed_offset = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.committed_leader_epoch = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.metadata = r.nullable(v, flex, true)?;
        }
        if v >= 8 {
            out.error_code = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 8 {
            self.partition_index.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.partition_index == 0) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponsePartitions.PartitionIndex", version: v });
        }
        if v >= 8 {
            self.committed_offset.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.committed_offset == 0) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponsePartitions.CommittedOffset", version: v });
        }
        if v >= 8 {
            self.committed_leader_epoch.write(w, v, flex)?;
        }
        if v >= 8 {
            w.nullable(&self.metadata, v, flex, true)?;
        }
        if !(v >= 8) && !(self.metadata.as_ref().is_some_and(|value| value.is_empty())) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponsePartitions.Metadata", version: v });
        }
        if v >= 8 {
            self.error_code.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.error_code == 0) {
            return Err(EncodeError::NotInVersion { field: "OffsetFetchResponsePartitions.ErrorCode", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for OffsetFetchResponse {
    const NAME: &'static str = "OffsetFetchResponse";
    const MIN: i16 = 1;
    const MAX: i16 = 10;
    const FLEXIBLE_FROM: i16 = 6;
}
