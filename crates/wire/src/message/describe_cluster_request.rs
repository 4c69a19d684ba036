// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterRequest {
    pub include_cluster_authorized_operations: bool,
    pub endpoint_type: i8,
    pub include_fenced_brokers: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribeClusterRequest {
    fn default() -> Self {
        Self {
            include_cluster_authorized_operations: false,
            endpoint_type: 1,
            include_fenced_brokers: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribeClusterRequest {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.include_cluster_authorized_operations = Wire::read(r, v, flex)?;
        if v >= 1 {
            out.endpoint_type = Wire::read(r, v, flex)?;
        }
        if v >= 2 {
            out.include_fenced_brokers = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.include_cluster_authorized_operations.write(w, v, flex)?;
        if v >= 1 {
            self.endpoint_type.write(w, v, flex)?;
        }
        if !(v >= 1) && !(self.endpoint_type == 1) {
            return Err(EncodeError::NotInVersion { field: "DescribeClusterRequest.EndpointType", version: v });
        }
        if v >= 2 {
            self.include_fenced_brokers.write(w, v, flex)?;
        }
        if !(v >= 2) && !(!self.include_fenced_brokers) {
            return Err(EncodeError::NotInVersion { field: "DescribeClusterRequest.IncludeFencedBrokers", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for DescribeClusterRequest {
    const NAME: &'static str = "DescribeClusterRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for DescribeClusterRequest {
    const KEY: i16 = 60;
    type Response = super::DescribeClusterResponse;
}
