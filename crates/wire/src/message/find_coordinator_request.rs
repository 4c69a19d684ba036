// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct FindCoordinatorRequest {
    pub key: Str,
    pub key_type: i8,
    pub coordinator_keys: Vec<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for FindCoordinatorRequest {
    fn default() -> Self {
        Self {
            key: Str::EMPTY,
            key_type: 0,
            coordinator_keys: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for FindCoordinatorRequest {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v <= 3 {
            out.key = Wire::read(r, v, flex)?;
        }
        if v >= 1 {
            out.key_type = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.coordinator_keys = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 3 {
            self.key.write(w, v, flex)?;
        }
        if !(v <= 3) && !(self.key.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "FindCoordinatorRequest.Key", version: v });
        }
        if v >= 1 {
            self.key_type.write(w, v, flex)?;
        }
        if !(v >= 1) && !(self.key_type == 0) {
            return Err(EncodeError::NotInVersion { field: "FindCoordinatorRequest.KeyType", version: v });
        }
        if v >= 4 {
            self.coordinator_keys.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.coordinator_keys.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "FindCoordinatorRequest.CoordinatorKeys", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for FindCoordinatorRequest {
    const NAME: &'static str = "FindCoordinatorRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for FindCoordinatorRequest {
    const KEY: i16 = 10;
    type Response = super::FindCoordinatorResponse;
}
