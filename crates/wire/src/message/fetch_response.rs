// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct FetchResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub session_id: i32,
    pub responses: Vec<FetchableTopicResponse>,
    pub node_endpoints: Vec<NodeEndpoint>,
    pub unknown_tags: UnknownTags,
}

impl Default for FetchResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            session_id: 0,
            responses: Vec::new(),
            node_endpoints: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for FetchResponse {
    const MIN_LEN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        if v >= 7 {
            out.error_code = Wire::read(r, v, flex)?;
        }
        if v >= 7 {
            out.session_id = Wire::read(r, v, flex)?;
        }
        out.responses = Wire::read(r, v, flex)?;
        if flex {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                {
                    let r = &mut field;
                    match tag {
                        0 if v >= 16 => out.node_endpoints = Wire::read(r, v, flex)?,
                        0 => return Err(DecodeError::TagVersion),
                        _ => r.unknown(tag, &mut out.unknown_tags),
                    }
                }
                r.close(field)?;
            }
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(w, v, flex)?;
        if v >= 7 {
            self.error_code.write(w, v, flex)?;
        }
        if v >= 7 {
            self.session_id.write(w, v, flex)?;
        }
        if !(v >= 7) && !(self.session_id == 0) {
            return Err(EncodeError::NotInVersion { field: "FetchResponse.SessionId", version: v });
        }
        self.responses.write(w, v, flex)?;
        if !(v >= 16) && !(self.node_endpoints.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "FetchResponse.NodeEndpoints", version: v });
        }
        if flex {
            let mut tags = Tags::new();
            if v >= 16 && !(self.node_endpoints.is_empty()) {
                tags.put(0, |w| {
                    self.node_endpoints.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            w.tags(tags, &self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct FetchableTopicResponse {
    pub topic: Str,
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData>,
    pub unknown_tags: UnknownTags,
}

impl Default for FetchableTopicResponse {
    fn default() -> Self {
        Self {
            topic: Str::EMPTY,
            topic_id: Uuid::nil(),
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for FetchableTopicResponse {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v <= 12 {
            out.topic = Wire::read(r, v, flex)?;
        }
        if v >= 13 {
            out.topic_id = Wire::read(r, v, flex)?;
        }
        out.partitions = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 12 {
            self.topic.write(w, v, flex)?;
        }
        if v >= 13 {
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
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    pub diverging_epoch: EpochEndOffset,
    pub current_leader: LeaderIdAndEpoch,
    pub snapshot_id: SnapshotId,
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    pub preferred_read_replica: i32,
    pub records: Option<Bytes>,
    pub unknown_tags: UnknownTags,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            high_watermark: 0,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: Default::default(),
            current_leader: Default::default(),
            snapshot_id: Default::default(),
            aborted_transactions: Some(Vec::new()),
            preferred_read_replica: -1,
            records: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for PartitionData {
    const MIN_LEN: usize = 24;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.partition_index = Wire::read(r, v, flex)?;
        out.error_code = Wire::read(r, v, flex)?;
        out.high_watermark = Wire::read(r, v, flex)?;
        out.last_stable_offset = Wire::read(r, v, flex)?;
        if v >= 5 {
            out.log_start_offset = Wire::read(r, v, flex)?;
        }
        out.aborted_transactions = r.nullable(v, flex, true)?;
        if v >= 11 {
            out.preferred_read_replica = Wire::read(r, v, flex)?;
        }
        out.records = r.nullable(v, flex, true)?;
        if flex {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                {
                    let r = &mut field;
                    match tag {
                        0 => out.diverging_epoch = Wire::read(r, v, flex)?,
                        1 => out.current_leader = Wire::read(r, v, flex)?,
                        2 => out.snapshot_id = Wire::read(r, v, flex)?,
                        _ => r.unknown(tag, &mut out.unknown_tags),
                    }
                }
                r.close(field)?;
            }
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.partition_index.write(w, v, flex)?;
        self.error_code.write(w, v, flex)?;
        self.high_watermark.write(w, v, flex)?;
        self.last_stable_offset.write(w, v, flex)?;
        if v >= 5 {
            self.log_start_offset.write(w, v, flex)?;
        }
        if !(v >= 12) && !(self.diverging_epoch == EpochEndOffset::default()) {
            return Err(EncodeError::NotInVersion { field: "PartitionData.DivergingEpoch", version: v });
        }
        if !(v >= 12) && !(self.current_leader == LeaderIdAndEpoch::default()) {
            return Err(EncodeError::NotInVersion { field: "PartitionData.CurrentLeader", version: v });
        }
        if !(v >= 12) && !(self.snapshot_id == SnapshotId::default()) {
            return Err(EncodeError::NotInVersion { field: "PartitionData.SnapshotId", version: v });
        }
        w.nullable(&self.aborted_transactions, v, flex, true)?;
        if v >= 11 {
            self.preferred_read_replica.write(w, v, flex)?;
        }
        if !(v >= 11) && !(self.preferred_read_replica == -1) {
            return Err(EncodeError::NotInVersion { field: "PartitionData.PreferredReadReplica", version: v });
        }
        w.nullable(&self.records, v, flex, true)?;
        if flex {
            let mut tags = Tags::new();
            if !(self.diverging_epoch == EpochEndOffset::default()) {
                tags.put(0, |w| {
                    self.diverging_epoch.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            if !(self.current_leader == LeaderIdAndEpoch::default()) {
                tags.put(1, |w| {
                    self.current_leader.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            if !(self.snapshot_id == SnapshotId::default()) {
                tags.put(2, |w| {
                    self.snapshot_id.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            w.tags(tags, &self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    pub epoch: i32,
    pub end_offset: i64,
    pub unknown_tags: UnknownTags,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self {
            epoch: -1,
            end_offset: -1,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for EpochEndOffset {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 12 {
            out.epoch = Wire::read(r, v, flex)?;
        }
        if v >= 12 {
            out.end_offset = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 12 {
            self.epoch.write(w, v, flex)?;
        }
        if !(v >= 12) && !(self.epoch == -1) {
            return Err(EncodeError::NotInVersion { field: "EpochEndOffset.Epoch", version: v });
        }
        if v >= 12 {
            self.end_offset.write(w, v, flex)?;
        }
        if !(v >= 12) && !(self.end_offset == -1) {
            return Err(EncodeError::NotInVersion { field: "EpochEndOffset.EndOffset", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub unknown_tags: UnknownTags,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for LeaderIdAndEpoch {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 12 {
            out.leader_id = Wire::read(r, v, flex)?;
        }
        if v >= 12 {
            out.leader_epoch = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 12 {
            self.leader_id.write(w, v, flex)?;
        }
        if !(v >= 12) && !(self.leader_id == -1) {
            return Err(EncodeError::NotInVersion { field: "LeaderIdAndEpoch.LeaderId", version: v });
        }
        if v >= 12 {
            self.leader_epoch.write(w, v, flex)?;
        }
        if !(v >= 12) && !(self.leader_epoch == -1) {
            return Err(EncodeError::NotInVersion { field: "LeaderIdAndEpoch.LeaderEpoch", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotId {
    pub end_offset: i64,
    pub epoch: i32,
    pub unknown_tags: UnknownTags,
}

impl Default for SnapshotId {
    fn default() -> Self {
        Self {
            end_offset: -1,
            epoch: -1,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for SnapshotId {
    const MIN_LEN: usize = 12;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.end_offset = Wire::read(r, v, flex)?;
        out.epoch = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.end_offset.write(w, v, flex)?;
        self.epoch.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
    pub unknown_tags: UnknownTags,
}

impl Default for AbortedTransaction {
    fn default() -> Self {
        Self {
            producer_id: 0,
            first_offset: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for AbortedTransaction {
    const MIN_LEN: usize = 16;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.producer_id = Wire::read(r, v, flex)?;
        out.first_offset = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.producer_id.write(w, v, flex)?;
        self.first_offset.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    pub rack: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for NodeEndpoint {
    fn default() -> Self {
        Self {
            node_id: 0,
            host: Str::EMPTY,
            port: 0,
            rack: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for NodeEndpoint {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 16 {
            out.node_id = Wire::read(r, v, flex)?;
        }
        if v >= 16 {
            out.host = Wire::read(r, v, flex)?;
        }
        if v >= 16 {
            out.port = Wire::read(r, v, flex)?;
        }
        if v >= 16 {
            out.rack = r.nullable(v, flex, true)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 16 {
            self.node_id.write(w, v, flex)?;
        }
        if !(v >= 16) && !(self.node_id == 0) {
            return Err(EncodeError::NotInVersion { field: "NodeEndpoint.NodeId", version: v });
        }
        if v >= 16 {
            self.host.write(w, v, flex)?;
        }
        if !(v >= 16) && !(self.host.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "NodeEndpoint.Host", version: v });
        }
        if v >= 16 {
            self.port.write(w, v, flex)?;
        }
        if !(v >= 16) && !(self.port == 0) {
            return Err(EncodeError::NotInVersion { field: "NodeEndpoint.Port", version: v });
        }
        if v >= 16 {
            w.nullable(&self.rack, v, flex, true)?;
        }
        if !(v >= 16) && !(self.rack.is_none()) {
            return Err(EncodeError::NotInVersion { field: "NodeEndpoint.Rack", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for FetchResponse {
    const NAME: &'static str = "FetchResponse";
    const MIN: i16 = 4;
    const MAX: i16 = 18;
    const FLEXIBLE_FROM: i16 = 12;
}
