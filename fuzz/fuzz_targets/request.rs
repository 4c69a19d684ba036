//! A request body behind its API key and version.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wire::message::recode;

fuzz_target!(|data: &[u8]| {
    let Some(([key, version], body)) = data.split_first_chunk() else {
        return;
    };
    let (key, version) = (i16::from(*key), i16::from(*version));
    let once = recode(key, version, false, Bytes::copy_from_slice(body));
    if let Some(Ok(once)) = once {
        let twice = recode(key, version, false, Bytes::copy_from_slice(&once));
        assert_eq!(twice, Some(Ok(once)));
    }
});
