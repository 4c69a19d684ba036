//! Requests to the embedded log, as they come through the gateway: a length of two bytes before each, one after the other
//! on one link. Each is answered in its own version and in order, or the link closes; the log can be stopped afterwards.
#![no_main]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use broker::{Broker, Options, Peer};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wire::header::{RequestStart, response_header_has_tags};

#[allow(dead_code, reason = "the targets about files change them")]
#[path = "../memory_disk.rs"]
mod memory_disk;
use memory_disk::SimDisk;

/// Requests may wait (Fetch, JoinGroup); the fuzzer does not.
const PATIENCE: Duration = Duration::from_millis(20);
const STOPS_WITHIN: Duration = Duration::from_secs(10);

/// Two topics with records, a group.
fn disk() -> SimDisk {
    static DISK: OnceLock<SimDisk> = OnceLock::new();
    DISK.get_or_init(|| memory_disk::runtime().block_on(memory_disk::make(true)).0)
        .after_kill()
}

fuzz_target!(|data: &[u8]| {
    let disk = disk();
    memory_disk::runtime().block_on(talk(disk, &requests(data)));
});

fn requests(mut rest: &[u8]) -> Vec<Bytes> {
    let mut frames = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length)).min(behind.len());
        let (frame, behind) = behind.split_at(length);
        frames.push(Bytes::copy_from_slice(frame));
        rest = behind;
    }
    frames
}

async fn talk(disk: SimDisk, requests: &[Bytes]) {
    let options = Options {
        log: memory_disk::options(),
        ..Options::default()
    };
    let (key, clock) = (memory_disk::key(), memory_disk::clock());
    let broker = Broker::open(options, key, Arc::new(disk), clock);
    let broker = broker.await.expect("the log was stopped in order");
    let peer = Peer {
        principal: "User:fuzz".into(),
        host: [10, 0, 0, 1].into(),
        listener: "fuzz".into(),
        connection: 1,
    };
    let (sender, mut receiver) = broker.link(peer).split();
    let sending = async {
        for request in requests {
            if sender.send(request.clone()).await.is_err() {
                return;
            }
        }
        drop(sender);
    };
    let mut asked = requests
        .iter()
        .filter_map(|frame| RequestStart::peek(frame));
    let receiving = async {
        while let Ok(answer) = receiver.receive().await {
            let id = answer.correlation_id();
            // A produce without acks has no answer.
            let start = asked.find(|start| Some(start.correlation_id) == id);
            let start = start.expect("answers are in the order of the requests");
            let (key, version) = (start.api_key, start.api_version);
            let header = 4 + usize::from(response_header_has_tags(key, version));
            let body = answer.into_bytes().split_off(header);
            // ApiVersions of the future has an answer too.
            if let Some(read) = wire::message::recode(key, version, true, body) {
                assert!(read.is_ok(), "{key} {version}: {read:?}");
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, async { tokio::join!(sending, receiving) }).await;
    let stopped = tokio::time::timeout(STOPS_WITHIN, broker.stop()).await;
    assert!(matches!(stopped, Ok(Ok(()))), "it can be stopped");
}
