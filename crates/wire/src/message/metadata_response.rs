// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponse {
    pub throttle_time_ms: i32,
    pub brokers: Vec<MetadataResponseBroker>,
    pub cluster_id: Option<Str>,
    pub controller_id: i32,
    pub topics: Vec<MetadataResponseTopic>,
    pub cluster_authorized_operations: i32,
    pub error_code: i16,
    pub unknown_tags: UnknownTags,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            brokers: Vec::new(),
            cluster_id: None,
            controller_id: -1,
            topics: Vec::new(),
            cluster_authorized_operations: -2147483648,
            error_code: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for MetadataResponse {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 3 {
            out.throttle_time_ms = Wire::read(r, v, flex)?;
        }
        out.brokers = Wire::read(r, v, flex)?;
        if v >= 2 {
            out.cluster_id = r.nullable(v, flex, true)?;
        }
        if v >= 1 {
            out.controller_id = Wire::read(r, v, flex)?;
        }
        out.topics = Wire::read(r, v, flex)?;
        if (8..=10).contains(&v) {
            out.cluster_authorized_operations = Wire::read(r, v, flex)?;
        }
        if v >= 13 {
            out.error_code = Wire::read(r, v, flex)?;
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
        self.brokers.write(w, v, flex)?;
        if v >= 2 {
            w.nullable(&self.cluster_id, v, flex, true)?;
        }
        if v >= 1 {
            self.controller_id.write(w, v, flex)?;
        }
        self.topics.write(w, v, flex)?;
        if (8..=10).contains(&v) {
            self.cluster_authorized_operations.write(w, v, flex)?;
        }
        if !((8..=10).contains(&v)) && !(self.cluster_authorized_operations == -2147483648) {
            return Err(EncodeError::NotInVersion { field: "MetadataResponse.ClusterAuthorizedOperations", version: v });
        }
        if v >= 13 {
            self.error_code.write(w, v, flex)?;
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponseBroker {
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    pub rack: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for MetadataResponseBroker {
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

impl Wire for MetadataResponseBroker {
    const MIN_LEN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.node_id = Wire::read(r, v, flex)?;
        out.host = Wire::read(r, v, flex)?;
        out.port = Wire::read(r, v, flex)?;
        if v >= 1 {
            out.rack = r.nullable(v, flex, true)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.node_id.write(w, v, flex)?;
        self.host.write(w, v, flex)?;
        self.port.write(w, v, flex)?;
        if v >= 1 {
            w.nullable(&self.rack, v, flex, true)?;
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponseTopic {
    pub error_code: i16,
    pub name: Option<Str>,
    pub topic_id: Uuid,
    pub is_internal: bool,
    pub partitions: Vec<MetadataResponsePartition>,
    pub topic_authorized_operations: i32,
    pub unknown_tags: UnknownTags,
}

impl Default for MetadataResponseTopic {
    fn default() -> Self {
        Self {
            error_code: 0,
            name: Some(Str::EMPTY),
            topic_id: Uuid::nil(),
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: -2147483648,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for MetadataResponseTopic {
    const MIN_LEN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.error_code = Wire::read(r, v, flex)?;
        out.name = r.nullable(v, flex, v >= 12)?;
        if v >= 10 {
            out.topic_id = Wire::read(r, v, flex)?;
        }
        if v >= 1 {
            out.is_internal = Wire::read(r, v, flex)?;
        }
        out.partitions = Wire::read(r, v, flex)?;
        if v >= 8 {
            out.topic_authorized_operations = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.error_code.write(w, v, flex)?;
        w.nullable(&self.name, v, flex, v >= 12)?;
        if v >= 10 {
            self.topic_id.write(w, v, flex)?;
        }
        if v >= 1 {
            self.is_internal.write(w, v, flex)?;
        }
        self.partitions.write(w, v, flex)?;
        if v >= 8 {
            self.topic_authorized_operations.write(w, v, flex)?;
        }
        if !(v >= 8) && !(self.topic_authorized_operations == -2147483648) {
            return Err(EncodeError::NotInVersion { field: "MetadataResponseTopic.TopicAuthorizedOperations", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponsePartition {
    pub error_code: i16,
    pub partition_index: i32,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    pub offline_replicas: Vec<i32>,
    pub unknown_tags: UnknownTags,
}

impl Default for MetadataResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            offline_replicas: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for MetadataResponsePartition {
    const MIN_LEN: usize = 12;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.error_code = Wire::read(r, v, flex)?;
        out.partition_index = Wire::read(r, v, flex)?;
        out.leader_id = Wire::read(r, v, flex)?;
        if v >= 7 {
            out.leader_epoch = Wire::read(r, v, flex)?;
        }
        out.replica_nodes = Wire::read(r, v, flex)?;
        out.isr_nodes = Wire::read(r, v, flex)?;
        if v >= 5 {
            out.offline_replicas = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.error_code.write(w, v, flex)?;
        self.partition_index.write(w, v, flex)?;
        self.leader_id.write(w, v, flex)?;
        if v >= 7 {
            self.leader_epoch.write(w, v, flex)?;
        }
        self.replica_nodes.write(w, v, flex)?;
        self.isr_nodes.write(w, v, flex)?;
        if v >= 5 {
            self.offline_replicas.write(w, v, flex)?;
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for MetadataResponse {
    const NAME: &'static str = "MetadataResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;
}
