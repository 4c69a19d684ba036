// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ListTransactionsRequest {
    pub state_filters: Vec<Str>,
    pub producer_id_filters: Vec<i64>,
    pub duration_filter: i64,
    pub transactional_id_pattern: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for ListTransactionsRequest {
    fn default() -> Self {
        Self {
            state_filters: Vec::new(),
            producer_id_filters: Vec::new(),
            duration_filter: -1,
            transactional_id_pattern: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ListTransactionsRequest {
    const MIN_LEN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.state_filters = Wire::read(r, v, flex)?;
        out.producer_id_filters = Wire::read(r, v, flex)?;
        if v >= 1 {
            out.duration_filter = Wire::read(r, v, flex)?;
        }
        if v >= 2 {
            out.transactional_id_pattern = r.nullable(v, flex, true)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.state_filters.write(w, v, flex)?;
        self.producer_id_filters.write(w, v, flex)?;
        if v >= 1 {
            self.duration_filter.write(w, v, flex)?;
        }
        if !(v >= 1) && !(self.duration_filter == -1) {
            return Err(EncodeError::NotInVersion { field: "ListTransactionsRequest.DurationFilter", version: v });
        }
        if v >= 2 {
            w.nullable(&self.transactional_id_pattern, v, flex, true)?;
        }
        if !(v >= 2) && !(self.transactional_id_pattern.is_none()) {
            return Err(EncodeError::NotInVersion { field: "ListTransactionsRequest.TransactionalIdPattern", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for ListTransactionsRequest {
    const NAME: &'static str = "ListTransactionsRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ListTransactionsRequest {
    const KEY: i16 = 66;
    type Response = super::ListTransactionsResponse;
}
