// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ListGroupsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub groups: Vec<ListedGroup>,
    pub unknown_tags: UnknownTags,
}

impl Default for ListGroupsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            groups: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ListGroupsResponse {
    const MIN_LEN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 1 {
            out.throttle_time_ms = Wire::read(r, v, flex)?;
        }
        out.error_code = Wire::read(r, v, flex)?;
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
        self.error_code.write(w, v, flex)?;
        self.groups.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ListedGroup {
    pub group_id: Str,
    pub protocol_type: Str,
    pub group_state: Str,
    pub group_type: Str,
    pub unknown_tags: UnknownTags,
}

impl Default for ListedGroup {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            protocol_type: Str::EMPTY,
            group_state: Str::EMPTY,
            group_type: Str::EMPTY,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ListedGroup {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.group_id = Wire::read(r, v, flex)?;
        out.protocol_type = Wire::read(r, v, flex)?;
        if v >= 4 {
            out.group_state = Wire::read(r, v, flex)?;
        }
        if v >= 5 {
            out.group_type = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.group_id.write(w, v, flex)?;
        self.protocol_type.write(w, v, flex)?;
        if v >= 4 {
            self.group_state.write(w, v, flex)?;
        }
        if v >= 5 {
            self.group_type.write(w, v, flex)?;
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for ListGroupsResponse {
    const NAME: &'static str = "ListGroupsResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}
