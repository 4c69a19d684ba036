//! Reads topic names out of a consumer's subscription, for one question: may offsets of this topic be removed?
//!
//! In: member metadata of protocol type `consumer` (`ConsumerProtocol.deserializeSubscription`): version, topics, and
//! more that is not looked at. Out: the names, or nothing if the bytes are no subscription.

use bytes::Bytes;
use wire::codec::{Reader, Wire};
use wire::text::Str;

/// Protocol type of Kafka's consumers.
pub(super) const CONSUMER: &str = "consumer";

/// The topics a member subscribed to.
pub(super) fn topics(metadata: &Bytes) -> Option<Vec<Str>> {
    let mut reader = Reader::new(metadata.clone());
    let version = reader.i16().ok()?;
    if version < 0 {
        return None;
    }
    Vec::<Str>::read(&mut reader, 0, false).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_and_the_rest_is_ignored() {
        let metadata =
            Bytes::from_static(&[0, 1, 0, 0, 0, 1, 0, 2, b't', b'1', 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(topics(&metadata), Some(vec!["t1".into()]));
    }

    #[test]
    fn other_bytes_are_no_subscription() {
        assert_eq!(topics(&Bytes::from_static(b"x")), None);
        assert_eq!(topics(&Bytes::from_static(&[0xff, 0xff, 0, 0, 0, 0])), None);
        assert_eq!(topics(&Bytes::from_static(&[0, 0, 0, 0, 0, 9])), None);
    }
}
