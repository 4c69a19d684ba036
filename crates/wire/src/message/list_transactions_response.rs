// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ListTransactionsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub unknown_state_filters: Vec<Str>,
    pub transaction_states: Vec<TransactionState>,
    pub unknown_tags: UnknownTags,
}

impl Default for ListTransactionsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            unknown_state_filters: Vec::new(),
            transaction_states: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ListTransactionsResponse {
    const MIN_LEN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        out.error_code = Wire::read(r, v, flex)?;
        out.unknown_state_filters = Wire::read(r, v, flex)?;
        out.transaction_states = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(w, v, flex)?;
        self.error_code.write(w, v, flex)?;
        self.unknown_state_filters.write(w, v, flex)?;
        self.transaction_states.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TransactionState {
    pub transactional_id: Str,
    pub producer_id: i64,
    pub transaction_state: Str,
    pub unknown_tags: UnknownTags,
}

impl Default for TransactionState {
    fn default() -> Self {
        Self {
            transactional_id: Str::EMPTY,
            producer_id: 0,
            transaction_state: Str::EMPTY,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for TransactionState {
    const MIN_LEN: usize = 11;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.transactional_id = Wire::read(r, v, flex)?;
        out.producer_id = Wire::read(r, v, flex)?;
        out.transaction_state = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.transactional_id.write(w, v, flex)?;
        self.producer_id.write(w, v, flex)?;
        self.transaction_state.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for ListTransactionsResponse {
    const NAME: &'static str = "ListTransactionsResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}
