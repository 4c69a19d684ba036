// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ShareGroupHeartbeatRequest {
    pub group_id: Str,
    pub member_id: Str,
    pub member_epoch: i32,
    pub rack_id: Option<Str>,
    pub subscribed_topic_names: Option<Vec<Str>>,
    pub unknown_tags: UnknownTags,
}

impl Default for ShareGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: Str::EMPTY,
            member_id: Str::EMPTY,
            member_epoch: 0,
            rack_id: None,
            subscribed_topic_names: None,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ShareGroupHeartbeatRequest {
    const MIN_LEN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.group_id = Wire::read(r, v, flex)?;
        out.member_id = Wire::read(r, v, flex)?;
        out.member_epoch = Wire::read(r, v, flex)?;
        out.rack_id = r.nullable(v, flex, true)?;
        out.subscribed_topic_names = r.nullable(v, flex, true)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.group_id.write(w, v, flex)?;
        self.member_id.write(w, v, flex)?;
        self.member_epoch.write(w, v, flex)?;
        w.nullable(&self.rack_id, v, flex, true)?;
        w.nullable(&self.subscribed_topic_names, v, flex, true)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for ShareGroupHeartbeatRequest {
    const NAME: &'static str = "ShareGroupHeartbeatRequest";
    const MIN: i16 = 1;
    const MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ShareGroupHeartbeatRequest {
    const KEY: i16 = 76;
    type Response = super::ShareGroupHeartbeatResponse;
}
