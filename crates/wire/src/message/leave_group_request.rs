// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct LeaveGroupRequest {
    pub group_id: Str,
    pub member_id: Str,
    pub members: Vec<MemberIdentity>,
    pub unknown_tags: UnknownTags,
}

impl Default for LeaveGroupRequest {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            member_id: Str::EMPTY,
            members: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for LeaveGroupRequest {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.group_id = Wire::read(r, v, flex)?;
        if v <= 2 {
            out.member_id = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.members = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.group_id.write(w, v, flex)?;
        if v <= 2 {
            self.member_id.write(w, v, flex)?;
        }
        if !(v <= 2) && !(self.member_id.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "LeaveGroupRequest.MemberId", version: v });
        }
        if v >= 3 {
            self.members.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.members.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "LeaveGroupRequest.Members", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MemberIdentity {
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    pub reason: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for MemberIdentity {
    fn default() -> Self {
        Self {
            member_id: Str::EMPTY,
            group_instance_id: None,
            reason: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for MemberIdentity {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 3 {
            out.member_id = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.group_instance_id = r.nullable(v, flex, true)?;
        }
        if v >= 5 {
            out.reason = r.nullable(v, flex, true)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 3 {
            self.member_id.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.member_id.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "MemberIdentity.MemberId", version: v });
        }
        if v >= 3 {
            w.nullable(&self.group_instance_id, v, flex, true)?;
        }
        if !(v >= 3) && !(self.group_instance_id.is_none()) {
            return Err(EncodeError::NotInVersion { field: "MemberIdentity.GroupInstanceId", version: v });
        }
        if v >= 5 {
            w.nullable(&self.reason, v, flex, true)?;
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for LeaveGroupRequest {
    const NAME: &'static str = "LeaveGroupRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for LeaveGroupRequest {
    const KEY: i16 = 13;
    type Response = super::LeaveGroupResponse;
}
