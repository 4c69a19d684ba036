// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTopicsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<CreatableTopicResult>,
    pub unknown_tags: UnknownTags,
}

impl Default for CreateTopicsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            topics: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for CreateTopicsResponse {
    const MIN_LEN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        out.topics = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(w, v, flex)?;
        self.topics.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicResult {
    pub name: Str,
    pub topic_id: Uuid,
    pub error_code: i16,
    pub error_message: Option<Str>,
    pub topic_config_error_code: i16,
    pub num_partitions: i32,
    pub replication_factor: i16,
    pub configs: Option<Vec<CreatableTopicConfigs>>,
    pub unknown_tags: UnknownTags,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            topic_id: Uuid::nil(),
            error_code: 0,
            error_message: Some(Str::EMPTY),
            topic_config_error_code: 0,
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Vec::new()),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for CreatableTopicResult {
    const MIN_LEN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.name = Wire::read(r, v, flex)?;
        if v >= 7 {
            out.topic_id = Wire::read(r, v, flex)?;
        }
        out.error_code = Wire::read(r, v, flex)?;
        out.error_message = r.nullable(v, flex, true)?;
        if v >= 5 {
            out.num_partitions = Wire::read(r, v, flex)?;
        }
        if v >= 5 {
            out.replication_factor = Wire::read(r, v, flex)?;
        }
        if v >= 5 {
            out.configs = r.nullable(v, flex, true)?;
        }
        if flex {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                {
                    let r = &mut field;
                    match tag {
                        0 => out.topic_config_error_code = Wire::read(r, v, flex)?,
                        _ => r.unknown(tag, &mut out.unknown_tags),
                    }
                }
                r.close(field)?;
            }
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.name.write(w, v, flex)?;
        if v >= 7 {
            self.topic_id.write(w, v, flex)?;
        }
        self.error_code.write(w, v, flex)?;
        w.nullable(&self.error_message, v, flex, true)?;
        if v >= 5 {
            self.num_partitions.write(w, v, flex)?;
        }
        if v >= 5 {
            self.replication_factor.write(w, v, flex)?;
        }
        if v >= 5 {
            w.nullable(&self.configs, v, flex, true)?;
        }
        if flex {
            let mut tags = Tags::new();
            if !(self.topic_config_error_code == 0) {
                tags.put(0, |w| {
                    self.topic_config_error_code.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            w.tags(tags, &self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfigs {
    pub name: Str,
    pub value: Option<Str>,
    pub read_only: bool,
    pub config_source: i8,
    pub is_sensitive: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for CreatableTopicConfigs {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            value: Some(Str::EMPTY),
            read_only: false,
            config_source: -1,
            is_sensitive: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for CreatableTopicConfigs {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 5 {
            out.name = Wire::read(r, v, flex)?;
        }
        if v >= 5 {
            out.value = r.nullable(v, flex, true)?;
        }
        if v >= 5 {
            out.read_only = Wire::read(r, v, flex)?;
        }
        if v >= 5 {
            out.config_source = Wire::read(r, v, flex)?;
        }
        if v >= 5 {
            out.is_sensitive = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 5 {
            self.name.write(w, v, flex)?;
        }
        if !(v >= 5) && !(self.name.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "CreatableTopicConfigs.Name", version: v });
        }
        if v >= 5 {
            w.nullable(&self.value, v, flex, true)?;
        }
        if !(v >= 5) && !(self.value.as_ref().is_some_and(|value| value.is_empty())) {
            return Err(EncodeError::NotInVersion { field: "CreatableTopicConfigs.Value", version: v });
        }
        if v >= 5 {
            self.read_only.write(w, v, flex)?;
        }
        if !(v >= 5) && !(!self.read_only) {
            return Err(EncodeError::NotInVersion { field: "CreatableTopicConfigs.ReadOnly", version: v });
        }
        if v >= 5 {
            self.config_source.write(w, v, flex)?;
        }
        if v >= 5 {
            self.is_sensitive.write(w, v, flex)?;
        }
        if !(v >= 5) && !(!self.is_sensitive) {
            return Err(EncodeError::NotInVersion { field: "CreatableTopicConfigs.IsSensitive", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for CreateTopicsResponse {
    const NAME: &'static str = "CreateTopicsResponse";
    const MIN: i16 = 2;
    const MAX: i16 = 7;
    const FLEXIBLE_FROM: i16 = 5;
}
