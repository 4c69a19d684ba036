// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsRequest {
    pub resources: Vec<DescribeConfigsResource>,
    pub include_synonyms: bool,
    pub include_documentation: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribeConfigsRequest {
    fn default() -> Self {
        Self {
            resources: Vec::new(),
            include_synonyms: false,
            include_documentation: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribeConfigsRequest {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.resources = Wire::read(r, v, flex)?;
        out.include_synonyms = Wire::read(r, v, flex)?;
        if v >= 3 {
            out.include_documentation = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.resources.write(w, v, flex)?;
        self.include_synonyms.write(w, v, flex)?;
        if v >= 3 {
            self.include_documentation.write(w, v, flex)?;
        }
        if !(v >= 3) && !(!self.include_documentation) {
            return Err(EncodeError::NotInVersion { field: "DescribeConfigsRequest.IncludeDocumentation", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResource {
    pub resource_type: i8,
    pub resource_name: Str,
    pub configuration_keys: Option<Vec<Str>>,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribeConfigsResource {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: Str::EMPTY,
            configuration_keys: Some(Vec::new()),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribeConfigsResource {
    const MIN_LEN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.resource_type = Wire::read(r, v, flex)?;
        out.resource_name = Wire::read(r, v, flex)?;
        out.configuration_keys = r.nullable(v, flex, true)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.resource_type.write(w, v, flex)?;
        self.resource_name.write(w, v, flex)?;
        w.nullable(&self.configuration_keys, v, flex, true)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for DescribeConfigsRequest {
    const NAME: &'static str = "DescribeConfigsRequest";
    const MIN: i16 = 1;
    const MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for DescribeConfigsRequest {
    const KEY: i16 = 32;
    type Response = super::DescribeConfigsResponse;
}
