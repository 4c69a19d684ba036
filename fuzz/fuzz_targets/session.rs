//! A whole connection, both ways: what a client writes, and what the upstream answers.
//!
//! First byte: bit 0 opens the door to everybody, the rest says how the client's bytes are cut. Then two bytes: how many
//! of the following are the client's; what is behind them is the upstream's. Time is the runtime's own and flies.
#![no_main]

#[path = "../world.rs"]
mod world;

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use gateway::Gateway;
use gateway::config::{Deadlines, Limits};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};

use world::{Behind, END, Fuzzed, PASSWORD, listener, ports};

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        Builder::new_current_thread().enable_time().start_paused(true).build().unwrap(),
    );
}

fuzz_target!(|data: &[u8]| {
    let Some(([first, high, low], rest)) = data.split_first_chunk() else {
        return;
    };
    let split = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
    let (client, upstream) = rest.split_at(split);
    let is_open = first & 1 == 1;
    let cut = usize::from(first >> 1).min(client.len());
    RUNTIME.with_borrow(|runtime| runtime.block_on(connection(is_open, client, cut, upstream)));
});

async fn connection(is_open: bool, client: &[u8], cut: usize, upstream: &[u8]) {
    let behind = Arc::new(Fuzzed {
        bodies: Mutex::new(Bytes::copy_from_slice(upstream)),
        seen: Mutex::default(),
    });
    let gateway = Gateway::start(
        Limits::default(),
        Deadlines::default(),
        ports(),
        Arc::new(Behind(behind.clone())),
        Vec::new(),
    );
    let gateway = gateway.await.unwrap();
    let (mut near, far) = tokio::io::duplex(4 << 20);
    let serving = gateway.serve_in_memory(listener(is_open), ([10, 0, 0, 1], 9).into(), far);
    let (first, second) = client.split_at(cut);
    let mut answers = Vec::new();
    let talking = async {
        // A gateway that has closed takes no more.
        let _ = near.write_all(first).await;
        tokio::task::yield_now().await;
        let _ = near.write_all(second).await;
        let _ = near.shutdown().await;
        let _ = near.read_to_end(&mut answers).await;
    };
    let ended = tokio::time::timeout(END, async { tokio::join!(serving, talking) }).await;
    assert!(ended.is_ok(), "every connection ends");

    let mut rest = &answers[..];
    while let Some((length, behind_it)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        assert!(
            length >= 4 && length <= behind_it.len(),
            "answers are whole frames"
        );
        rest = &behind_it[length..];
    }
    assert!(rest.is_empty());
    let knew = client.windows(PASSWORD.len()).any(|part| part == PASSWORD);
    if !is_open && !knew {
        let seen = behind.seen.lock().unwrap();
        assert!(
            seen.is_empty(),
            "nothing gets through before a login: {seen:?}"
        );
    }
}
