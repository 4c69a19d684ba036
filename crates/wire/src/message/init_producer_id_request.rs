// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdRequest {
    pub transactional_id: Option<Str>,
    pub transaction_timeout_ms: i32,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub enable2_pc: bool,
    pub keep_prepared_txn: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for InitProducerIdRequest {
    fn default() -> Self {
        Self {
            transactional_id: Some(Str::EMPTY),
            transaction_timeout_ms: 0,
            producer_id: -1,
            producer_epoch: -1,
            enable2_pc: false,
            keep_prepared_txn: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for InitProducerIdRequest {
    const MIN_LEN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.transactional_id = r.nullable(v, flex, true)?;
        out.transaction_timeout_ms = Wire::read(r, v, flex)?;
        if v >= 3 {
            out.producer_id = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.producer_epoch = Wire::read(r, v, flex)?;
        }
        if v >= 6 {
            out.enable2_pc = Wire::read(r, v, flex)?;
        }
        if v >= 6 {
            out.keep_prepared_txn = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.nullable(&self.transactional_id, v, flex, true)?;
        self.transaction_timeout_ms.write(w, v, flex)?;
        if v >= 3 {
            self.producer_id.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.producer_id == -1) {
            return Err(EncodeError::NotInVersion { field: "InitProducerIdRequest.ProducerId", version: v });
        }
        if v >= 3 {
            self.producer_epoch.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.producer_epoch == -1) {
            return Err(EncodeError::NotInVersion { field: "InitProducerIdRequest.ProducerEpoch", version: v });
        }
        if v >= 6 {
            self.enable2_pc.write(w, v, flex)?;
        }
        if !(v >= 6) && !(!self.enable2_pc) {
            return Err(EncodeError::NotInVersion { field: "InitProducerIdRequest.Enable2Pc", version: v });
        }
        if v >= 6 {
            self.keep_prepared_txn.write(w, v, flex)?;
        }
        if !(v >= 6) && !(!self.keep_prepared_txn) {
            return Err(EncodeError::NotInVersion { field: "InitProducerIdRequest.KeepPreparedTxn", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for InitProducerIdRequest {
    const NAME: &'static str = "InitProducerIdRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for InitProducerIdRequest {
    const KEY: i16 = 22;
    type Response = super::InitProducerIdResponse;
}
