//! Zigzag variable-length integers as records use them: `(n << 1) ^ (n >> 31)`, seven bits a byte, low bits first.
//!
//! Non-minimal forms are read, never written; bits that do not fit the type are refused.

use std::io::BufRead;

use super::RecordError;

/// Bytes that `value` takes.
pub(super) fn size(value: i64) -> usize {
    let bits = 64 - (zigzag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

pub(super) fn put(out: &mut Vec<u8>, value: i64) {
    let mut rest = zigzag(value);
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Counts what it reads of a stream of records, and never reads past the end of the current record.
pub(super) struct Cursor<R> {
    source: R,
    read: u64,
    end: u64,
}

impl<R: BufRead> Cursor<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            read: 0,
            end: u64::MAX,
        }
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> u64 {
        self.read
    }

    /// Bytes left in the current record.
    pub(super) fn left(&self) -> u64 {
        self.end.saturating_sub(self.read)
    }

    /// Opens a record of `length` bytes.
    pub(super) fn open(&mut self, length: u64) {
        self.end = self.read.saturating_add(length);
    }

    /// Closes the record; it must have been read to its end.
    pub(super) fn close(&mut self) -> Result<(), RecordError> {
        if self.left() != 0 {
            return Err(RecordError::Malformed("record longer than its fields"));
        }
        self.end = u64::MAX;
        Ok(())
    }

    /// Whether the stream has no byte left.
    pub(super) fn at_end(&mut self) -> Result<bool, RecordError> {
        Ok(self.source.fill_buf()?.is_empty())
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, RecordError> {
        if self.read >= self.end {
            return Err(RecordError::Malformed("field beyond its record"));
        }
        let byte = *self.source.fill_buf()?.first().ok_or(RecordError::Cut)?;
        self.source.consume(1);
        self.read += 1;
        Ok(byte)
    }

    pub(super) fn varint(&mut self) -> Result<i32, RecordError> {
        let value = unzigzag(self.unsigned(5, 4)?);
        i32::try_from(value).map_err(|_| RecordError::Malformed("integer does not fit"))
    }

    pub(super) fn varlong(&mut self) -> Result<i64, RecordError> {
        Ok(unzigzag(self.unsigned(10, 1)?))
    }

    /// At most `bytes` bytes, of which the last may carry `last_bits` bits.
    #[inline]
    fn unsigned(&mut self, bytes: u32, last_bits: u32) -> Result<u64, RecordError> {
        let mut value = 0;
        for index in 0..bytes {
            let byte = self.byte()?;
            if index + 1 == bytes && byte >> last_bits != 0 {
                break;
            }
            value |= u64::from(byte & 0x7F) << (7 * index);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(RecordError::Malformed("integer does not fit"))
    }

    /// Passes over `length` bytes of the record.
    pub(super) fn skip(&mut self, length: u64) -> Result<(), RecordError> {
        if length > self.left() {
            return Err(RecordError::Malformed("field beyond its record"));
        }
        let mut missing = length;
        while missing > 0 {
            let available = self.source.fill_buf()?.len() as u64;
            if available == 0 {
                return Err(RecordError::Cut);
            }
            let step = available.min(missing);
            self.source.consume(step as usize);
            missing -= step;
        }
        self.read = self.read.saturating_add(length);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, value);
        out
    }

    #[test]
    fn reads_what_was_written() {
        let values = [
            0,
            1,
            -1,
            63,
            64,
            -64,
            -65,
            8191,
            8192,
            i32::MAX as i64,
            i32::MIN as i64,
            i64::MAX,
            i64::MIN,
        ];
        for value in values {
            let bytes = encoded(value);
            assert_eq!(bytes.len(), size(value), "{value}");
            assert_eq!(Cursor::new(bytes.as_slice()).varlong().ok(), Some(value));
            let short = Cursor::new(bytes.as_slice()).varint().ok();
            assert_eq!(short, i32::try_from(value).ok(), "{value}");
        }
    }

    #[test]
    fn agrees_with_kafka_vectors() {
        // `ByteUtilsTest.testVarintSerde` of Apache Kafka.
        assert_eq!(encoded(-1), [0x01]);
        assert_eq!(encoded(63), [0x7E]);
        assert_eq!(encoded(-64), [0x7F]);
        assert_eq!(encoded(64), [0x80, 0x01]);
        assert_eq!(encoded(i32::MAX.into()), [0xFE, 0xFF, 0xFF, 0xFF, 0x0F]);
        assert_eq!(encoded(i32::MIN.into()), [0xFF, 0xFF, 0xFF, 0xFF, 0x0F]);
    }

    #[test]
    fn accepts_non_minimal_and_refuses_overlong() {
        assert_eq!(Cursor::new([0x82, 0x00].as_slice()).varint().ok(), Some(1));
        assert!(
            Cursor::new([0x80, 0x80, 0x80, 0x80, 0x80, 0x00].as_slice())
                .varint()
                .is_err()
        );
        assert!(
            Cursor::new([0xFF, 0xFF, 0xFF, 0xFF, 0x1F].as_slice())
                .varint()
                .is_err()
        );
        assert!(Cursor::new([0xFF; 11].as_slice()).varlong().is_err());
        assert!(Cursor::new([0x80].as_slice()).varint().is_err());
    }
}
