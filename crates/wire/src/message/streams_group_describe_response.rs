// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupDescribeResponse {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
    pub unknown_tags: UnknownTags,
}

impl Default for StreamsGroupDescribeResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            groups: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for StreamsGroupDescribeResponse {
    const MIN_LEN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        out.groups = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(w, v, flex)?;
        self.groups.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    pub error_code: i16,
    pub error_message: Option<Str>,
    pub group_id: Str,
    pub group_state: Str,
    pub group_epoch: i32,
    pub assignment_epoch: i32,
    pub topology: Option<Topology>,
    pub members: Vec<Member>,
    pub authorized_operations: i32,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: Str::EMPTY,
            group_state: Str::EMPTY,
            group_epoch: 0,
            assignment_epoch: 0,
            topology: None,
            members: Vec::new(),
            authorized_operations: -2147483648,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribedGroup {
    const MIN_LEN: usize = 20;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.error_code = Wire::read(r, v, flex)?;
        out.error_message = r.nullable(v, flex, true)?;
        out.group_id = Wire::read(r, v, flex)?;
        out.group_state = Wire::read(r, v, flex)?;
        out.group_epoch = Wire::read(r, v, flex)?;
        out.assignment_epoch = Wire::read(r, v, flex)?;
        out.topology = r.nullable_struct(v, flex)?;
        out.members = Wire::read(r, v, flex)?;
        out.authorized_operations = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.error_code.write(w, v, flex)?;
        w.nullable(&self.error_message, v, flex, true)?;
        self.group_id.write(w, v, flex)?;
        self.group_state.write(w, v, flex)?;
        self.group_epoch.write(w, v, flex)?;
        self.assignment_epoch.write(w, v, flex)?;
        w.nullable_struct(&self.topology, v, flex)?;
        self.members.write(w, v, flex)?;
        self.authorized_operations.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Topology {
    pub epoch: i32,
    pub subtopologies: Option<Vec<Subtopology>>,
    pub unknown_tags: UnknownTags,
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            epoch: 0,
            subtopologies: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for Topology {
    const MIN_LEN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.epoch = Wire::read(r, v, flex)?;
        out.subtopologies = r.nullable(v, flex, true)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.epoch.write(w, v, flex)?;
        w.nullable(&self.subtopologies, v, flex, true)?;
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
    pub repartition_sink_topics: Vec<Str>,
    pub state_changelog_topics: Vec<TopicInfo>,
    pub repartition_source_topics: Vec<TopicInfo>,
    pub unknown_tags: UnknownTags,
}

impl Default for Subtopology {
    fn default() -> Self {
        Self {
            subtopology_id: Str::EMPTY,
            source_topics: Vec::new(),
            repartition_sink_topics: Vec::new(),
            state_changelog_topics: Vec::new(),
            repartition_source_topics: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for Subtopology {
    const MIN_LEN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.subtopology_id = Wire::read(r, v, flex)?;
        out.source_topics = Wire::read(r, v, flex)?;
        out.repartition_sink_topics = Wire::read(r, v, flex)?;
        out.state_changelog_topics = Wire::read(r, v, flex)?;
        out.repartition_source_topics = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.subtopology_id.write(w, v, flex)?;
        self.source_topics.write(w, v, flex)?;
        self.repartition_sink_topics.write(w, v, flex)?;
        self.state_changelog_topics.write(w, v, flex)?;
        self.repartition_source_topics.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub member_id: Str,
    pub member_epoch: i32,
    pub instance_id: Option<Str>,
    pub rack_id: Option<Str>,
    pub client_id: Str,
    pub client_host: Str,
    pub topology_epoch: i32,
    pub process_id: Str,
    pub user_endpoint: Option<Endpoint>,
    pub client_tags: Vec<KeyValue>,
    pub task_offsets: Vec<TaskOffset>,
    pub task_end_offsets: Vec<TaskOffset>,
    pub assignment: Assignment,
    pub target_assignment: Assignment,
    pub is_classic: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            member_id: Str::EMPTY,
            member_epoch: 0,
            instance_id: None,
            rack_id: None,
            client_id: Str::EMPTY,
            client_host: Str::EMPTY,
            topology_epoch: 0,
            process_id: Str::EMPTY,
            user_endpoint: None,
            client_tags: Vec::new(),
            task_offsets: Vec::new(),
            task_end_offsets: Vec::new(),
            assignment: Default::default(),
            target_assignment: Default::default(),
            is_classic: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for Member {
    const MIN_LEN: usize = 28;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.member_id = Wire::read(r, v, flex)?;
        out.member_epoch = Wire::read(r, v, flex)?;
        out.instance_id = r.nullable(v, flex, true)?;
        out.rack_id = r.nullable(v, flex, true)?;
        out.client_id = Wire::read(r, v, flex)?;
        out.client_host = Wire::read(r, v, flex)?;
        out.topology_epoch = Wire::read(r, v, flex)?;
        out.process_id = Wire::read(r, v, flex)?;
        out.user_endpoint = r.nullable_struct(v, flex)?;
        out.client_tags = Wire::read(r, v, flex)?;
        out.task_offsets = Wire::read(r, v, flex)?;
        out.task_end_offsets = Wire::read(r, v, flex)?;
        out.assignment = Wire::read(r, v, flex)?;
        out.target_assignment = Wire::read(r, v, flex)?;
        out.is_classic = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.member_id.write(w, v, flex)?;
        self.member_epoch.write(w, v, flex)?;
        w.nullable(&self.instance_id, v, flex, true)?;
        w.nullable(&self.rack_id, v, flex, true)?;
        self.client_id.write(w, v, flex)?;
        self.client_host.write(w, v, flex)?;
        self.topology_epoch.write(w, v, flex)?;
        self.process_id.write(w, v, flex)?;
        w.nullable_struct(&self.user_endpoint, v, flex)?;
        self.client_tags.write(w, v, flex)?;
        self.task_offsets.write(w, v, flex)?;
        self.task_end_offsets.write(w, v, flex)?;
        self.assignment.write(w, v, flex)?;
        self.target_assignment.write(w, v, flex)?;
        self.is_classic.write(w, v, flex)?;
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
pub struct Assignment {
    pub active_tasks: Vec<TaskIds>,
    pub standby_tasks: Vec<TaskIds>,
    pub warmup_tasks: Vec<TaskIds>,
    pub unknown_tags: UnknownTags,
}

impl Default for Assignment {
    fn default() -> Self {
        Self {
            active_tasks: Vec::new(),
            standby_tasks: Vec::new(),
            warmup_tasks: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for Assignment {
    const MIN_LEN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.active_tasks = Wire::read(r, v, flex)?;
        out.standby_tasks = Wire::read(r, v, flex)?;
        out.warmup_tasks = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.active_tasks.write(w, v, flex)?;
        self.standby_tasks.write(w, v, flex)?;
        self.warmup_tasks.write(w, v, flex)?;
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

impl Message for StreamsGroupDescribeResponse {
    const NAME: &'static str = "StreamsGroupDescribeResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}
