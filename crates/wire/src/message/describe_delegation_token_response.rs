// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeDelegationTokenResponse {
    pub error_code: i16,
    pub tokens: Vec<DescribedDelegationToken>,
    pub throttle_time_ms: i32,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribeDelegationTokenResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            tokens: Vec::new(),
            throttle_time_ms: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribeDelegationTokenResponse {
    const MIN_LEN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.error_code = Wire::read(r, v, flex)?;
        out.tokens = Wire::read(r, v, flex)?;
        out.throttle_time_ms = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.error_code.write(w, v, flex)?;
        self.tokens.write(w, v, flex)?;
        self.throttle_time_ms.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribedDelegationToken {
    pub principal_type: Str,
    pub principal_name: Str,
    pub token_requester_principal_type: Str,
    pub token_requester_principal_name: Str,
    pub issue_timestamp: i64,
    pub expiry_timestamp: i64,
    pub max_timestamp: i64,
    pub token_id: Str,
    pub hmac: Bytes,
    pub renewers: Vec<DescribedDelegationTokenRenewer>,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribedDelegationToken {
    fn default() -> Self {
        Self {
            principal_type: Str::EMPTY,
            principal_name: Str::EMPTY,
            token_requester_principal_type: Str::EMPTY,
            token_requester_principal_name: Str::EMPTY,
            issue_timestamp: 0,
            expiry_timestamp: 0,
            max_timestamp: 0,
            token_id: Str::EMPTY,
            hmac: Bytes::new(),
            renewers: Vec::new(),
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribedDelegationToken {
    const MIN_LEN: usize = 29;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.principal_type = Wire::read(r, v, flex)?;
        out.principal_name = Wire::read(r, v, flex)?;
        if v >= 3 {
            out.token_requester_principal_type = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.token_requester_principal_name = Wire::read(r, v, flex)?;
        }
        out.issue_timestamp = Wire::read(r, v, flex)?;
        out.expiry_timestamp = Wire::read(r, v, flex)?;
        out.max_timestamp = Wire::read(r, v, flex)?;
        out.token_id = Wire::read(r, v, flex)?;
        out.hmac = Wire::read(r, v, flex)?;
        out.renewers = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.principal_type.write(w, v, flex)?;
        self.principal_name.write(w, v, flex)?;
        if v >= 3 {
            self.token_requester_principal_type.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.token_requester_principal_type.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "DescribedDelegationToken.TokenRequesterPrincipalType", version: v });
        }
        if v >= 3 {
            self.token_requester_principal_name.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.token_requester_principal_name.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "DescribedDelegationToken.TokenRequesterPrincipalName", version: v });
        }
        self.issue_timestamp.write(w, v, flex)?;
        self.expiry_timestamp.write(w, v, flex)?;
        self.max_timestamp.write(w, v, flex)?;
        self.token_id.write(w, v, flex)?;
        self.hmac.write(w, v, flex)?;
        self.renewers.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribedDelegationTokenRenewer {
    pub principal_type: Str,
    pub principal_name: Str,
    pub unknown_tags: UnknownTags,
}

impl Default for DescribedDelegationTokenRenewer {
    fn default() -> Self {
        Self {
            principal_type: Str::EMPTY,
            principal_name: Str::EMPTY,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for DescribedDelegationTokenRenewer {
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

impl Message for DescribeDelegationTokenResponse {
    const NAME: &'static str = "DescribeDelegationTokenResponse";
    const MIN: i16 = 1;
    const MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}
