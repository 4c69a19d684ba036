// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ProduceResponse {
    pub responses: Vec<TopicProduceResponse>,
    pub throttle_time_ms: i32,
    pub node_endpoints: Vec<NodeEndpoint>,
    pub unknown_tags: UnknownTags,
}

impl Default for ProduceResponse {
    fn default() -> Self {
        Self {
            responses: Vec::new(),
            throttle_time_ms: 0,
            node_endpoints: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ProduceResponse {
    const MIN_LEN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.responses = Wire::read(r, v, flex)?;
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        if flex {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                {
                    let r = &mut field;
                    match tag {
                        0 if v >= 10 => out.node_endpoints = Wire::read(r, v, flex)?,
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
        self.responses.write(w, v, flex)?;
        self.throttle_time_ms.write(w, v, flex)?;
        if !(v >= 10) && !(self.node_endpoints.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "ProduceResponse.NodeEndpoints", version: v });
        }
        if flex {
            let mut tags = Tags::new();
            if v >= 10 && !(self.node_endpoints.is_empty()) {
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
pub struct TopicProduceResponse {
    pub name: Str,
    pub topic_id: Uuid,
    pub partition_responses: Vec<PartitionProduceResponse>,
    pub unknown_tags: UnknownTags,
}

impl Default for TopicProduceResponse {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            topic_id: Uuid::nil(),
            partition_responses: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for TopicProduceResponse {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v <= 12 {
            out.name = Wire::read(r, v, flex)?;
        }
        if v >= 13 {
            out.topic_id = Wire::read(r, v, flex)?;
        }
        out.partition_responses = Wire::read(r, v, flex)?;
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
        self.partition_responses.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionProduceResponse {
    pub index: i32,
    pub error_code: i16,
    pub base_offset: i64,
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    pub error_message: Option<Str>,
    pub current_leader: LeaderIdAndEpoch,
    pub unknown_tags: UnknownTags,
}

impl Default for PartitionProduceResponse {
    fn default() -> Self {
        Self {
            index: 0,
            error_code: 0,
            base_offset: 0,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: Default::default(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for PartitionProduceResponse {
    const MIN_LEN: usize = 22;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.index = Wire::read(r, v, flex)?;
        out.error_code = Wire::read(r, v, flex)?;
        out.base_offset = Wire::read(r, v, flex)?;
        out.log_append_time_ms = Wire::read(r, v, flex)?;
        if v >= 5 {
            out.log_start_offset = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.record_errors = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.error_message = r.nullable(v, flex, true)?;
        }
        if flex {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                {
                    let r = &mut field;
                    match tag {
                        0 if v >= 10 => out.current_leader = Wire::read(r, v, flex)?,
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
        self.index.write(w, v, flex)?;
        self.error_code.write(w, v, flex)?;
        self.base_offset.write(w, v, flex)?;
        self.log_append_time_ms.write(w, v, flex)?;
        if v >= 5 {
            self.log_start_offset.write(w, v, flex)?;
        }
        if v >= 8 {
            self.record_errors.write(w, v, flex)?;
        }
        if v >= 8 {
            w.nullable(&self.error_message, v, flex, true)?;
        }
        if !(v >= 10) && !(self.current_leader == LeaderIdAndEpoch::default()) {
            return Err(EncodeError::NotInVersion { field: "PartitionProduceResponse.CurrentLeader", version: v });
        }
        if flex {
            let mut tags = Tags::new();
            if v >= 10 && !(self.current_leader == LeaderIdAndEpoch::default()) {
                tags.put(0, |w| {
                    self.current_leader.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            w.tags(tags, &self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct BatchIndexAndErrorMessage {
    pub batch_index: i32,
    pub batch_index_error_message: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for BatchIndexAndErrorMessage {
    fn default() -> Self {
        Self {
            batch_index: 0,
            batch_index_error_message: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for BatchIndexAndErrorMessage {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 8 {
            out.batch_index = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.batch_index_error_message = r.nullable(v, flex, true)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 8 {
            self.batch_index.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.batch_index == 0) {
            return Err(EncodeError::NotInVersion { field: "BatchIndexAndErrorMessage.BatchIndex", version: v });
        }
        if v >= 8 {
            w.nullable(&self.batch_index_error_message, v, flex, true)?;
        }
        if !(v >= 8) && !(self.batch_index_error_message.is_none()) {
            return Err(EncodeError::NotInVersion { field: "BatchIndexAndErrorMessage.BatchIndexErrorMessage", version: v });
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
        if v >= 10 {
            out.leader_id = Wire::read(r, v, flex)?;
        }
        if v >= 10 {
            out.leader_epoch = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 10 {
            self.leader_id.write(w, v, flex)?;
        }
        if !(v >= 10) && !(self.leader_id == -1) {
            return Err(EncodeError::NotInVersion { field: "LeaderIdAndEpoch.LeaderId", version: v });
        }
        if v >= 10 {
            self.leader_epoch.write(w, v, flex)?;
        }
        if !(v >= 10) && !(self.leader_epoch == -1) {
            return Err(EncodeError::NotInVersion { field: "LeaderIdAndEpoch.LeaderEpoch", version: v });
        }
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
        if v >= 10 {
            out.node_id = Wire::read(r, v, flex)?;
        }
        if v >= 10 {
            out.host = Wire::read(r, v, flex)?;
        }
        if v >= 10 {
            out.port = Wire::read(r, v, flex)?;
        }
        if v >= 10 {
            out.rack = r.nullable(v, flex, true)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 10 {
            self.node_id.write(w, v, flex)?;
        }
        if !(v >= 10) && !(self.node_id == 0) {
            return Err(EncodeError::NotInVersion { field: "NodeEndpoint.NodeId", version: v });
        }
        if v >= 10 {
            self.host.write(w, v, flex)?;
        }
        if !(v >= 10) && !(self.host.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "NodeEndpoint.Host", version: v });
        }
        if v >= 10 {
            self.port.write(w, v, flex)?;
        }
        if !(v >= 10) && !(self.port == 0) {
            return Err(EncodeError::NotInVersion { field: "NodeEndpoint.Port", version: v });
        }
        if v >= 10 {
            w.nullable(&self.rack, v, flex, true)?;
        }
        if !(v >= 10) && !(self.rack.is_none()) {
            return Err(EncodeError::NotInVersion { field: "NodeEndpoint.Rack", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for ProduceResponse {
    const NAME: &'static str = "ProduceResponse";
    const MIN: i16 = 3;
    const MAX: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;
}
