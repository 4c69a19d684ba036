// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsRequest {
    pub client_software_name: Str,
    pub client_software_version: Str,
    pub unknown_tags: UnknownTags,
}

impl Default for ApiVersionsRequest {
    fn default() -> Self {
        Self {
            client_software_name: Str::EMPTY,
            client_software_version: Str::EMPTY,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ApiVersionsRequest {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 3 {
            out.client_software_name = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.client_software_version = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 3 {
            self.client_software_name.write(w, v, flex)?;
        }
        if v >= 3 {
            self.client_software_version.write(w, v, flex)?;
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for ApiVersionsRequest {
    const NAME: &'static str = "ApiVersionsRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for ApiVersionsRequest {
    const KEY: i16 = 18;
    type Response = super::ApiVersionsResponse;
}
