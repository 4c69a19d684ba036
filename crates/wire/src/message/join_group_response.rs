// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub generation_id: i32,
    pub protocol_type: Option<Str>,
    pub protocol_name: Option<Str>,
    pub leader: Str,
    pub skip_assignment: bool,
    pub member_id: Str,
    pub members: Vec<JoinGroupResponseMember>,
    pub unknown_tags: UnknownTags,
}

impl Default for JoinGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            generation_id: -1,
            protocol_type: None,
            protocol_name: Some(Str::EMPTY),
            leader: Str::EMPTY,
            skip_assignment: false,
            member_id: Str::EMPTY,
            members: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for JoinGroupResponse {
    const MIN_LEN: usize = 10;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 2 {
            out.throttle_time_ms = Wire::read(r, v, flex)?;
        }
        out.error_code = Wire::read(r, v, flex)?;
        out.generation_id = Wire::read(r, v, flex)?;
        if v >= 7 {
            out.protocol_type = r.nullable(v, flex, true)?;
        }
        out.protocol_name = r.nullable(v, flex, v >= 7)?;
        out.leader = Wire::read(r, v, flex)?;
        if v >= 9 {
            out.skip_assignment = Wire::read(r, v, flex)?;
        }
        out.member_id = Wire::read(r, v, flex)?;
        out.members = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 2 {
            self.throttle_time_ms.write(w, v, flex)?;
        }
        self.error_code.write(w, v, flex)?;
        self.generation_id.write(w, v, flex)?;
        if v >= 7 {
            w.nullable(&self.protocol_type, v, flex, true)?;
        }
        w.nullable(&self.protocol_name, v, flex, v >= 7)?;
        self.leader.write(w, v, flex)?;
        if v >= 9 {
            self.skip_assignment.write(w, v, flex)?;
        }
        if !(v >= 9) && !(!self.skip_assignment) {
            return Err(EncodeError::NotInVersion { field: "JoinGroupResponse.SkipAssignment", version: v });
        }
        self.member_id.write(w, v, flex)?;
        self.members.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupResponseMember {
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    pub metadata: Bytes,
    pub unknown_tags: UnknownTags,
}

impl Default for JoinGroupResponseMember {
    fn default() -> Self {
        Self {
            member_id: Str::EMPTY,
            group_instance_id: None,
            metadata: Bytes::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for JoinGroupResponseMember {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.member_id = Wire::read(r, v, flex)?;
        if v >= 5 {
            out.group_instance_id = r.nullable(v, flex, true)?;
        }
        out.metadata = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.member_id.write(w, v, flex)?;
        if v >= 5 {
            w.nullable(&self.group_instance_id, v, flex, true)?;
        }
        self.metadata.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for JoinGroupResponse {
    const NAME: &'static str = "JoinGroupResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 9;
    const FLEXIBLE_FROM: i16 = 6;
}
