// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct EndTxnRequest {
    pub transactional_id: Str,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub committed: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for EndTxnRequest {
    fn default() -> Self {
        Self {
            transactional_id: Str::EMPTY,
            producer_id: 0,
            producer_epoch: 0,
            committed: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for EndTxnRequest {
    const MIN_LEN: usize = 12;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.transactional_id = Wire::read(r, v, flex)?;
        out.producer_id = Wire::read(r, v, flex)?;
        out.producer_epoch = Wire::read(r, v, flex)?;
        out.committed = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.transactional_id.write(w, v, flex)?;
        self.producer_id.write(w, v, flex)?;
        self.producer_epoch.write(w, v, flex)?;
        self.committed.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for EndTxnRequest {
    const NAME: &'static str = "EndTxnRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for EndTxnRequest {
    const KEY: i16 = 26;
    type Response = super::EndTxnResponse;
}
