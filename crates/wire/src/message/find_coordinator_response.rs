// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct FindCoordinatorResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str>,
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    pub coordinators: Vec<Coordinator>,
    pub unknown_tags: UnknownTags,
}

impl Default for FindCoordinatorResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::EMPTY),
            node_id: 0,
            host: Str::EMPTY,
            port: 0,
            coordinators: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for FindCoordinatorResponse {
    const MIN_LEN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 1 {
            out.throttle_time_ms = Wire::read(r, v, flex)?;
        }
        if v <= 3 {
            out.error_code = Wire::read(r, v, flex)?;
        }
        if (1..=3).contains(&v) {
            out.error_message = r.nullable(v, flex, true)?;
        }
        if v <= 3 {
            out.node_id = Wire::read(r, v, flex)?;
        }
        if v <= 3 {
            out.host = Wire::read(r, v, flex)?;
        }
        if v <= 3 {
            out.port = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.coordinators = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 1 {
            self.throttle_time_ms.write(w, v, flex)?;
        }
        if v <= 3 {
            self.error_code.write(w, v, flex)?;
        }
        if !(v <= 3) && !(self.error_code == 0) {
            return Err(EncodeError::NotInVersion { field: "FindCoordinatorResponse.ErrorCode", version: v });
        }
        if (1..=3).contains(&v) {
            w.nullable(&self.error_message, v, flex, true)?;
        }
        if v <= 3 {
            self.node_id.write(w, v, flex)?;
        }
        if !(v <= 3) && !(self.node_id == 0) {
            return Err(EncodeError::NotInVersion { field: "FindCoordinatorResponse.NodeId", version: v });
        }
        if v <= 3 {
            self.host.write(w, v, flex)?;
        }
        if !(v <= 3) && !(self.host.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "FindCoordinatorResponse.Host", version: v });
        }
        if v <= 3 {
            self.port.write(w, v, flex)?;
        }
        if !(v <= 3) && !(self.port == 0) {
            return Err(EncodeError::NotInVersion { field: "FindCoordinatorResponse.Port", version: v });
        }
        if v >= 4 {
            self.coordinators.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.coordinators.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "FindCoordinatorResponse.Coordinators", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Coordinator {
    pub key: Str,
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    pub error_code: i16,
    pub error_message: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for Coordinator {
    fn default() -> Self {
        Self {
            key: Str::EMPTY,
            node_id: 0,
            host: Str::EMPTY,
            port: 0,
            error_code: 0,
            error_message: Some(Str::EMPTY),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for Coordinator {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 4 {
            out.key = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.node_id = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.host = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.port = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.error_code = Wire::read(r, v, flex)?;
        }
        if v >= 4 {
            out.error_message = r.nullable(v, flex, true)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 4 {
            self.key.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.key.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "Coordinator.Key", version: v });
        }
        if v >= 4 {
            self.node_id.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.node_id == 0) {
            return Err(EncodeError::NotInVersion { field: "Coordinator.NodeId", version: v });
        }
        if v >= 4 {
            self.host.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.host.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "Coordinator.Host", version: v });
        }
        if v >= 4 {
            self.port.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.port == 0) {
            return Err(EncodeError::NotInVersion { field: "Coordinator.Port", version: v });
        }
        if v >= 4 {
            self.error_code.write(w, v, flex)?;
        }
        if !(v >= 4) && !(self.error_code == 0) {
            return Err(EncodeError::NotInVersion { field: "Coordinator.ErrorCode", version: v });
        }
        if v >= 4 {
            w.nullable(&self.error_message, v, flex, true)?;
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for FindCoordinatorResponse {
    const NAME: &'static str = "FindCoordinatorResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 3;
}
