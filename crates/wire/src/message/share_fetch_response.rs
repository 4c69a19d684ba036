// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ShareFetchResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str>,
    pub acquisition_lock_timeout_ms: i32,
    pub responses: Vec<ShareFetchableTopicResponse>,
    pub node_endpoints: Vec<NodeEndpoint>,
    pub unknown_tags: UnknownTags,
}

impl Default for ShareFetchResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            acquisition_lock_timeout_ms: 0,
            responses: Vec::new(),
            node_endpoints: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ShareFetchResponse {
    const MIN_LEN: usize = 14;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        out.error_code = Wire::read(r, v, flex)?;
        out.error_message = r.nullable(v, flex, true)?;
        out.acquisition_lock_timeout_ms = Wire::read(r, v, flex)?;
        out.responses = Wire::read(r, v, flex)?;
        out.node_endpoints = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(w, v, flex)?;
        self.error_code.write(w, v, flex)?;
        w.nullable(&self.error_message, v, flex, true)?;
        self.acquisition_lock_timeout_ms.write(w, v, flex)?;
        self.responses.write(w, v, flex)?;
        self.node_endpoints.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ShareFetchableTopicResponse {
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData>,
    pub unknown_tags: UnknownTags,
}

impl Default for ShareFetchableTopicResponse {
    fn default() -> Self {
        Self {
            topic_id: Uuid::nil(),
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ShareFetchableTopicResponse {
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

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub error_message: Option<Str>,
    pub acknowledge_error_code: i16,
    pub acknowledge_error_message: Option<Str>,
    pub current_leader: LeaderIdAndEpoch,
    pub records: Option<Bytes>,
    pub acquired_records: Vec<AcquiredRecords>,
    pub unknown_tags: UnknownTags,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            error_message: None,
            acknowledge_error_code: 0,
            acknowledge_error_message: None,
            current_leader: Default::default(),
            records: None,
            acquired_records: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for PartitionData {
    const MIN_LEN: usize = 22;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.partition_index = Wire::read(r, v, flex)?;
        out.error_code = Wire::read(r, v, flex)?;
        out.error_message = r.nullable(v, flex, true)?;
        out.acknowledge_error_code = Wire::read(r, v, flex)?;
        out.acknowledge_error_message = r.nullable(v, flex, true)?;
        out.current_leader = Wire::read(r, v, flex)?;
        out.records = r.nullable(v, flex, false)?;
        out.acquired_records = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.partition_index.write(w, v, flex)?;
        self.error_code.write(w, v, flex)?;
        w.nullable(&self.error_message, v, flex, true)?;
        self.acknowledge_error_code.write(w, v, flex)?;
        w.nullable(&self.acknowledge_error_message, v, flex, true)?;
        self.current_leader.write(w, v, flex)?;
        w.nullable(&self.records, v, flex, false)?;
        self.acquired_records.write(w, v, flex)?;
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
            leader_id: 0,
            leader_epoch: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for LeaderIdAndEpoch {
    const MIN_LEN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.leader_id = Wire::read(r, v, flex)?;
        out.leader_epoch = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.leader_id.write(w, v, flex)?;
        self.leader_epoch.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AcquiredRecords {
    pub first_offset: i64,
    pub last_offset: i64,
    pub delivery_count: i16,
    pub unknown_tags: UnknownTags,
}

impl Default for AcquiredRecords {
    fn default() -> Self {
        Self {
            first_offset: 0,
            last_offset: 0,
            delivery_count: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for AcquiredRecords {
    const MIN_LEN: usize = 19;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.first_offset = Wire::read(r, v, flex)?;
        out.last_offset = Wire::read(r, v, flex)?;
        out.delivery_count = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.first_offset.write(w, v, flex)?;
        self.last_offset.write(w, v, flex)?;
        self.delivery_count.write(w, v, flex)?;
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
    const MIN_LEN: usize = 11;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.node_id = Wire::read(r, v, flex)?;
        out.host = Wire::read(r, v, flex)?;
        out.port = Wire::read(r, v, flex)?;
        out.rack = r.nullable(v, flex, true)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.node_id.write(w, v, flex)?;
        self.host.write(w, v, flex)?;
        self.port.write(w, v, flex)?;
        w.nullable(&self.rack, v, flex, true)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for ShareFetchResponse {
    const NAME: &'static str = "ShareFetchResponse";
    const MIN: i16 = 1;
    const MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}
