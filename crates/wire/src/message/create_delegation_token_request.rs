// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct CreateDelegationTokenRequest {
    pub owner_principal_type: Option<Str>,
    pub owner_principal_name: Option<Str>,
    pub renewers: Vec<CreatableRenewers>,
    pub max_lifetime_ms: i64,
    pub unknown_tags: UnknownTags,
}

impl Default for CreateDelegationTokenRequest {
    fn default() -> Self {
        Self {
            owner_principal_type: Some(Str::EMPTY),
            owner_principal_name: Some(Str::EMPTY),
            renewers: Vec::new(),
            max_lifetime_ms: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for CreateDelegationTokenRequest {
    const MIN_LEN: usize = 9;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 3 {
            out.owner_principal_type = r.nullable(v, flex, true)?;
        }
        if v >= 3 {
            out.owner_principal_name = r.nullable(v, flex, true)?;
        }
        out.renewers = Wire::read(r, v, flex)?;
        out.max_lifetime_ms = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 3 {
            w.nullable(&self.owner_principal_type, v, flex, true)?;
        }
        if !(v >= 3) && !(self.owner_principal_type.as_ref().is_some_and(|value| value.is_empty())) {
            return Err(EncodeError::NotInVersion { field: "CreateDelegationTokenRequest.OwnerPrincipalType", version: v });
        }
        if v >= 3 {
            w.nullable(&self.owner_principal_name, v, flex, true)?;
        }
        if !(v >= 3) && !(self.owner_principal_name.as_ref().is_some_and(|value| value.is_empty())) {
            return Err(EncodeError::NotInVersion { field: "CreateDelegationTokenRequest.OwnerPrincipalName", version: v });
        }
        self.renewers.write(w, v, flex)?;
        self.max_lifetime_ms.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatableRenewers {
    pub principal_type: Str,
    pub principal_name: Str,
    pub unknown_tags: UnknownTags,
}

impl Default for CreatableRenewers {
    fn default() -> Self {
        Self {
            principal_type: Str::EMPTY,
            principal_name: Str::EMPTY,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for CreatableRenewers {
    const MIN_LEN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.principal_type = Wire::read(r, v, flex)?;
        out.principal_name = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.principal_type.write(w, v, flex)?;
        self.principal_name.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for CreateDelegationTokenRequest {
    const NAME: &'static str = "CreateDelegationTokenRequest";
    const MIN: i16 = 1;
    const MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for CreateDelegationTokenRequest {
    const KEY: i16 = 38;
    type Response = super::CreateDelegationTokenResponse;
}
