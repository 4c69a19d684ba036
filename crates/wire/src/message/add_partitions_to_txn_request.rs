// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnRequest {
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    pub v3_and_below_transactional_id: Str,
    pub v3_and_below_producer_id: i64,
    pub v3_and_below_producer_epoch: i16,
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
    pub unknown_tags: UnknownTags,
}

impl Default for AddPartitionsToTxnRequest {
    fn default() -> Self {
        Self {
            transactions: Vec::new(),
            v3_and_below_transactional_id: Str::EMPTY,
            v3_and_below_producer_id: 0,
            v3_and_below_producer_epoch: 0,
            v3_and_below_topics: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for AddPartitionsToTxnRequest {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 4 {
            out.transactions = Wire::read(r, v, flex)?;
        }
        if v <= 3 {
            out.v3_and_below_transactional_id = Wire::read(r, v, flex)?;
        }
        if v <= 3 {
            out.v3_and_below_producer_id = Wire::read(r, v, flex)?;
        }
        if v <= 3 {
            out.v3_and_below_producer_epoch = Wire::read(r, v, flex)?;
        }
        if v <= 3 {
            out.v3_and_below_topics = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 4 {
            self.transactions.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.transactions.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnRequest.Transactions", version: v });
        }
        if v <= 3 {
            self.v3_and_below_transactional_id.write(w, v, flex)?;
        }
        if !(v <= 3) && !(self.v3_and_below_transactional_id.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnRequest.V3AndBelowTransactionalId", version: v });
        }
        if v <= 3 {
            self.v3_and_below_producer_id.write(w, v, flex)?;
        }
        if !(v <= 3) && !(self.v3_and_below_producer_id == 0) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnRequest.V3AndBelowProducerId", version: v });
        }
        if v <= 3 {
            self.v3_and_below_producer_epoch.write(w, v, flex)?;
        }
        if !(v <= 3) && !(self.v3_and_below_producer_epoch == 0) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnRequest.V3AndBelowProducerEpoch", version: v });
        }
        if v <= 3 {
            self.v3_and_below_topics.write(w, v, flex)?;
        }
        if !(v <= 3) && !(self.v3_and_below_topics.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnRequest.V3AndBelowTopics", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnTransaction {
    pub transactional_id: Str,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub verify_only: bool,
    pub topics: Vec<AddPartitionsToTxnTopic>,
    pub unknown_tags: UnknownTags,
}

impl Default for AddPartitionsToTxnTransaction {
    fn default() -> Self {
        Self {
            transactional_id: Str::EMPTY,
            producer_id: 0,
            producer_epoch: 0,
            verify_only: false,
            topics: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for AddPartitionsToTxnTransaction {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 4 {
            out.transactional_id = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.producer_id = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.producer_epoch = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.verify_only = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.topics = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 4 {
            self.transactional_id.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.transactional_id.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnTransaction.TransactionalId", version: v });
        }
        if v >= 4 {
            self.producer_id.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.producer_id == 0) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnTransaction.ProducerId", version: v });
        }
        if v >= 4 {
            self.producer_epoch.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.producer_epoch == 0) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnTransaction.ProducerEpoch", version: v });
        }
        if v >= 4 {
            self.verify_only.write(w, v, flex)?;
        }
        if !(v >= 4) && !(!self.verify_only) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnTransaction.VerifyOnly", version: v });
        }
        if v >= 4 {
            self.topics.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.topics.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnTransaction.Topics", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnTopic {
    pub name: Str,
    pub partitions: Vec<i32>,
    pub unknown_tags: UnknownTags,
}

impl Default for AddPartitionsToTxnTopic {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            partitions: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for AddPartitionsToTxnTopic {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.name = Wire::read(r, v, flex)?;
        out.partitions = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.name.write(w, v, flex)?;
        self.partitions.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for AddPartitionsToTxnRequest {
    const NAME: &'static str = "AddPartitionsToTxnRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for AddPartitionsToTxnRequest {
    const KEY: i16 = 24;
    type Response = super::AddPartitionsToTxnResponse;
}
