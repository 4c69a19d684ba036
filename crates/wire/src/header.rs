//! Headers of requests and responses, and whole frames made of header and body.
//!
//! The header's version follows from key and version; ApiVersions answers always with header version 0
//! (`ApiMessageTypeGenerator`). The client id keeps its 16-bit length in every version.

use bytes::Bytes;

use crate::api;
use crate::codec::{DecodeError, EncodeError, Message, Reader, Request, UnknownTags, Wire, Writer};
use crate::frame::Frame;
use crate::text::Str;

/// Bytes of a client id, and of the tags of a header.
const CLIENT_ID_MAX: usize = 1_024;
const TAGS_MAX: usize = 1_024;
const API_VERSIONS: i16 = 18;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    pub api_key: i16,
    pub api_version: i16,
    pub correlation_id: i32,
    pub client_id: Option<Str>,
}

/// The part of a header that is there before its layout is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestStart {
    pub api_key: i16,
    pub api_version: i16,
    pub correlation_id: i32,
}

impl RequestStart {
    /// Reads key, version and correlation id without consuming anything.
    pub fn peek(frame: &[u8]) -> Option<Self> {
        let head: &[u8; 8] = frame.first_chunk()?;
        Some(Self {
            api_key: i16::from_be_bytes([head[0], head[1]]),
            api_version: i16::from_be_bytes([head[2], head[3]]),
            correlation_id: i32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        })
    }
}

impl RequestHeader {
    /// Reads the header; the reader then stands at the body. A key without messages is read as its version 1.
    pub fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        let api_key = reader.i16()?;
        let api_version = reader.i16()?;
        let correlation_id = reader.i32()?;
        let client_id = reader.nullable::<Str>(api_version, false, true)?;
        if client_id
            .as_ref()
            .is_some_and(|id| id.len() > CLIENT_ID_MAX)
        {
            return Err(DecodeError::Length);
        }
        if api::is_flexible(api_key, api_version).unwrap_or(false) {
            let before = reader.remaining();
            reader.unknown_tags()?;
            if before - reader.remaining() > TAGS_MAX {
                return Err(DecodeError::Length);
            }
        }
        Ok(Self {
            api_key,
            api_version,
            correlation_id,
            client_id,
        })
    }

    fn write(&self, writer: &mut Writer, flexible: bool) -> Result<(), EncodeError> {
        writer.i16(self.api_key);
        writer.i16(self.api_version);
        writer.i32(self.correlation_id);
        writer.nullable(&self.client_id, self.api_version, false, true)?;
        if flexible {
            writer.unknown_tags(&UnknownTags::default());
        }
        Ok(())
    }
}

/// A whole request.
pub fn encode_request<R: Request>(
    correlation_id: i32,
    client_id: Option<Str>,
    version: i16,
    request: &R,
) -> Result<Frame, EncodeError> {
    let header = RequestHeader {
        api_key: R::KEY,
        api_version: version,
        correlation_id,
        client_id,
    };
    let mut writer = Writer::with_capacity(256);
    header.write(&mut writer, R::is_flexible(version))?;
    request.encode(&mut writer, version)?;
    Ok(Frame::new(writer.into_parts()))
}

/// Whether responses of this key and version have a tag section in their header.
pub fn response_header_has_tags(key: i16, version: i16) -> bool {
    key != API_VERSIONS && api::is_flexible(key, version).unwrap_or(false)
}

/// A whole response.
pub fn encode_response<M: Message>(
    key: i16,
    version: i16,
    correlation_id: i32,
    response: &M,
) -> Result<Frame, EncodeError> {
    let mut writer = Writer::with_capacity(256);
    correlation_id.write(&mut writer, version, false)?;
    if response_header_has_tags(key, version) {
        writer.unknown_tags(&UnknownTags::default());
    }
    response.encode(&mut writer, version)?;
    Ok(Frame::new(writer.into_parts()))
}

/// Reads a response's header and body. Bytes left over are an error: an upstream of known versions sends none.
pub fn decode_response<M: Message>(
    key: i16,
    version: i16,
    frame: Bytes,
) -> Result<(i32, M), DecodeError> {
    let mut reader = Reader::new(frame);
    let correlation_id = reader.i32()?;
    if response_header_has_tags(key, version) {
        reader.unknown_tags()?;
    }
    let message = M::decode(&mut reader, version)?;
    reader.finish()?;
    Ok((correlation_id, message))
}

/// Reads a request's body behind its header.
pub fn decode_request<R: Request>(frame: Bytes) -> Result<(RequestHeader, R), DecodeError> {
    let mut reader = Reader::new(frame);
    let header = RequestHeader::read(&mut reader)?;
    if header.api_key != R::KEY {
        return Err(DecodeError::Version(header.api_version));
    }
    let request = R::decode(&mut reader, header.api_version)?;
    Ok((header, request))
}

/// A request as it came, under another correlation id. The body is shared, not read.
///
/// `None`: too short for a header.
pub fn request_with_id(frame: &Bytes, correlation_id: i32) -> Option<Frame> {
    let start = frame.first_chunk::<4>()?;
    let body = frame.len().checked_sub(8)?;
    let mut front = Vec::with_capacity(8);
    front.extend_from_slice(start);
    front.extend_from_slice(&correlation_id.to_be_bytes());
    let body = frame.slice(frame.len() - body..);
    Some(Frame::new(vec![front.into(), body]))
}

/// A response as it came, under another correlation id. The body is shared, not read.
///
/// `None`: too short for a header, or cut inside it.
pub fn response_with_id(mut frame: Frame, correlation_id: i32) -> Option<Frame> {
    let first = frame.parts.first_mut()?;
    if first.len() < 4 {
        return None;
    }
    drop(first.split_to(4));
    let front = Bytes::copy_from_slice(&correlation_id.to_be_bytes());
    frame.parts.insert(0, front);
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{ApiVersionsRequest, ApiVersionsResponse, MetadataRequest};

    #[test]
    fn request_is_read_back_in_every_version() {
        for version in MetadataRequest::MIN..=MetadataRequest::MAX {
            let request = MetadataRequest {
                topics: Some(Vec::new()),
                ..Default::default()
            };
            let frame = encode_request(7, Some("kcat".into()), version, &request).unwrap();
            let (header, body) = decode_request::<MetadataRequest>(frame.into_bytes()).unwrap();
            assert_eq!((header.api_version, header.correlation_id), (version, 7));
            assert_eq!(header.client_id.as_deref(), Some("kcat"));
            assert_eq!(body.topics, Some(Vec::new()));
        }
    }

    #[test]
    fn api_versions_answers_without_tags_in_its_header() {
        let frame = encode_response(18, 3, 9, &ApiVersionsResponse::default())
            .unwrap()
            .into_bytes();
        assert_eq!(&frame[..6], [0, 0, 0, 9, 0, 0]);
        assert!(response_header_has_tags(3, 9) && !response_header_has_tags(3, 8));
    }

    #[test]
    fn another_correlation_id_leaves_the_rest_alone() {
        let body = MetadataRequest::default();
        let request = |id| {
            encode_request(id, Some("kcat".into()), 9, &body)
                .unwrap()
                .into_bytes()
        };
        assert_eq!(
            request_with_id(&request(7), 8).unwrap().into_bytes(),
            request(8)
        );
        assert_eq!(request_with_id(&Bytes::from_static(b"1234567"), 8), None);

        let response = |id| encode_response(18, 3, id, &ApiVersionsResponse::default()).unwrap();
        let renamed = response_with_id(response(7), 8).unwrap();
        assert_eq!(renamed.into_bytes(), response(8).into_bytes());
        assert_eq!(response_with_id(Frame::default(), 8), None);
    }

    #[test]
    fn client_id_above_its_cap_is_refused() {
        let long = encode_request(
            1,
            Some("x".repeat(1_025).into()),
            0,
            &ApiVersionsRequest::default(),
        )
        .unwrap();
        assert!(decode_request::<ApiVersionsRequest>(long.into_bytes()).is_err());
        let fits = encode_request(
            1,
            Some("x".repeat(1_024).into()),
            0,
            &ApiVersionsRequest::default(),
        )
        .unwrap();
        assert!(decode_request::<ApiVersionsRequest>(fits.into_bytes()).is_ok());
    }

    #[test]
    fn all_topics_metadata_of_librdkafka_leaves_three_bytes_behind() {
        let mut frame = vec![0, 3, 0, 13, 0, 0, 0, 1, 0xff, 0xff, 0];
        frame.extend_from_slice(&[0, 0, 0, 0, 1, 0, 0]);
        let mut reader = Reader::new(Bytes::from(frame));
        RequestHeader::read(&mut reader).unwrap();
        let body = MetadataRequest::decode(&mut reader, 13).unwrap();
        assert_eq!((body.topics, body.allow_auto_topic_creation), (None, false));
        assert_eq!(reader.remaining(), 3);
    }
}
