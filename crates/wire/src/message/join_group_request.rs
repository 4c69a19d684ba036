// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupRequest {
    pub group_id: Str,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    pub protocol_type: Str,
    pub protocols: Vec<JoinGroupRequestProtocol>,
    pub reason: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for JoinGroupRequest {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            session_timeout_ms: 0,
            rebalance_timeout_ms: -1,
            member_id: Str::EMPTY,
            group_instance_id: None,
            protocol_type: Str::EMPTY,
            protocols: Vec::new(),
            reason: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for JoinGroupRequest {
    const MIN_LEN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.group_id = Wire::read(r, v, flex)?;
        out.session_timeout_ms = Wire::read(r, v, flex)?;
        if v >= 1 {
            out.rebalance_timeout_ms = Wire::read(r, v, flex)?;
        }
        out.member_id = Wire::read(r, v, flex)?;
        if v >= 5 {
            out.group_instance_id = r.nullable(v, flex, true)?;
        }
        out.protocol_type = Wire::read(r, v, flex)?;
        out.protocols = Wire::read(r, v, flex)?;
        if v >= 8 {
            out.reason = r.nullable(v, flex, true)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.group_id.write(w, v, flex)?;
        self.session_timeout_ms.write(w, v, flex)?;
        if v >= 1 {
            self.rebalance_timeout_ms.write(w, v, flex)?;
        }
        self.member_id.write(w, v, flex)?;
        if v >= 5 {
            w.nullable(&self.group_instance_id, v, flex, true)?;
        }
        if !(v >= 5) && !(self.group_instance_id.is_none()) {
            return Err(EncodeError::NotInVersion { field: "JoinGroupRequest.GroupInstanceId", version: v });
        }
        self.protocol_type.write(w, v, flex)?;
        self.protocols.write(w, v, flex)?;
        if v >= 8 {
            w.nullable(&self.reason, v, flex, true)?;
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupRequestProtocol {
    pub name: Str,
    pub metadata: Bytes,
    pub unknown_tags: UnknownTags,
}

impl Default for JoinGroupRequestProtocol {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            metadata: Bytes::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for JoinGroupRequestProtocol {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.name = Wire::read(r, v, flex)?;
        out.metadata = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.name.write(w, v, flex)?;
        self.metadata.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for JoinGroupRequest {
    const NAME: &'static str = "JoinGroupRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 9;
    const FLEXIBLE_FROM: i16 = 6;
}

impl Request for JoinGroupRequest {
    const KEY: i16 = 11;
    type Response = super::JoinGroupResponse;
}
