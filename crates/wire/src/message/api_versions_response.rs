// Written by wire-gen from the schemas: do not edit.
#![allow(unused_imports, unused_variables, clippy::all)]

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};
use crate::text::Str;

#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsResponse {
    pub error_code: i16,
    pub api_keys: Vec<ApiVersion>,
    pub throttle_time_ms: i32,
    pub supported_features: Vec<SupportedFeatureKey>,
    pub finalized_features_epoch: i64,
    pub finalized_features: Vec<FinalizedFeatureKey>,
    pub zk_migration_ready: bool,
    pub unknown_tags: UnknownTags,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            api_keys: Vec::new(),
            throttle_time_ms: 0,
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ApiVersionsResponse {
    const MIN_LEN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.error_code = Wire::read(r, v, flex)?;
        out.api_keys = Wire::read(r, v, flex)?;
        if v >= 1 {
            out.throttle_time_ms = Wire::read(r, v, flex)?;
        }
        if flex {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                {
                    let r = &mut field;
                    match tag {
                        0 => out.supported_features = Wire::read(r, v, flex)?,
                        1 => out.finalized_features_epoch = Wire::read(r, v, flex)?,
                        2 => out.finalized_features = Wire::read(r, v, flex)?,
                        3 => out.zk_migration_ready = Wire::read(r, v, flex)?,
                        _ => r.unknown(tag, &mut out.unknown_tags),
                    }
                }
                r.close(field)?;
            }
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.error_code.write(w, v, flex)?;
        self.api_keys.write(w, v, flex)?;
        if v >= 1 {
            self.throttle_time_ms.write(w, v, flex)?;
        }
        if flex {
            let mut tags = Tags::new();
            if !(self.supported_features.is_empty()) {
                tags.put(0, |w| {
                    self.supported_features.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            if !(self.finalized_features_epoch == -1) {
                tags.put(1, |w| {
                    self.finalized_features_epoch.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            if !(self.finalized_features.is_empty()) {
                tags.put(2, |w| {
                    self.finalized_features.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            if !(!self.zk_migration_ready) {
                tags.put(3, |w| {
                    self.zk_migration_ready.write(w, v, flex)?;
                    Ok(())
                })?;
            }
            w.tags(tags, &self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
    pub unknown_tags: UnknownTags,
}

impl Default for ApiVersion {
    fn default() -> Self {
        Self {
            api_key: 0,
            min_version: 0,
            max_version: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for ApiVersion {
    const MIN_LEN: usize = 6;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        out.api_key = Wire::read(r, v, flex)?;
        out.min_version = Wire::read(r, v, flex)?;
        out.max_version = Wire::read(r, v, flex)?;
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        self.api_key.write(w, v, flex)?;
        self.min_version.write(w, v, flex)?;
        self.max_version.write(w, v, flex)?;
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SupportedFeatureKey {
    pub name: Str,
    pub min_version: i16,
    pub max_version: i16,
    pub unknown_tags: UnknownTags,
}

impl Default for SupportedFeatureKey {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            min_version: 0,
            max_version: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for SupportedFeatureKey {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 3 {
            out.name = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.min_version = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.max_version = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 3 {
            self.name.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.name.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "SupportedFeatureKey.Name", version: v });
        }
        if v >= 3 {
            self.min_version.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.min_version == 0) {
            return Err(EncodeError::NotInVersion { field: "SupportedFeatureKey.MinVersion", version: v });
        }
        if v >= 3 {
            self.max_version.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.max_version == 0) {
            return Err(EncodeError::NotInVersion { field: "SupportedFeatureKey.MaxVersion", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct FinalizedFeatureKey {
    pub name: Str,
    pub max_version_level: i16,
    pub min_version_level: i16,
    pub unknown_tags: UnknownTags,
}

impl Default for FinalizedFeatureKey {
    fn default() -> Self {
        Self {
            name: Str::EMPTY,
            max_version_level: 0,
            min_version_level: 0,
            unknown_tags: UnknownTags::default(),
        }
    }
}

impl Wire for FinalizedFeatureKey {
    const MIN_LEN: usize = 1;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        if v >= 3 {
            out.name = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.max_version_level = Wire::read(r, v, flex)?;
        }
        if v >= 3 {
            out.min_version_level = Wire::read(r, v, flex)?;
        }
        if flex {
            out.unknown_tags = r.unknown_tags()?;
        }
        Ok(out)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 3 {
            self.name.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.name.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "FinalizedFeatureKey.Name", version: v });
        }
        if v >= 3 {
            self.max_version_level.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.max_version_level == 0) {
            return Err(EncodeError::NotInVersion { field: "FinalizedFeatureKey.MaxVersionLevel", version: v });
        }
        if v >= 3 {
            self.min_version_level.write(w, v, flex)?;
        }
        if !(v >= 3) && !(self.min_version_level == 0) {
            return Err(EncodeError::NotInVersion { field: "FinalizedFeatureKey.MinVersionLevel", version: v });
        }
        if flex {
            w.unknown_tags(&self.unknown_tags);
        }
        Ok(())
    }
}

impl Message for ApiVersionsResponse {
    const NAME: &'static str = "ApiVersionsResponse";
    const MIN: i16 = 0;
    const MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 3;
}
