// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct SyncGroupRequest {
    pub group_id: Str,
    pub generation_id: i32,
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    pub protocol_type: Option<Str>,
    pub protocol_name: Option<Str>,
    pub assignments: Vec<SyncGroupRequestAssignment>,
    pub unknown_tags: UnknownTags,
}

impl Default for SyncGroupRequest {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            generation_id: 0,
            member_id: Str::EMPTY,
            group_instance_id: None,
            protocol_type: None,
            protocol_name: None,
            assignments: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for SyncGroupRequest {
    const MIN_LEN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.group_id = Wire::read(r, v, flex)?;
        out.generation_id = Wire::read(r, v, flex)?;
        out.member_id = Wire::read(r, v, flex)?;
        if v >= 3 {
            out.group_instance_id = r.nullable(v, flex, true)?;
        }
        if v >= 5 {
            out.protocol_type = r.nullable(v, flex, true)?;
        }
        if v >= 5 {
            out.protocol_name = r.nullable(v, flex, true)?;
        }
        out.assignments = Wire::read(r, v, flex)?;
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
            return Err(EncodeError::NotInVersion { field: "SyncGroupRequest.GroupInstanceId", version: v });
        }
        if v >= 5 {
            w.nullable(&self.protocol_type, v, flex, true)?;
        }
        if v >= 5 {
            w.nullable(&self.protocol_name, v, flex, true)?;
        }
        self.assignments.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SyncGroupRequestAssignment {
    pub member_id: Str,
    pub assignment: Bytes,
    pub unknown_tags: UnknownTags,
}

impl Default for SyncGroupRequestAssignment {
    fn default() -> Self {
        Self {
            member_id: Str::EMPTY,
            assignment: Bytes::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for SyncGroupRequestAssignment {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.member_id = Wire::read(r, v, flex)?;
        out.assignment = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.member_id.write(w, v, flex)?;
        self.assignment.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for SyncGroupRequest {
    const NAME: &'static str = "SyncGroupRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for SyncGroupRequest {
    const KEY: i16 = 14;
    type Response = super::SyncGroupResponse;
}
