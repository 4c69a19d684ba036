// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequest {
    pub topics: Option<Vec<MetadataRequestTopic>>,
    pub allow_auto_topic_creation: bool,
    pub include_cluster_authorized_operations: bool,
    pub include_topic_authorized_operations: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        Self {
            topics: Some(Vec::new()),
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: false,
            include_topic_authorized_operations: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for MetadataRequest {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.topics = r.nullable(v, flex, v >= 1)?;
        if v >= 4 {
            out.allow_auto_topic_creation = Wire::read(r, v, flex)?;
        }
        if (8..=10).contains(&v) {
            out.include_cluster_authorized_operations = Wire::read(r, v, flex)?;
        }
        if v >= 8 {
            out.include_topic_authorized_operations = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.nullable(&self.topics, v, flex, v >= 1)?;
        if v >= 4 {
            self.allow_auto_topic_creation.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.allow_auto_topic_creation) {
            return Err(EncodeError::NotInVersion { field: "MetadataRequest.AllowAutoTopicCreation", version: v });
        }
        if (8..=10).contains(&v) {
            self.include_cluster_authorized_operations.write(w, v, flex)?;
        }
        if !((8..=10).contains(&v)) && !(!self.include_cluster_authorized_operations) {
            return Err(EncodeError::NotInVersion { field: "MetadataRequest.IncludeClusterAuthorizedOperations", version: v });
        }
        if v >= 8 {
            self.include_topic_authorized_operations.write(w, v, flex)?;
        }
        if !(v >= 8) && !(!self.include_topic_authorized_operations) {
            return Err(EncodeError::NotInVersion { field: "MetadataRequest.IncludeTopicAuthorizedOperations", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequestTopic {
    pub topic_id: Uuid,
    pub name: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for MetadataRequestTopic {
    fn default() -> Self {
        Self {
            topic_id: Uuid::nil(),
            name: Some(Str::EMPTY),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for MetadataRequestTopic {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 10 {
            out.topic_id = Wire::read(r, v, flex)?;
        }
        out.name = r.nullable(v, flex, v >= 10)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 10 {
            self.topic_id.write(w, v, flex)?;
        }
        w.nullable(&self.name, v, flex, v >= 10)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for MetadataRequest {
    const NAME: &'static str = "MetadataRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;
}

impl Request for MetadataRequest {
    const KEY: i16 = 3;
    type Response = super::MetadataResponse;
}
