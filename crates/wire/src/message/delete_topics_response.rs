// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct DeleteTopicsResponse {
    pub throttle_time_ms: i32,
    pub responses: Vec<DeletableTopicResult>,
    pub unknown_tags: UnknownTags,
}

impl Default for DeleteTopicsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            responses: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DeleteTopicsResponse {
    const MIN_LEN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        out.responses = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(w, v, flex)?;
        self.responses.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeletableTopicResult {
    pub name: Option<Str>,
    pub topic_id: Uuid,
    pub error_code: i16,
    pub error_message: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for DeletableTopicResult {
    fn default() -> Self {
        Self {
            name: Some(Str::EMPTY),
            topic_id: Uuid::nil(),
            error_code: 0,
            error_message: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DeletableTopicResult {
    const MIN_LEN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.name = r.nullable(v, flex, v >= 6)?;
        if v >= 6 {
            out.topic_id = Wire::read(r, v, flex)?;
        }
        out.error_code = Wire::read(r, v, flex)?;
        if v >= 5 {
            out.error_message = r.nullable(v, flex, true)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.nullable(&self.name, v, flex, v >= 6)?;
        if v >= 6 {
            self.topic_id.write(w, v, flex)?;
        }
        self.error_code.write(w, v, flex)?;
        if v >= 5 {
            w.nullable(&self.error_message, v, flex, true)?;
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for DeleteTopicsResponse {
    const NAME: &'static str = "DeleteTopicsResponse";
    const MIN: i16 = 1;
    const MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 4;
}
