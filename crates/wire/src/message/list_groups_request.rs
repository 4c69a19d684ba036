// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ListGroupsRequest {
    pub states_filter: Vec<Str>,
    pub types_filter: Vec<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for ListGroupsRequest {
    fn default() -> Self {
        Self {
            states_filter: Vec::new(),
            types_filter: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ListGroupsRequest {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 4 {
            out.states_filter = Wire::read(r, v, flex)?;
        }
        if v >= 5 {
            out.types_filter = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 4 {
            self.states_filter.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.states_filter.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "ListGroupsRequest.StatesFilter", version: v });
        }
        if v >= 5 {
            self.types_filter.write(w, v, flex)?;
        }
        if !(v >= 5) && !(self.types_filter.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "ListGroupsRequest.TypesFilter", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for ListGroupsRequest {
    const NAME: &'static str = "ListGroupsRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for ListGroupsRequest {
    const KEY: i16 = 16;
    type Response = super::ListGroupsResponse;
}
