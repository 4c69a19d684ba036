// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str>,
    pub endpoint_type: i8,
    pub cluster_id: Str,
    pub controller_id: i32,
    pub brokers: Vec<DescribeClusterBroker>,
    pub cluster_authorized_operations: i32,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribeClusterResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            endpoint_type: 1,
            cluster_id: Str::EMPTY,
            controller_id: -1,
            brokers: Vec::new(),
            cluster_authorized_operations: -2147483648,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribeClusterResponse {
    const MIN_LEN: usize = 18;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        out.error_code = Wire::read(r, v, flex)?;
        out.error_message = r.nullable(v, flex, true)?;
        if v >= 1 {
            out.endpoint_type = Wire::read(r, v, flex)?;
        }
        out.cluster_id = Wire::read(r, v, flex)?;
        out.controller_id = Wire::read(r, v, flex)?;
        out.brokers = Wire::read(r, v, flex)?;
        out.cluster_authorized_operations = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(w, v, flex)?;
        self.error_code.write(w, v, flex)?;
        w.nullable(&self.error_message, v, flex, true)?;
        if v >= 1 {
            self.endpoint_type.write(w, v, flex)?;
        }
        if !(v >= 1) && !(self.endpoint_type == 1) {
            return Err(EncodeError::NotInVersion { field: "DescribeClusterResponse.EndpointType", version: v });
        }
        self.cluster_id.write(w, v, flex)?;
        self.controller_id.write(w, v, flex)?;
        self.brokers.write(w, v, flex)?;
        self.cluster_authorized_operations.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterBroker {
    pub broker_id: i32,
    pub host: Str,
    pub port: i32,
    pub rack: Option<Str>,
    pub is_fenced: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribeClusterBroker {
    fn default() -> Self {
        Self {
            broker_id: 0,
            host: Str::EMPTY,
            port: 0,
            rack: None,
            is_fenced: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribeClusterBroker {
    const MIN_LEN: usize = 11;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.broker_id = Wire::read(r, v, flex)?;
        out.host = Wire::read(r, v, flex)?;
        out.port = Wire::read(r, v, flex)?;
        out.rack = r.nullable(v, flex, true)?;
        if v >= 2 {
            out.is_fenced = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.broker_id.write(w, v, flex)?;
        self.host.write(w, v, flex)?;
        self.port.write(w, v, flex)?;
        w.nullable(&self.rack, v, flex, true)?;
        if v >= 2 {
            self.is_fenced.write(w, v, flex)?;
        }
        if !(v >= 2) && !(!self.is_fenced) {
            return Err(EncodeError::NotInVersion { field: "DescribeClusterBroker.IsFenced", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for DescribeClusterResponse {
    const NAME: &'static str = "DescribeClusterResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}
