//! One connection to a gateway, from a fuzzer's bytes: what a client writes, and what the upstream answers.
//!
//! First byte: bits 0 and 1 say how the client came in ([`Start`]), bit 2 who logs in, the rest where the client's bytes
//! are cut in two. Then two bytes: how many of the following are the client's; what is behind them is the upstream's.
//! Time is the runtime's own and flies.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use gateway::Gateway;
use gateway::config::{Deadlines, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::{Builder, Runtime};

use crate::login;
use crate::world::{Behind, END, Fuzzed, PASSWORD, listener, ports};

/// How far a connection is when the fuzzer's bytes begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At its first byte.
    Raw,
    /// At its first byte, where nobody logs in.
    Open,
    /// Behind a login.
    Plain,
    Scram,
}

const STARTS: [Start; 4] = [Start::Raw, Start::Open, Start::Plain, Start::Scram];

/// alice may do everything, bob nothing.
const USERS: [&str; 2] = ["alice", "bob"];

/// What somebody without any right gets through: questions whose answers are filtered.
const FILTERED: [i16; 5] = [3, 16, 60, 66, 75];

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        Builder::new_current_thread().enable_time().start_paused(true).build().unwrap(),
    );
}

/// An input for [`run`].
#[allow(dead_code, reason = "the target reads inputs only")]
pub fn input(start: Start, user: &str, client: &[u8], upstream: &[u8]) -> Vec<u8> {
    let start = STARTS.iter().position(|one| *one == start).unwrap();
    let user = USERS.iter().position(|one| *one == user).unwrap();
    let first = (start | user << 2 | 5 << 3) as u8;
    let length = u16::try_from(client.len()).unwrap().to_be_bytes();
    [&[first][..], &length, client, upstream].concat()
}

/// Keys of the requests that reached the upstream.
pub fn run(data: &[u8]) -> Vec<i16> {
    let Some(([first, high, low], rest)) = data.split_first_chunk() else {
        return Vec::new();
    };
    let split = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
    let (client, upstream) = rest.split_at(split);
    let start = STARTS[usize::from(first & 3)];
    let user = USERS[usize::from(first >> 2 & 1)];
    let cut = client.len() * usize::from(first >> 3) / 32;
    let pieces = client.split_at(cut);
    RUNTIME.with_borrow(|runtime| runtime.block_on(connection(start, user, pieces, upstream)))
}

async fn connection(
    start: Start,
    user: &'static str,
    client: (&[u8], &[u8]),
    upstream: &[u8],
) -> Vec<i16> {
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
    let listener = listener(start == Start::Open);
    let serving = gateway.serve_in_memory(listener, ([10, 0, 0, 1], 9).into(), far);
    let talking = async {
        match start {
            Start::Raw | Start::Open => {}
            Start::Plain => login::plain(&mut near, user).await,
            Start::Scram => login::scram(&mut near, user).await,
        }
        talk(&mut near, client).await
    };
    let ended = tokio::time::timeout(END, async { tokio::join!(serving, talking) }).await;
    let (_, answers) = ended.expect("every connection ends");
    whole_frames(&answers);
    let seen = std::mem::take(&mut *behind.seen.lock().unwrap());
    let wrote = [client.0, client.1].concat();
    let knew = wrote.windows(PASSWORD.len()).any(|part| part == PASSWORD);
    match start {
        Start::Raw if !knew => assert_eq!(seen, [], "nothing gets through before a login"),
        // Who knows the password may have become alice only where he was nobody.
        Start::Plain | Start::Scram if user == "bob" => assert!(
            seen.iter()
                .all(|one| FILTERED.contains(&one.key) || !one.names_something),
            "bob may do nothing: {seen:?}"
        ),
        _ => {}
    }
    seen.iter().map(|one| one.key).collect()
}

/// Writes both pieces, reads until the gateway closes. One that has closed takes no more.
async fn talk(near: &mut DuplexStream, (first, second): (&[u8], &[u8])) -> Vec<u8> {
    let mut answers = Vec::new();
    let _ = near.write_all(first).await;
    tokio::task::yield_now().await;
    let _ = near.write_all(second).await;
    let _ = near.shutdown().await;
    let _ = near.read_to_end(&mut answers).await;
    answers
}

fn whole_frames(mut rest: &[u8]) {
    while let Some((length, behind_it)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        assert!(
            length >= 4 && length <= behind_it.len(),
            "answers are whole frames"
        );
        rest = &behind_it[length..];
    }
    assert!(rest.is_empty(), "answers are whole frames");
}
