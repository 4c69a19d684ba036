// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesRequest {
    pub timeout_ms: i32,
    pub feature_updates: Vec<FeatureUpdateKey>,
    pub validate_only: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for UpdateFeaturesRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60000,
            feature_updates: Vec::new(),
            validate_only: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for UpdateFeaturesRequest {
    const MIN_LEN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.timeout_ms = Wire::read(r, v, flex)?;
        out.feature_updates = Wire::read(r, v, flex)?;
        if v >= 1 {
            out.validate_only = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.timeout_ms.write(w, v, flex)?;
        self.feature_updates.write(w, v, flex)?;
        if v >= 1 {
            self.validate_only.write(w, v, flex)?;
        }
        if !(v >= 1) && !(!self.validate_only) {
            return Err(EncodeError::NotInVersion { field: "UpdateFeaturesRequest.ValidateOnly", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct FeatureUpdateKey {
    pub feature: Str,
    pub max_version_level: i16,
    pub allow_downgrade: bool,
    pub upgrade_type: i8,
    pub unknown_tags: UnknownTags,
}

impl Default for FeatureUpdateKey {
    fn default() -> Self {
        Self {
            feature: Str::EMPTY,
            max_version_level: 0,
            allow_downgrade: false,
            upgrade_type: 1,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for FeatureUpdateKey {
    const MIN_LEN: usize = 5;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.feature = Wire::read(r, v, flex)?;
        out.max_version_level = Wire::read(r, v, flex)?;
        if v <= 0 {
            out.allow_downgrade = Wire::read(r, v, flex)?;
        }
        if v >= 1 {
            out.upgrade_type = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.feature.write(w, v, flex)?;
        self.max_version_level.write(w, v, flex)?;
        if v <= 0 {
            self.allow_downgrade.write(w, v, flex)?;
        }
        if !(v <= 0) && !(!self.allow_downgrade) {
            return Err(EncodeError::NotInVersion { field: "FeatureUpdateKey.AllowDowngrade", version: v });
        }
        if v >= 1 {
            self.upgrade_type.write(w, v, flex)?;
        }
        if !(v >= 1) && !(self.upgrade_type == 1) {
            return Err(EncodeError::NotInVersion { field: "FeatureUpdateKey.UpgradeType", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for UpdateFeaturesRequest {
    const NAME: &'static str = "UpdateFeaturesRequest";
    const MIN: i16 = 0;
    const MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for UpdateFeaturesRequest {
    const KEY: i16 = 57;
    type Response = super::UpdateFeaturesResponse;
}
