// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeGroupsResponse {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribeGroupsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            groups: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribeGroupsResponse {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 1 {
            out.throttle_time_ms = Wire::read(r, v, flex)?;
        }
        out.groups = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 1 {
            self.throttle_time_ms.write(w, v, flex)?;
        }
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
    pub protocol_type: Str,
    pub protocol_data: Str,
    pub members: Vec<DescribedGroupMember>,
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
            protocol_type: Str::EMPTY,
            protocol_data: Str::EMPTY,
            members: Vec::new(),
            authorized_operations: -2147483648,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribedGroup {
    const MIN_LEN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.error_code = Wire::read(r, v, flex)?;
        if v >= 6 {
            out.error_message = r.nullable(v, flex, true)?;
        }
        out.group_id = Wire::read(r, v, flex)?;
        out.group_state = Wire::read(r, v, flex)?;
        out.protocol_type = Wire::read(r, v, flex)?;
        out.protocol_data = Wire::read(r, v, flex)?;
        out.members = Wire::read(r, v, flex)?;
        if v >= 3 {
            out.authorized_operations = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.error_code.write(w, v, flex)?;
        if v >= 6 {
            w.nullable(&self.error_message, v, flex, true)?;
        }
        if !(v >= 6) && !(self.error_message.is_none()) {
            return Err(EncodeError::NotInVersion { field: "DescribedGroup.ErrorMessage", version: v });
        }
        self.group_id.write(w, v, flex)?;
        self.group_state.write(w, v, flex)?;
        self.protocol_type.write(w, v, flex)?;
        self.protocol_data.write(w, v, flex)?;
        self.members.write(w, v, flex)?;
        if v >= 3 {
            self.authorized_operations.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.authorized_operations == -2147483648) {
            return Err(EncodeError::NotInVersion { field: "DescribedGroup.AuthorizedOperations", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroupMember {
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    pub client_id: Str,
    pub client_host: Str,
    pub member_metadata: Bytes,
    pub member_assignment: Bytes,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribedGroupMember {
    fn default() -> Self {
        Self {
            member_id: Str::EMPTY,
            group_instance_id: None,
            client_id: Str::EMPTY,
            client_host: Str::EMPTY,
            member_metadata: Bytes::new(),
            member_assignment: Bytes::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribedGroupMember {
    const MIN_LEN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.member_id = Wire::read(r, v, flex)?;
        if v >= 4 {
            out.group_instance_id = r.nullable(v, flex, true)?;
        }
        out.client_id = Wire::read(r, v, flex)?;
        out.client_host = Wire::read(r, v, flex)?;
        out.member_metadata = Wire::read(r, v, flex)?;
        out.member_assignment = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.member_id.write(w, v, flex)?;
        if v >= 4 {
            w.nullable(&self.group_instance_id, v, flex, true)?;
        }
        self.client_id.write(w, v, flex)?;
        self.client_host.write(w, v, flex)?;
        self.member_metadata.write(w, v, flex)?;
        self.member_assignment.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for DescribeGroupsResponse {
    const NAME: &'static str = "DescribeGroupsResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 5;
}
