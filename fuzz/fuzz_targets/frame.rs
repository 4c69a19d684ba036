//! A stream of requests in two pieces; the first byte says where it is cut.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use wire::codec::Reader;
use wire::frame::{self, FrameCaps, Progress};
use wire::header::RequestHeader;

const CAPS: FrameCaps = FrameCaps {
    produce: 4096,
    greeting: 64,
    other: 1024,
};

fuzz_target!(|data: &[u8]| {
    let Some((cut, stream)) = data.split_first() else {
        return;
    };
    let (first, second) = stream.split_at(usize::from(*cut).min(stream.len()));
    let mut buffer = BytesMut::new();
    for piece in [first, second] {
        buffer.extend_from_slice(piece);
        while let Ok(Some(frame)) = frame::take(&mut buffer, CAPS) {
            assert!((8..=CAPS.produce).contains(&frame.len()));
            let _ = RequestHeader::read(&mut Reader::new(frame));
        }
    }
    if let Ok(Progress::Body { length, missing }) = frame::inspect(&buffer, CAPS) {
        assert_eq!(buffer.len() + missing, length + 4);
    }
});
