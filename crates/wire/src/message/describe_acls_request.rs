// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsRequest {
    pub resource_type_filter: i8,
    pub resource_name_filter: Option<Str>,
    pub pattern_type_filter: i8,
    pub principal_filter: Option<Str>,
    pub host_filter: Option<Str>,
    pub operation: i8,
    pub permission_type: i8,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribeAclsRequest {
    fn default() -> Self {
        Self {
            resource_type_filter: 0,
            resource_name_filter: Some(Str::EMPTY),
            pattern_type_filter: 3,
            principal_filter: Some(Str::EMPTY),
            host_filter: Some(Str::EMPTY),
            operation: 0,
            permission_type: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribeAclsRequest {
    const MIN_LEN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.resource_type_filter = Wire::read(r, v, flex)?;
        out.resource_name_filter = r.nullable(v, flex, true)?;
        out.pattern_type_filter = Wire::read(r, v, flex)?;
        out.principal_filter = r.nullable(v, flex, true)?;
        out.host_filter = r.nullable(v, flex, true)?;
        out.operation = Wire::read(r, v, flex)?;
        out.permission_type = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.resource_type_filter.write(w, v, flex)?;
        w.nullable(&self.resource_name_filter, v, flex, true)?;
        self.pattern_type_filter.write(w, v, flex)?;
        w.nullable(&self.principal_filter, v, flex, true)?;
        w.nullable(&self.host_filter, v, flex, true)?;
        self.operation.write(w, v, flex)?;
        self.permission_type.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for DescribeAclsRequest {
    const NAME: &'static str = "DescribeAclsRequest";
    const MIN: i16 = 1;
    const MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for DescribeAclsRequest {
    const KEY: i16 = 29;
    type Response = super::DescribeAclsResponse;
}
