// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct SaslHandshakeRequest {
    pub mechanism: Str,
    pub unknown_tags: UnknownTags,
}

impl Default for SaslHandshakeRequest {
    fn default() -> Self {
        Self {
            mechanism: Str::EMPTY,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for SaslHandshakeRequest {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.mechanism = Wire::read(r, v, flex)?;
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.mechanism.write(w, v, flex)?;
        Ok(())
    }
}

impl Message for SaslHandshakeRequest {
    const NAME: &'static str = "SaslHandshakeRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

impl Request for SaslHandshakeRequest {
    const KEY: i16 = 17;
    type Response = super::SaslHandshakeResponse;
}
