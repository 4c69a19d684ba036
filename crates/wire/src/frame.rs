//! Frames: a length, then header and body.
//!
//! In: bytes as they arrive, in a buffer that the reader of the socket owns. Out: whole frames without their length, as
//! slices of that buffer. No socket here. Memory follows the bytes that arrived, never the length that was promised
//! ([`room`]); a length above the cap is refused when its four bytes are there.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes of the length in front of a frame.
pub const LENGTH_LEN: usize = 4;
/// Shortest request: key, version, correlation id.
const REQUEST_MIN: usize = 8;
/// Bytes reserved while nothing is known of a frame.
const FIRST_READ: usize = 4 << 10;
/// Bytes reserved at a time for a length that was only promised.
const STEP: usize = 64 << 10;

const PRODUCE: i16 = 0;
const SASL_HANDSHAKE: i16 = 17;
const API_VERSIONS: i16 = 18;

/// Header and body, in parts that are written one after the other. The length in front is not part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub parts: Vec<Bytes>,
}

impl Frame {
    pub fn new(parts: Vec<Bytes>) -> Self {
        Self { parts }
    }

    pub fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One piece of memory; copies only if there are several parts.
    pub fn into_bytes(self) -> Bytes {
        self.to_bytes()
    }

    /// One piece of memory; copies only if there are several parts.
    pub fn to_bytes(&self) -> Bytes {
        if let [only] = self.parts.as_slice() {
            return only.clone();
        }
        let mut whole = BytesMut::with_capacity(self.len());
        for part in &self.parts {
            whole.extend_from_slice(part);
        }
        whole.freeze()
    }

    /// Everything that goes on the wire, length first, for a vectored write.
    ///
    /// `None`: longer than a length can say.
    pub fn into_wire(self) -> Option<Vec<Bytes>> {
        let prefix = self.length_prefix()?;
        let mut parts = Vec::with_capacity(self.parts.len() + 1);
        parts.push(Bytes::copy_from_slice(&prefix));
        parts.extend(self.parts);
        Some(parts)
    }

    /// The four bytes that go in front.
    ///
    /// `None`: longer than a length can say.
    pub fn length_prefix(&self) -> Option<[u8; LENGTH_LEN]> {
        i32::try_from(self.len()).ok().map(i32::to_be_bytes)
    }

    /// The correlation id of a response, which is in its first four bytes.
    pub fn correlation_id(&self) -> Option<i32> {
        let mut id = [0; 4];
        let mut filled = 0;
        for byte in self.parts.iter().flat_map(|part| part.iter()).take(4) {
            id[filled] = *byte;
            filled += 1;
        }
        (filled == 4).then(|| i32::from_be_bytes(id))
    }
}

impl From<Bytes> for Frame {
    fn from(bytes: Bytes) -> Self {
        Self { parts: vec![bytes] }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("frame length {0} is negative or too short for a header")]
    Malformed(i32),
    #[error("frame of {length} bytes is above the cap of {cap}")]
    TooLarge { length: usize, cap: usize },
}

/// Largest requests by API key, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameCaps {
    /// Produce carries records.
    pub produce: usize,
    /// SaslHandshake and ApiVersions carry next to nothing.
    pub greeting: usize,
    pub other: usize,
}

impl FrameCaps {
    /// Before anybody is logged in: no API carries much.
    pub const BEFORE_LOGIN: Self = Self {
        produce: 64 << 10,
        greeting: 4 << 10,
        other: 64 << 10,
    };
    /// After login, unless configured otherwise.
    pub const AFTER_LOGIN: Self = Self {
        produce: 100 << 20,
        greeting: 16 << 20,
        other: 16 << 20,
    };

    /// One cap for all.
    pub const fn same(cap: usize) -> Self {
        Self {
            produce: cap,
            greeting: cap,
            other: cap,
        }
    }

    fn cap(self, key: Option<i16>) -> usize {
        match key {
            Some(PRODUCE) => self.produce,
            Some(SASL_HANDSHAKE | API_VERSIONS) => self.greeting,
            Some(_) => self.other,
            // The key is not there yet: only what no key may pass is refused.
            None => self.produce.max(self.other).max(self.greeting),
        }
    }
}

/// What is known of the frame that is being received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not one byte of the next frame is there.
    Idle,
    /// The length is not complete yet.
    Length,
    /// The frame has `length` bytes, of which `missing` have not arrived.
    Body { length: usize, missing: usize },
    /// A whole frame can be taken.
    Ready { length: usize },
}

/// Looks at received bytes. Fails as soon as what is there cannot become an allowed frame.
pub fn inspect(buffer: &[u8], caps: FrameCaps) -> Result<Progress, FrameError> {
    let Some(prefix) = buffer.first_chunk::<LENGTH_LEN>() else {
        return Ok(if buffer.is_empty() {
            Progress::Idle
        } else {
            Progress::Length
        });
    };
    let declared = i32::from_be_bytes(*prefix);
    let length = usize::try_from(declared).map_err(|_| FrameError::Malformed(declared))?;
    if length < REQUEST_MIN {
        return Err(FrameError::Malformed(declared));
    }
    let key = buffer
        .get(LENGTH_LEN..LENGTH_LEN + 2)
        .and_then(|key| key.try_into().ok())
        .map(i16::from_be_bytes);
    let cap = caps.cap(key);
    if length > cap {
        return Err(FrameError::TooLarge { length, cap });
    }
    let arrived = buffer.len() - LENGTH_LEN;
    Ok(match length.checked_sub(arrived) {
        None | Some(0) => Progress::Ready { length },
        Some(missing) => Progress::Body { length, missing },
    })
}

/// Bytes worth reserving before the next read.
///
/// A promised length is believed only by a caller that holds permits for it (`granted`); otherwise the buffer grows
/// in small steps, so that its size follows what arrived.
pub fn room(progress: Progress, granted: bool) -> usize {
    match progress {
        Progress::Idle | Progress::Length | Progress::Ready { .. } => FIRST_READ,
        Progress::Body { missing, .. } if granted => missing,
        Progress::Body { missing, .. } => missing.min(STEP),
    }
}

/// Takes the next whole frame out of the buffer, if it is there.
pub fn take(buffer: &mut BytesMut, caps: FrameCaps) -> Result<Option<Bytes>, FrameError> {
    match inspect(buffer, caps)? {
        Progress::Ready { length } => {
            buffer.advance(LENGTH_LEN);
            Ok(Some(buffer.split_to(length).freeze()))
        }
        _ => Ok(None),
    }
}

/// Takes the next whole response of an upstream: any length up to `cap`, at least a correlation id.
pub fn take_response(buffer: &mut BytesMut, cap: usize) -> Result<Option<Bytes>, FrameError> {
    let Some(prefix) = buffer.first_chunk::<LENGTH_LEN>() else {
        return Ok(None);
    };
    let declared = i32::from_be_bytes(*prefix);
    let length = usize::try_from(declared).map_err(|_| FrameError::Malformed(declared))?;
    if length < 4 {
        return Err(FrameError::Malformed(declared));
    }
    if length > cap {
        return Err(FrameError::TooLarge { length, cap });
    }
    if buffer.len() < LENGTH_LEN + length {
        return Ok(None);
    }
    buffer.advance(LENGTH_LEN);
    Ok(Some(buffer.split_to(length).freeze()))
}

/// What the first bytes of a stray connection look like; for the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stray {
    TlsClient,
    HttpClient,
    /// A length below 64 KiB: what every Kafka client begins with.
    KafkaClient,
}

/// Recognises what begins a connection.
pub fn stray(bytes: &[u8]) -> Option<Stray> {
    match bytes {
        [0x16, 0x03, ..] => Some(Stray::TlsClient),
        [b'G', b'E', b'T', b' ', ..]
        | [b'P', b'O', b'S', b'T', ..]
        | [b'H', b'T', b'T', b'P', ..] => Some(Stray::HttpClient),
        [0, 0, ..] => Some(Stray::KafkaClient),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPS: FrameCaps = FrameCaps {
        produce: 1_000,
        greeting: 50,
        other: 100,
    };

    fn framed(key: i16, body: usize) -> Vec<u8> {
        let mut bytes = (body as i32 + 8).to_be_bytes().to_vec();
        bytes.extend_from_slice(&key.to_be_bytes());
        bytes.extend(vec![0; body + 6]);
        bytes
    }

    #[test]
    fn frame_is_taken_once_it_is_whole() {
        let bytes = framed(3, 4);
        for end in 0..bytes.len() {
            assert_eq!(
                take(&mut BytesMut::from(&bytes[..end]), CAPS),
                Ok(None),
                "{end}"
            );
        }
        let mut buffer = BytesMut::from(&[bytes.clone(), bytes.clone()].concat()[..]);
        assert_eq!(take(&mut buffer, CAPS).unwrap().unwrap().len(), 12);
        assert_eq!(take(&mut buffer, CAPS).unwrap().unwrap().len(), 12);
        assert_eq!(inspect(&buffer, CAPS), Ok(Progress::Idle));
    }

    #[test]
    fn produce_may_be_larger_than_others() {
        assert!(matches!(
            inspect(&framed(0, 500), CAPS),
            Ok(Progress::Ready { .. })
        ));
        assert_eq!(
            inspect(&framed(3, 500), CAPS),
            Err(FrameError::TooLarge {
                length: 508,
                cap: 100
            })
        );
        assert_eq!(
            inspect(&framed(0, 5_000)[..4], CAPS),
            Err(FrameError::TooLarge {
                length: 5_008,
                cap: 1_000
            })
        );
    }

    #[test]
    fn greetings_have_a_cap_of_their_own() {
        for key in [17, 18] {
            assert!(inspect(&framed(key, 42), CAPS).is_ok());
            assert!(inspect(&framed(key, 43), CAPS).is_err());
        }
        assert!(inspect(&framed(36, 43), CAPS).is_ok());
    }

    #[test]
    fn room_follows_what_arrived_unless_granted() {
        let length = 100 << 20;
        let promised = (length as i32).to_be_bytes();
        let progress = inspect(&promised, FrameCaps::AFTER_LOGIN).unwrap();
        assert_eq!(room(progress, false), STEP);
        assert_eq!(room(progress, true), length);
        assert_eq!(room(Progress::Idle, true), FIRST_READ);

        // A peer that promises 100 MiB and sends little.
        let mut buffer = BytesMut::new();
        buffer.extend_from_slice(&promised);
        for _ in 0..100 {
            let progress = inspect(&buffer, FrameCaps::AFTER_LOGIN).unwrap();
            buffer.reserve(room(progress, false));
            buffer.extend_from_slice(&[0; 10]);
        }
        assert!(buffer.capacity() < 4 * STEP);
    }

    #[test]
    fn wire_parts_begin_with_the_length() {
        let frame = Frame::new(vec![Bytes::from_static(b"ab"), Bytes::from_static(b"cde")]);
        assert_eq!(frame.to_bytes(), "abcde");
        let wire = frame.into_wire().unwrap();
        assert_eq!(wire.concat(), b"\0\0\0\x05abcde");
    }

    #[test]
    fn impossible_lengths_are_refused_at_once() {
        for length in [-1, 0, 7, i32::MIN] {
            assert_eq!(
                inspect(&length.to_be_bytes(), CAPS),
                Err(FrameError::Malformed(length))
            );
        }
    }

    #[test]
    fn strangers_are_recognised() {
        assert_eq!(stray(&[0x16, 3, 1, 2]), Some(Stray::TlsClient));
        assert_eq!(stray(b"GET / HTTP/1.1"), Some(Stray::HttpClient));
        assert_eq!(stray(&framed(18, 4)), Some(Stray::KafkaClient));
        assert_eq!(stray(b"SSH-2.0"), None);
    }
}
