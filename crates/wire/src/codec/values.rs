//! How each primitive value lies on the wire: numbers, text, bytes, arrays.

use bytes::{BufMut, Bytes};
use uuid::Uuid;

use super::{DecodeError, EncodeError, NullableWire, Reader, Wire, Writer};
use crate::text::Str;

/// Elements reserved ahead of the bytes that prove them.
const RESERVE_MAX: usize = 1_024;
/// Bytes of a text, in both encodings.
const TEXT_MAX: usize = i16::MAX as usize;

macro_rules! numbers {
    ($($kind:ty, $len:literal, $put:ident;)*) => { $(
        impl Wire for $kind {
            const MIN_LEN: usize = $len;
            fn read(r: &mut Reader, _v: i16, _flex: bool) -> Result<Self, DecodeError> {
                r.number().map(<$kind>::from_be_bytes)
            }
            fn write(&self, w: &mut Writer, _v: i16, _flex: bool) -> Result<(), EncodeError> {
                w.current.$put(*self);
                Ok(())
            }
        }
    )* };
}

numbers! {
    i8, 1, put_i8;
    i16, 2, put_i16;
    i32, 4, put_i32;
    i64, 8, put_i64;
    u16, 2, put_u16;
    u32, 4, put_u32;
    f64, 8, put_f64;
}

impl Wire for bool {
    const MIN_LEN: usize = 1;
    fn read(r: &mut Reader, _v: i16, _flex: bool) -> Result<Self, DecodeError> {
        Ok(r.i8()? != 0)
    }
    fn write(&self, w: &mut Writer, _v: i16, _flex: bool) -> Result<(), EncodeError> {
        w.i8(i8::from(*self));
        Ok(())
    }
}

impl Wire for Uuid {
    const MIN_LEN: usize = 16;
    fn read(r: &mut Reader, _v: i16, _flex: bool) -> Result<Self, DecodeError> {
        r.number().map(Uuid::from_bytes)
    }
    fn write(&self, w: &mut Writer, _v: i16, _flex: bool) -> Result<(), EncodeError> {
        w.put_slice(self.as_bytes());
        Ok(())
    }
}

impl Wire for Str {
    const MIN_LEN: usize = 1;
    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Self::read_nullable(r, v, flex)?.ok_or(DecodeError::Null)
    }
    fn write(&self, w: &mut Writer, _v: i16, flex: bool) -> Result<(), EncodeError> {
        if self.len() > TEXT_MAX {
            return Err(EncodeError::Length);
        }
        if flex {
            w.compact_length(self.len())?;
        } else {
            w.i16(i16::try_from(self.len()).map_err(|_| EncodeError::Length)?);
        }
        w.put_slice(self.as_bytes());
        Ok(())
    }
}

impl NullableWire for Str {
    fn read_nullable(r: &mut Reader, _v: i16, flex: bool) -> Result<Option<Self>, DecodeError> {
        let Some(length) = r.length(|r| r.i16().map(i32::from), flex)? else {
            return Ok(None);
        };
        if length > TEXT_MAX {
            return Err(DecodeError::Length);
        }
        Str::from_utf8(r.take(length)?)
            .map(Some)
            .ok_or(DecodeError::Utf8)
    }
    fn write_null(w: &mut Writer, flex: bool) {
        if flex { w.uvarint(0) } else { w.i16(-1) }
    }
}

impl Wire for Bytes {
    const MIN_LEN: usize = 1;
    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Self::read_nullable(r, v, flex)?.ok_or(DecodeError::Null)
    }
    fn write(&self, w: &mut Writer, _v: i16, flex: bool) -> Result<(), EncodeError> {
        if flex {
            w.compact_length(self.len())?
        } else {
            w.fixed_length(self.len())?
        }
        w.put_shared(self);
        Ok(())
    }
}

impl NullableWire for Bytes {
    fn read_nullable(r: &mut Reader, _v: i16, flex: bool) -> Result<Option<Self>, DecodeError> {
        match r.length(Reader::i32, flex)? {
            None => Ok(None),
            Some(length) => r.take(length).map(Some),
        }
    }
    fn write_null(w: &mut Writer, flex: bool) {
        if flex { w.uvarint(0) } else { w.i32(-1) }
    }
}

impl<T: Wire> Wire for Vec<T> {
    const MIN_LEN: usize = 1;
    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Self::read_nullable(r, v, flex)?.ok_or(DecodeError::Null)
    }
    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if flex {
            w.compact_length(self.len())?
        } else {
            w.fixed_length(self.len())?
        }
        self.iter()
            .try_for_each(|element| element.write(w, v, flex))
    }
}

impl<T: Wire> NullableWire for Vec<T> {
    fn read_nullable(r: &mut Reader, v: i16, flex: bool) -> Result<Option<Self>, DecodeError> {
        let Some(count) = r.length(Reader::i32, flex)? else {
            return Ok(None);
        };
        if count > r.remaining() / T::MIN_LEN {
            return Err(DecodeError::Short);
        }
        r.elements = r.elements.checked_sub(count).ok_or(DecodeError::Elements)?;
        let mut elements = Vec::with_capacity(count.min(RESERVE_MAX));
        for _ in 0..count {
            elements.push(T::read(r, v, flex)?);
        }
        Ok(Some(elements))
    }
    fn write_null(w: &mut Writer, flex: bool) {
        if flex { w.uvarint(0) } else { w.i32(-1) }
    }
}
