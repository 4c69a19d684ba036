// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct HeartbeatRequest {
    pub group_id: Str,
    pub generation_id: i32,
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for HeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            generation_id: 0,
            member_id: Str::EMPTY,
            group_instance_id: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for HeartbeatRequest {
    const MIN_LEN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.group_id = Wire::read(r, v, flex)?;
        out.generation_id = Wire::read(r, v, flex)?;
        out.member_id = Wire::read(r, v, flex)?;
        if v >= 3 {
            out.group_instance_id = r.nullable(v, flex, true)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.group_id.write(w, v, flex)?;
        self.generation_id.write(w, v, flex)?;
        self.member_id.write(w, v, flex)?;
        if v >= 3 {
            w.nullable(&self.group_instance_id, v, flex, true)?;
        }
        if !(v >= 3) && !(self.group_instance_id.is_none()) {
            return Err(EncodeError::NotInVersion { field: "HeartbeatRequest.GroupInstanceId", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for HeartbeatRequest {
    const NAME: &'static str = "HeartbeatRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for HeartbeatRequest {
    const KEY: i16 = 12;
    type Response = super::HeartbeatResponse;
}
