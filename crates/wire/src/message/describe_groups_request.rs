// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeGroupsRequest {
    pub groups: Vec<Str>,
    pub include_authorized_operations: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribeGroupsRequest {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            include_authorized_operations: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribeGroupsRequest {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.groups = Wire::read(r, v, flex)?;
        if v >= 3 {
            out.include_authorized_operations = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.groups.write(w, v, flex)?;
        if v >= 3 {
            self.include_authorized_operations.write(w, v, flex)?;
        }
        if !(v >= 3) && !(!self.include_authorized_operations) {
            return Err(EncodeError::NotInVersion { field: "DescribeGroupsRequest.IncludeAuthorizedOperations", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for DescribeGroupsRequest {
    const NAME: &'static str = "DescribeGroupsRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 5;
}

impl Request for DescribeGroupsRequest {
    const KEY: i16 = 15;
    type Response = super::DescribeGroupsResponse;
}
