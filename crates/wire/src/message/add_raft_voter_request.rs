// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct AddRaftVoterRequest {
    pub cluster_id: Option<Str>,
    pub timeout_ms: i32,
    pub voter_id: i32,
    pub voter_directory_id: Uuid,
    pub listeners: Vec<Listener>,
    pub ack_when_committed: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for AddRaftVoterRequest {
    fn default() -> Self {
        Self {
            cluster_id: Some(Str::EMPTY),
            timeout_ms: 0,
            voter_id: 0,
            voter_directory_id: Uuid::nil(),
            listeners: Vec::new(),
            ack_when_committed: true,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for AddRaftVoterRequest {
    const MIN_LEN: usize = 27;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.cluster_id = r.nullable(v, flex, true)?;
        out.timeout_ms = Wire::read(r, v, flex)?;
        out.voter_id = Wire::read(r, v, flex)?;
        out.voter_directory_id = Wire::read(r, v, flex)?;
        out.listeners = Wire::read(r, v, flex)?;
        if v >= 1 {
            out.ack_when_committed = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.nullable(&self.cluster_id, v, flex, true)?;
        self.timeout_ms.write(w, v, flex)?;
        self.voter_id.write(w, v, flex)?;
        self.voter_directory_id.write(w, v, flex)?;
        self.listeners.write(w, v, flex)?;
        if v >= 1 {
            self.ack_when_committed.write(w, v, flex)?;
        }
        if !(v >= 1) && !(self.ack_when_committed) {
            return Err(EncodeError::NotInVersion { field: "AddRaftVoterRequest.AckWhenCommitted", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    pub name: Str,
    pub host: Str,
    pub port: u16,
    pub unknown_tags: UnknownTags,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            host: Str::EMPTY,
            port: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for Listener {
    const MIN_LEN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.name = Wire::read(r, v, flex)?;
        out.host = Wire::read(r, v, flex)?;
        out.port = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.name.write(w, v, flex)?;
        self.host.write(w, v, flex)?;
        self.port.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for AddRaftVoterRequest {
    const NAME: &'static str = "AddRaftVoterRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for AddRaftVoterRequest {
    const KEY: i16 = 80;
    type Response = super::AddRaftVoterResponse;
}
