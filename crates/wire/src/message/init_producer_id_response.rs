// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub ongoing_txn_producer_id: i64,
    pub ongoing_txn_producer_epoch: i16,
    pub unknown_tags: UnknownTags,
}

impl Default for InitProducerIdResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: -1,
            producer_epoch: 0,
            ongoing_txn_producer_id: -1,
            ongoing_txn_producer_epoch: -1,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for InitProducerIdResponse {
    const MIN_LEN: usize = 16;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        out.error_code = Wire::read(r, v, flex)?;
        out.producer_id = Wire::read(r, v, flex)?;
        out.producer_epoch = Wire::read(r, v, flex)?;
        if v >= 6 {
            out.ongoing_txn_producer_id = Wire::read(r, v, flex)?;
        }
        if v >= 6 {
            out.ongoing_txn_producer_epoch = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(w, v, flex)?;
        self.error_code.write(w, v, flex)?;
        self.producer_id.write(w, v, flex)?;
        self.producer_epoch.write(w, v, flex)?;
        if v >= 6 {
            self.ongoing_txn_producer_id.write(w, v, flex)?;
        }
        if !(v >= 6) && !(self.ongoing_txn_producer_id == -1) {
            return Err(EncodeError::NotInVersion { field: "InitProducerIdResponse.OngoingTxnProducerId", version: v });
        }
        if v >= 6 {
            self.ongoing_txn_producer_epoch.write(w, v, flex)?;
        }
        if !(v >= 6) && !(self.ongoing_txn_producer_epoch == -1) {
            return Err(EncodeError::NotInVersion { field: "InitProducerIdResponse.OngoingTxnProducerEpoch", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for InitProducerIdResponse {
    const NAME: &'static str = "InitProducerIdResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 2;
}
