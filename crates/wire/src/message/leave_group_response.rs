// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct LeaveGroupResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub members: Vec<MemberResponse>,
    pub unknown_tags: UnknownTags,
}

impl Default for LeaveGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            members: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for LeaveGroupResponse {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 1 {
            out.throttle_time_ms = Wire::read(r, v, flex)?;
        }
        out.error_code = Wire::read(r, v, flex)?;
        if v >= 3 {
            out.members = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 1 {
            self.throttle_time_ms.write(w, v, flex)?;
        }
        self.error_code.write(w, v, flex)?;
        if v >= 3 {
            self.members.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.members.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "LeaveGroupResponse.Members", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MemberResponse {
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    pub error_code: i16,
    pub unknown_tags: UnknownTags,
}

impl Default for MemberResponse {
    fn default() -> Self {
        Self {
            member_id: Str::EMPTY,
            group_instance_id: Some(Str::EMPTY),
            error_code: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for MemberResponse {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 3 {
            out.member_id = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.group_instance_id = r.nullable(v, flex, true)?;
        }
        if v >= 3 {
            out.error_code = Wire::read(r, v, flex)?;
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
            return Err(EncodeError::NotInVersion { field: "MemberResponse.MemberId", version: v });
        }
        if v >= 3 {
            w.nullable(&self.group_instance_id, v, flex, true)?;
        }
        if !(v >= 3) && !(self.group_instance_id.as_ref().is_some_and(|value| value.is_empty())) {
            return Err(EncodeError::NotInVersion { field: "MemberResponse.GroupInstanceId", version: v });
        }
        if v >= 3 {
            self.error_code.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.error_code == 0) {
            return Err(EncodeError::NotInVersion { field: "MemberResponse.ErrorCode", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for LeaveGroupResponse {
    const NAME: &'static str = "LeaveGroupResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 4;
}
