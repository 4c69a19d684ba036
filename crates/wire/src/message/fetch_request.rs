// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct FetchRequest {
    pub cluster_id: Option<Str>,
    pub replica_id: i32,
    pub replica_state: ReplicaState,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub isolation_level: i8,
    pub session_id: i32,
    pub session_epoch: i32,
    pub topics: Vec<FetchTopic>,
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    pub rack_id: Str,
    pub unknown_tags: UnknownTags,
}

impl Default for FetchRequest {
    fn default() -> Self {
        Self {
            cluster_id: None,
            replica_id: -1,
            replica_state: Default::default(),
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: 2147483647,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Vec::new(),
            forgotten_topics_data: Vec::new(),
            rack_id: Str::EMPTY,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for FetchRequest {
    const MIN_LEN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v <= 14 {
            out.replica_id = Wire::read(r, v, flex)?;
        }
        out.max_wait_ms = Wire::read(r, v, flex)?;
        out.min_bytes = Wire::read(r, v, flex)?;
        out.max_bytes = Wire::read(r, v, flex)?;
        out.isolation_level = Wire::read(r, v, flex)?;
        if v >= 7 {
            out.session_id = Wire::read(r, v, flex)?;
        }
        if v >= 7 {
            out.session_epoch = Wire::read(r, v, flex)?;
        }
        out.topics = Wire::read(r, v, flex)?;
        if v >= 7 {
            out.forgotten_topics_data = Wire::read(r, v, flex)?;
        }
        if v >= 11 {
            out.rack_id = Wire::read(r, v, flex)?;
        }
        if flex {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                {
                    let r = &mut field;
                    match tag {
                        0 => out.cluster_id = r.nullable(v, flex, true)?,
                        1 if v >= 15 => out.replica_state = Wire::read(r, v, flex)?,
                        1 => return Err(DecodeError::TagVersion),
                        _ => r.unknown(tag, &mut out.unknown_tags),
                    }
                }
                r.close(field)?;
            }
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 14 {
            self.replica_id.write(w, v, flex)?;
        }
        if !(v <= 14) && !(self.replica_id == -1) {
            return Err(EncodeError::NotInVersion { field: "FetchRequest.ReplicaId", version: v });
        }
        if !(v >= 15) && !(self.replica_state == ReplicaState::default()) {
            return Err(EncodeError::NotInVersion { field: "FetchRequest.ReplicaState", version: v });
        }
        self.max_wait_ms.write(w, v, flex)?;
        self.min_bytes.write(w, v, flex)?;
        self.max_bytes.write(w, v, flex)?;
        self.isolation_level.write(w, v, flex)?;
        if v >= 7 {
            self.session_id.write(w, v, flex)?;
        }
        if v >= 7 {
            self.session_epoch.write(w, v, flex)?;
        }
        self.topics.write(w, v, flex)?;
        if v >= 7 {
            self.forgotten_topics_data.write(w, v, flex)?;
        }
        if !(v >= 7) && !(self.forgotten_topics_data.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "FetchRequest.ForgottenTopicsData", version: v });
        }
        if v >= 11 {
            self.rack_id.write(w, v, flex)?;
        }
        if flex {
            let mut tags = Tags::new();
            if !(self.cluster_id.is_none()) {
                tags.put(0, |w| {
                    w.nullable(&self.cluster_id, v, flex, true)?;
                    Ok(())
                })?;
            }
            if v >= 15 && !(self.replica_state == ReplicaState::default()) {
                tags.put(1, |w| {
                    self.replica_state.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            w.tags(tags, &self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    pub replica_id: i32,
    pub replica_epoch: i64,
    pub unknown_tags: UnknownTags,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: -1,
            replica_epoch: -1,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ReplicaState {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 15 {
            out.replica_id = Wire::read(r, v, flex)?;
        }
        if v >= 15 {
            out.replica_epoch = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 15 {
            self.replica_id.write(w, v, flex)?;
        }
        if !(v >= 15) && !(self.replica_id == -1) {
            return Err(EncodeError::NotInVersion { field: "ReplicaState.ReplicaId", version: v });
        }
        if v >= 15 {
            self.replica_epoch.write(w, v, flex)?;
        }
        if !(v >= 15) && !(self.replica_epoch == -1) {
            return Err(EncodeError::NotInVersion { field: "ReplicaState.ReplicaEpoch", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct FetchTopic {
    pub topic: Str,
    pub topic_id: Uuid,
    pub partitions: Vec<FetchPartition>,
    pub unknown_tags: UnknownTags,
}

impl Default for FetchTopic {
    fn default() -> Self {
        Self {
            topic: Str::EMPTY,
            topic_id: Uuid::nil(),
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for FetchTopic {
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
pub struct FetchPartition {
    pub partition: i32,
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    pub last_fetched_epoch: i32,
    pub log_start_offset: i64,
    pub partition_max_bytes: i32,
    pub replica_directory_id: Uuid,
    pub high_watermark: i64,
    pub unknown_tags: UnknownTags,
}

impl Default for FetchPartition {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 0,
            replica_directory_id: Uuid::nil(),
            high_watermark: 9223372036854775807,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for FetchPartition {
    const MIN_LEN: usize = 16;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.partition = Wire::read(r, v, flex)?;
        if v >= 9 {
            out.current_leader_epoch = Wire::read(r, v, flex)?;
        }
        out.fetch_offset = Wire::read(r, v, flex)?;
        if v >= 12 {
            out.last_fetched_epoch = Wire::read(r, v, flex)?;
        }
        if v >= 5 {
            out.log_start_offset = Wire::read(r, v, flex)?;
        }
        out.partition_max_bytes = Wire::read(r, v, flex)?;
        if flex {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                {
                    let r = &mut field;
                    match tag {
                        0 if v >= 17 => out.replica_directory_id = Wire::read(r, v, flex)?,
                        0 => return Err(DecodeError::TagVersion),
                        1 if v >= 18 => out.high_watermark = Wire::read(r, v, flex)?,
                        1 => return Err(DecodeError::TagVersion),
                        _ => r.unknown(tag, &mut out.unknown_tags),
                    }
                }
                r.close(field)?;
            }
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.partition.write(w, v, flex)?;
        if v >= 9 {
            self.current_leader_epoch.write(w, v, flex)?;
        }
        self.fetch_offset.write(w, v, flex)?;
        if v >= 12 {
            self.last_fetched_epoch.write(w, v, flex)?;
        }
        if !(v >= 12) && !(self.last_fetched_epoch == -1) {
            return Err(EncodeError::NotInVersion { field: "FetchPartition.LastFetchedEpoch", version: v });
        }
        if v >= 5 {
            self.log_start_offset.write(w, v, flex)?;
        }
        self.partition_max_bytes.write(w, v, flex)?;
        if flex {
            let mut tags = Tags::new();
            if v >= 17 && !(self.replica_directory_id.is_nil()) {
                tags.put(0, |w| {
                    self.replica_directory_id.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            if v >= 18 && !(self.high_watermark == 9223372036854775807) {
                tags.put(1, |w| {
                    self.high_watermark.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            w.tags(tags, &self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ForgottenTopic {
    pub topic: Str,
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
    pub unknown_tags: UnknownTags,
}

impl Default for ForgottenTopic {
    fn default() -> Self {
        Self {
            topic: Str::EMPTY,
            topic_id: Uuid::nil(),
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ForgottenTopic {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if (7..=12).contains(&v) {
            out.topic = Wire::read(r, v, flex)?;
        }
        if v >= 13 {
            out.topic_id = Wire::read(r, v, flex)?;
        }
        if v >= 7 {
            out.partitions = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if (7..=12).contains(&v) {
            self.topic.write(w, v, flex)?;
        }
        if v >= 13 {
            self.topic_id.write(w, v, flex)?;
        }
        if v >= 7 {
            self.partitions.write(w, v, flex)?;
        }
        if !(v >= 7) && !(self.partitions.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "ForgottenTopic.Partitions", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for FetchRequest {
    const NAME: &'static str = "FetchRequest";
    const MIN: i16 = 4;
    const MAX: i16 = 18;
    const FLEXIBLE_FROM: i16 = 12;
}

impl Request for FetchRequest {
    const KEY: i16 = 1;
    type Response = super::FetchResponse;
}
