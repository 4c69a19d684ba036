// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct CreateAclsRequest {
    pub creations: Vec<AclCreation>,
    pub unknown_tags: UnknownTags,
}

impl Default for CreateAclsRequest {
    fn default() -> Self {
        Self {
            creations: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for CreateAclsRequest {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.creations = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.creations.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AclCreation {
    pub resource_type: i8,
    pub resource_name: Str,
    pub resource_pattern_type: i8,
    pub principal: Str,
    pub host: Str,
    pub operation: i8,
    pub permission_type: i8,
    pub unknown_tags: UnknownTags,
}

impl Default for AclCreation {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: Str::EMPTY,
            resource_pattern_type: 3,
            principal: Str::EMPTY,
            host: Str::EMPTY,
            operation: 0,
            permission_type: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for AclCreation {
    const MIN_LEN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.resource_type = Wire::read(r, v, flex)?;
        out.resource_name = Wire::read(r, v, flex)?;
        out.resource_pattern_type = Wire::read(r, v, flex)?;
        out.principal = Wire::read(r, v, flex)?;
        out.host = Wire::read(r, v, flex)?;
        out.operation = Wire::read(r, v, flex)?;
        out.permission_type = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.resource_type.write(w, v, flex)?;
        self.resource_name.write(w, v, flex)?;
        self.resource_pattern_type.write(w, v, flex)?;
        self.principal.write(w, v, flex)?;
        self.host.write(w, v, flex)?;
        self.operation.write(w, v, flex)?;
        self.permission_type.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for CreateAclsRequest {
    const NAME: &'static str = "CreateAclsRequest";
    const MIN: i16 = 1;
    const MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for CreateAclsRequest {
    const KEY: i16 = 30;
    type Response = super::CreateAclsResponse;
}
