// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupHeartbeatRequest {
    pub group_id: Str,
    pub member_id: Str,
    pub member_epoch: i32,
    pub endpoint_information_epoch: i32,
    pub instance_id: Option<Str>,
    pub rack_id: Option<Str>,
    pub rebalance_timeout_ms: i32,
    pub topology: Option<Topology>,
    pub active_tasks: Option<Vec<TaskIds>>,
    pub standby_tasks: Option<Vec<TaskIds>>,
    pub warmup_tasks: Option<Vec<TaskIds>>,
    pub process_id: Option<Str>,
    pub user_endpoint: Option<Endpoint>,
    pub client_tags: Option<Vec<KeyValue>>,
    pub task_offsets: Option<Vec<TaskOffset>>,
    pub task_end_offsets: Option<Vec<TaskOffset>>,
    pub shutdown_application: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for StreamsGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            member_id: Str::EMPTY,
            member_epoch: 0,
            endpoint_information_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            topology: None,
            active_tasks: None,
            standby_tasks: None,
            warmup_tasks: None,
            process_id: None,
            user_endpoint: None,
            client_tags: None,
            task_offsets: None,
            task_end_offsets: None,
            shutdown_application: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for StreamsGroupHeartbeatRequest {
    const MIN_LEN: usize = 27;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.group_id = Wire::read(r, v, flex)?;
        out.member_id = Wire::read(r, v, flex)?;
        out.member_epoch = Wire::read(r, v, flex)?;
        out.endpoint_information_epoch = Wire::read(r, v, flex)?;
        out.instance_id = r.nullable(v, flex, true)?;
        out.rack_id = r.nullable(v, flex, true)?;
        out.rebalance_timeout_ms = Wire::read(r, v, flex)?;
        out.topology = r.nullable_struct(v, flex)?;
        out.active_tasks = r.nullable(v, flex, true)?;
        out.standby_tasks = r.nullable(v, flex, true)?;
        out.warmup_tasks = r.nullable(v, flex, true)?;
        out.process_id = r.nullable(v, flex, true)?;
        out.user_endpoint = r.nullable_struct(v, flex)?;
        out.client_tags = r.nullable(v, flex, true)?;
        out.task_offsets = r.nullable(v, flex, true)?;
        out.task_end_offsets = r.nullable(v, flex, true)?;
        out.shutdown_application = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.group_id.write(w, v, flex)?;
        self.member_id.write(w, v, flex)?;
        self.member_epoch.write(w, v, flex)?;
        self.endpoint_information_epoch.write(w, v, flex)?;
        w.nullable(&self.instance_id, v, flex, true)?;
        w.nullable(&self.rack_id, v, flex, true)?;
        self.rebalance_timeout_ms.write(w, v, flex)?;
        w.nullable_struct(&self.topology, v, flex)?;
        w.nullable(&self.active_tasks, v, flex, true)?;
        w.nullable(&self.standby_tasks, v, flex, true)?;
        w.nullable(&self.warmup_tasks, v, flex, true)?;
        w.nullable(&self.process_id, v, flex, true)?;
        w.nullable_struct(&self.user_endpoint, v, flex)?;
        w.nullable(&self.client_tags, v, flex, true)?;
        w.nullable(&self.task_offsets, v, flex, true)?;
        w.nullable(&self.task_end_offsets, v, flex, true)?;
        self.shutdown_application.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Topology {
    pub epoch: i32,
    pub subtopologies: Vec<Subtopology>,
    pub unknown_tags: UnknownTags,
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            epoch: 0,
            subtopologies: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for Topology {
    const MIN_LEN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.epoch = Wire::read(r, v, flex)?;
        out.subtopologies = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.epoch.write(w, v, flex)?;
        self.subtopologies.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Subtopology {
    pub subtopology_id: Str,
    pub source_topics: Vec<Str>,
    pub source_topic_regex: Vec<Str>,
    pub state_changelog_topics: Vec<TopicInfo>,
    pub repartition_sink_topics: Vec<Str>,
    pub repartition_source_topics: Vec<TopicInfo>,
    pub copartition_groups: Vec<CopartitionGroup>,
    pub unknown_tags: UnknownTags,
}

impl Default for Subtopology {
    fn default() -> Self {
        Self {
            subtopology_id: Str::EMPTY,
            source_topics: Vec::new(),
            source_topic_regex: Vec::new(),
            state_changelog_topics: Vec::new(),
            repartition_sink_topics: Vec::new(),
            repartition_source_topics: Vec::new(),
            copartition_groups: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for Subtopology {
    const MIN_LEN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.subtopology_id = Wire::read(r, v, flex)?;
        out.source_topics = Wire::read(r, v, flex)?;
        out.source_topic_regex = Wire::read(r, v, flex)?;
        out.state_changelog_topics = Wire::read(r, v, flex)?;
        out.repartition_sink_topics = Wire::read(r, v, flex)?;
        out.repartition_source_topics = Wire::read(r, v, flex)?;
        out.copartition_groups = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.subtopology_id.write(w, v, flex)?;
        self.source_topics.write(w, v, flex)?;
        self.source_topic_regex.write(w, v, flex)?;
        self.state_changelog_topics.write(w, v, flex)?;
        self.repartition_sink_topics.write(w, v, flex)?;
        self.repartition_source_topics.write(w, v, flex)?;
        self.copartition_groups.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct CopartitionGroup {
    pub source_topics: Vec<i16>,
    pub source_topic_regex: Vec<i16>,
    pub repartition_source_topics: Vec<i16>,
    pub unknown_tags: UnknownTags,
}

impl Default for CopartitionGroup {
    fn default() -> Self {
        Self {
            source_topics: Vec::new(),
            source_topic_regex: Vec::new(),
            repartition_source_topics: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for CopartitionGroup {
    const MIN_LEN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.source_topics = Wire::read(r, v, flex)?;
        out.source_topic_regex = Wire::read(r, v, flex)?;
        out.repartition_source_topics = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.source_topics.write(w, v, flex)?;
        self.source_topic_regex.write(w, v, flex)?;
        self.repartition_source_topics.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct KeyValue {
    pub key: Str,
    pub value: Str,
    pub unknown_tags: UnknownTags,
}

impl Default for KeyValue {
    fn default() -> Self {
        Self {
            key: Str::EMPTY,
            value: Str::EMPTY,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for KeyValue {
    const MIN_LEN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.key = Wire::read(r, v, flex)?;
        out.value = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.key.write(w, v, flex)?;
        self.value.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TopicInfo {
    pub name: Str,
    pub partitions: i32,
    pub replication_factor: i16,
    pub topic_configs: Vec<KeyValue>,
    pub unknown_tags: UnknownTags,
}

impl Default for TopicInfo {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            partitions: 0,
            replication_factor: 0,
            topic_configs: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for TopicInfo {
    const MIN_LEN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.name = Wire::read(r, v, flex)?;
        out.partitions = Wire::read(r, v, flex)?;
        out.replication_factor = Wire::read(r, v, flex)?;
        out.topic_configs = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.name.write(w, v, flex)?;
        self.partitions.write(w, v, flex)?;
        self.replication_factor.write(w, v, flex)?;
        self.topic_configs.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    pub host: Str,
    pub port: u16,
    pub unknown_tags: UnknownTags,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            host: Str::EMPTY,
            port: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for Endpoint {
    const MIN_LEN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.host = Wire::read(r, v, flex)?;
        out.port = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.host.write(w, v, flex)?;
        self.port.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskOffset {
    pub subtopology_id: Str,
    pub partition: i32,
    pub offset: i64,
    pub unknown_tags: UnknownTags,
}

impl Default for TaskOffset {
    fn default() -> Self {
        Self {
            subtopology_id: Str::EMPTY,
            partition: 0,
            offset: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for TaskOffset {
    const MIN_LEN: usize = 14;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.subtopology_id = Wire::read(r, v, flex)?;
        out.partition = Wire::read(r, v, flex)?;
        out.offset = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.subtopology_id.write(w, v, flex)?;
        self.partition.write(w, v, flex)?;
        self.offset.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskIds {
    pub subtopology_id: Str,
    pub partitions: Vec<i32>,
    pub unknown_tags: UnknownTags,
}

impl Default for TaskIds {
    fn default() -> Self {
        Self {
            subtopology_id: Str::EMPTY,
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for TaskIds {
    const MIN_LEN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.subtopology_id = Wire::read(r, v, flex)?;
        out.partitions = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.subtopology_id.write(w, v, flex)?;
        self.partitions.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for StreamsGroupHeartbeatRequest {
    const NAME: &'static str = "StreamsGroupHeartbeatRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for StreamsGroupHeartbeatRequest {
    const KEY: i16 = 88;
    type Response = super::StreamsGroupHeartbeatResponse;
}
