// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
    pub unknown_tags: UnknownTags,
}

impl Default for AddPartitionsToTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            results_by_transaction: Vec::new(),
            results_by_topic_v3_and_below: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for AddPartitionsToTxnResponse {
    const MIN_LEN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        if v >= 4 {
            out.error_code = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.results_by_transaction = Wire::read(r, v, flex)?;
        }
        if v <= 3 {
            out.results_by_topic_v3_and_below = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(w, v, flex)?;
        if v >= 4 {
            self.error_code.write(w, v, flex)?;
        }
        if v >= 4 {
            self.results_by_transaction.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.results_by_transaction.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnResponse.ResultsByTransaction", version: v });
        }
        if v <= 3 {
            self.results_by_topic_v3_and_below.write(w, v, flex)?;
        }
        if !(v <= 3) && !(self.results_by_topic_v3_and_below.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnResponse.ResultsByTopicV3AndBelow", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnResult {
    pub transactional_id: Str,
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
    pub unknown_tags: UnknownTags,
}

impl Default for AddPartitionsToTxnResult {
    fn default() -> Self {
        Self {
            transactional_id: Str::EMPTY,
            topic_results: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for AddPartitionsToTxnResult {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 4 {
            out.transactional_id = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.topic_results = Wire::read(r, v, flex)?;
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
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnResult.TransactionalId", version: v });
        }
        if v >= 4 {
            self.topic_results.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.topic_results.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "AddPartitionsToTxnResult.TopicResults", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnTopicResult {
    pub name: Str,
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
    pub unknown_tags: UnknownTags,
}

impl Default for AddPartitionsToTxnTopicResult {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            results_by_partition: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for AddPartitionsToTxnTopicResult {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.name = Wire::read(r, v, flex)?;
        out.results_by_partition = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.name.write(w, v, flex)?;
        self.results_by_partition.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnPartitionResult {
    pub partition_index: i32,
    pub partition_error_code: i16,
    pub unknown_tags: UnknownTags,
}

impl Default for AddPartitionsToTxnPartitionResult {
    fn default() -> Self {
        Self {
            partition_index: 0,
            partition_error_code: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for AddPartitionsToTxnPartitionResult {
    const MIN_LEN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.partition_index = Wire::read(r, v, flex)?;
        out.partition_error_code = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.partition_index.write(w, v, flex)?;
        self.partition_error_code.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for AddPartitionsToTxnResponse {
    const NAME: &'static str = "AddPartitionsToTxnResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}
