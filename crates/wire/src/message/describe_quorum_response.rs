// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeQuorumResponse {
    pub error_code: i16,
    pub error_message: Option<Str>,
    pub topics: Vec<TopicData>,
    pub nodes: Vec<Node>,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribeQuorumResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::EMPTY),
            topics: Vec::new(),
            nodes: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribeQuorumResponse {
    const MIN_LEN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.error_code = Wire::read(r, v, flex)?;
        if v >= 2 {
            out.error_message = r.nullable(v, flex, true)?;
        }
        out.topics = Wire::read(r, v, flex)?;
        if v >= 2 {
            out.nodes = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.error_code.write(w, v, flex)?;
        if v >= 2 {
            w.nullable(&self.error_message, v, flex, true)?;
        }
        self.topics.write(w, v, flex)?;
        if v >= 2 {
            self.nodes.write(w, v, flex)?;
        }
        if !(v >= 2) && !(self.nodes.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "DescribeQuorumResponse.Nodes", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TopicData {
    pub topic_name: Str,
    pub partitions: Vec<PartitionData>,
    pub unknown_tags: UnknownTags,
}

impl Default for TopicData {
    fn default() -> Self {
        Self {
            topic_name: Str::EMPTY,
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for TopicData {
    const MIN_LEN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.topic_name = Wire::read(r, v, flex)?;
        out.partitions = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.topic_name.write(w, v, flex)?;
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
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub high_watermark: i64,
    pub current_voters: Vec<ReplicaState>,
    pub observers: Vec<ReplicaState>,
    pub unknown_tags: UnknownTags,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            error_message: Some(Str::EMPTY),
            leader_id: 0,
            leader_epoch: 0,
            high_watermark: 0,
            current_voters: Vec::new(),
            observers: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for PartitionData {
    const MIN_LEN: usize = 25;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.partition_index = Wire::read(r, v, flex)?;
        out.error_code = Wire::read(r, v, flex)?;
        if v >= 2 {
            out.error_message = r.nullable(v, flex, true)?;
        }
        out.leader_id = Wire::read(r, v, flex)?;
        out.leader_epoch = Wire::read(r, v, flex)?;
        out.high_watermark = Wire::read(r, v, flex)?;
        out.current_voters = Wire::read(r, v, flex)?;
        out.observers = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.partition_index.write(w, v, flex)?;
        self.error_code.write(w, v, flex)?;
        if v >= 2 {
            w.nullable(&self.error_message, v, flex, true)?;
        }
        self.leader_id.write(w, v, flex)?;
        self.leader_epoch.write(w, v, flex)?;
        self.high_watermark.write(w, v, flex)?;
        self.current_voters.write(w, v, flex)?;
        self.observers.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub node_id: i32,
    pub listeners: Vec<Listener>,
    pub unknown_tags: UnknownTags,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            node_id: 0,
            listeners: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for Node {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 2 {
            out.node_id = Wire::read(r, v, flex)?;
        }
        if v >= 2 {
            out.listeners = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 2 {
            self.node_id.write(w, v, flex)?;
        }
        if !(v >= 2) && !(self.node_id == 0) {
            return Err(EncodeError::NotInVersion { field: "Node.NodeId", version: v });
        }
        if v >= 2 {
            self.listeners.write(w, v, flex)?;
        }
        if !(v >= 2) && !(self.listeners.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "Node.Listeners", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    pub name: Str,
    pub host: Str,
    pub port: u16,
    pub unknown_tags: UnknownTags,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            host: Str::EMPTY,
            port: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for Listener {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 2 {
            out.name = Wire::read(r, v, flex)?;
        }
        if v >= 2 {
            out.host = Wire::read(r, v, flex)?;
        }
        if v >= 2 {
            out.port = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 2 {
            self.name.write(w, v, flex)?;
        }
        if !(v >= 2) && !(self.name.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "Listener.Name", version: v });
        }
        if v >= 2 {
            self.host.write(w, v, flex)?;
        }
        if !(v >= 2) && !(self.host.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "Listener.Host", version: v });
        }
        if v >= 2 {
            self.port.write(w, v, flex)?;
        }
        if !(v >= 2) && !(self.port == 0) {
            return Err(EncodeError::NotInVersion { field: "Listener.Port", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    pub replica_id: i32,
    pub replica_directory_id: Uuid,
    pub log_end_offset: i64,
    pub last_fetch_timestamp: i64,
    pub last_caught_up_timestamp: i64,
    pub unknown_tags: UnknownTags,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: 0,
            replica_directory_id: Uuid::nil(),
            log_end_offset: 0,
            last_fetch_timestamp: -1,
            last_caught_up_timestamp: -1,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ReplicaState {
    const MIN_LEN: usize = 13;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.replica_id = Wire::read(r, v, flex)?;
        if v >= 2 {
            out.replica_directory_id = Wire::read(r, v, flex)?;
        }
        out.log_end_offset = Wire::read(r, v, flex)?;
        if v >= 1 {
            out.last_fetch_timestamp = Wire::read(r, v, flex)?;
        }
        if v >= 1 {
            out.last_caught_up_timestamp = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.replica_id.write(w, v, flex)?;
        if v >= 2 {
            self.replica_directory_id.write(w, v, flex)?;
        }
        if !(v >= 2) && !(self.replica_directory_id.is_nil()) {
            return Err(EncodeError::NotInVersion { field: "ReplicaState.ReplicaDirectoryId", version: v });
        }
        self.log_end_offset.write(w, v, flex)?;
        if v >= 1 {
            self.last_fetch_timestamp.write(w, v, flex)?;
        }
        if v >= 1 {
            self.last_caught_up_timestamp.write(w, v, flex)?;
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for DescribeQuorumResponse {
    const NAME: &'static str = "DescribeQuorumResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}
