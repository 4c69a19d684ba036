// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClientQuotasResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str>,
    pub entries: Option<Vec<EntryData>>,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribeClientQuotasResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::EMPTY),
            entries: Some(Vec::new()),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribeClientQuotasResponse {
    const MIN_LEN: usize = 8;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        out.error_code = Wire::read(r, v, flex)?;
        out.error_message = r.nullable(v, flex, true)?;
        out.entries = r.nullable(v, flex, true)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(w, v, flex)?;
        self.error_code.write(w, v, flex)?;
        w.nullable(&self.error_message, v, flex, true)?;
        w.nullable(&self.entries, v, flex, true)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct EntryData {
    pub entity: Vec<EntityData>,
    pub values: Vec<ValueData>,
    pub unknown_tags: UnknownTags,
}

impl Default for EntryData {
    fn default() -> Self {
        Self {
            entity: Vec::new(),
            values: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for EntryData {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.entity = Wire::read(r, v, flex)?;
        out.values = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.entity.write(w, v, flex)?;
        self.values.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct EntityData {
    pub entity_type: Str,
    pub entity_name: Option<Str>,
    pub unknown_tags: UnknownTags,
}

impl Default for EntityData {
    fn default() -> Self {
        Self {
            entity_type: Str::EMPTY,
            entity_name: Some(Str::EMPTY),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for EntityData {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.entity_type = Wire::read(r, v, flex)?;
        out.entity_name = r.nullable(v, flex, true)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.entity_type.write(w, v, flex)?;
        w.nullable(&self.entity_name, v, flex, true)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ValueData {
    pub key: Str,
    pub value: f64,
    pub unknown_tags: UnknownTags,
}

impl Default for ValueData {
    fn default() -> Self {
        Self {
            key: Str::EMPTY,
            value: 0f64,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ValueData {
    const MIN_LEN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.key = Wire::read(r, v, flex)?;
        out.value = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.key.write(w, v, flex)?;
        self.value.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for DescribeClientQuotasResponse {
    const NAME: &'static str = "DescribeClientQuotasResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;
}
