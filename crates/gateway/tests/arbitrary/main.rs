//! Any bytes at all, before and after login: an answer or a closed connection, never a panic.
//!
//! A process of its own, so that every panic in it is one of the gateway's. The bytes are the same in every run.

#[allow(dead_code, reason = "other suites use the rest")]
#[path = "../connections/peer.rs"]
mod peer;
#[allow(dead_code, reason = "other suites use the rest")]
#[path = "../connections/world/mod.rs"]
mod world;

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateway::upstream::{Inbound, Opened, Outbound, Peer, Upstream, UpstreamError};
use kastellan_core::ports::Pending;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use wire::codec::Reader;
use wire::frame::Frame;
use wire::header::RequestHeader;
use wire::message::*;

use peer::{Client, beat, framed, proof};
use world::{Door, World};

const ROUNDS: usize = 1_500;

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Answers what the gateway itself asks, and hangs up on everything else.
struct HangsUp;

struct Line(Option<mpsc::UnboundedSender<Frame>>);
struct Ear(mpsc::UnboundedReceiver<Frame>);

impl Upstream for HangsUp {
    fn open<'a>(&'a self, peer: Peer) -> Pending<'a, Opened> {
        let (sender, replies) = mpsc::unbounded_channel();
        let line = Line((&*peer.listener == "control").then_some(sender));
        Box::pin(async move {
            Ok((
                Box::new(line) as Box<dyn Outbound>,
                Box::new(Ear(replies)) as Box<dyn Inbound>,
            ))
        })
    }

    fn name(&self) -> String {
        "hangs up".to_owned()
    }
}

impl Outbound for Line {
    fn send(&mut self, frame: Frame) -> Pending<'_, Result<(), UpstreamError>> {
        Box::pin(async move {
            let sender = self.0.as_ref().ok_or(UpstreamError::Closed)?;
            let frame = frame.into_bytes();
            let header = RequestHeader::read(&mut Reader::new(frame.clone())).unwrap();
            if let Some(reply) = world::reply(&header, frame)? {
                let _ = sender.send(reply);
            }
            Ok(())
        })
    }
}

impl Inbound for Ear {
    fn receive(&mut self) -> Pending<'_, Result<Frame, UpstreamError>> {
        Box::pin(async move { self.0.recv().await.ok_or(UpstreamError::Closed) })
    }
}

/// A xorshift generator: the point is variety, not secrecy.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end as u64).unwrap()
    }

    fn bytes(&mut self, longest: usize) -> Vec<u8> {
        let length = self.below(longest);
        // Small numbers get further than any.
        let is_small = self.below(2) == 0;
        let range = if is_small { 4 } else { 256 };
        (0..length)
            .map(|_| u8::try_from(self.below(range)).unwrap())
            .collect()
    }
}

fn with_length(frame: &[u8]) -> Vec<u8> {
    let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
    [&length[..], frame].concat()
}

/// A header that is right, and a body that is not.
fn random_body(dice: &mut Dice) -> Vec<u8> {
    let row = &wire::api::MATRIX[dice.below(wire::api::MATRIX.len())];
    let (low, high) = row.held;
    let versions = usize::try_from(high - low + 1).unwrap_or(0).max(1);
    let version = low + i16::try_from(dice.below(versions)).unwrap();
    let mut frame = [row.key.to_be_bytes(), version.to_be_bytes()].concat();
    frame.extend(7i32.to_be_bytes());
    frame.extend([0xff, 0xff]);
    if dice.below(2) == 0 {
        frame.push(0);
    }
    frame.extend(dice.bytes(300));
    with_length(&frame)
}

/// A request that is right but for a few bytes behind its header.
fn bent(dice: &mut Dice) -> Vec<u8> {
    let fetch = FetchRequest {
        replica_id: -1,
        max_wait_ms: 1,
        topics: vec![fetch_request::FetchTopic {
            topic: "a".into(),
            partitions: vec![fetch_request::FetchPartition::default()],
            ..Default::default()
        }],
        ..Default::default()
    };
    let produce = ProduceRequest {
        acks: 1,
        topic_data: vec![produce_request::TopicProduceData {
            name: "a".into(),
            partition_data: vec![produce_request::PartitionProduceData {
                records: Some(vec![2; 120].into()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let topic = create_topics_request::CreatableTopic {
        name: "b".into(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let create = CreateTopicsRequest {
        topics: vec![topic],
        ..Default::default()
    };
    let mut frame = match dice.below(5) {
        0 => framed(1, 12, &fetch),
        1 => framed(1, 9, &produce),
        2 => framed(1, 7, &create),
        3 => framed(1, 12, &MetadataRequest::default()),
        _ => framed(1, 4, &beat(1)),
    };
    let body = 12;
    for _ in 0..=dice.below(4) {
        let at = body + dice.below(frame.len() - body);
        frame[at] = u8::try_from(dice.below(256)).unwrap();
    }
    frame
}

/// Sends bytes, says no more, and waits for the end.
async fn is_ended(mut client: Client, bytes: &[u8]) -> bool {
    client.write(bytes).await;
    client.finish_writing().await;
    let end = async { while client.receive_frame().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(5), end)
        .await
        .is_ok()
}

/// A client with an address of its own: nobody is closed out for what others guess.
async fn stranger(world: &World, number: usize) -> Client {
    let mut stream = TcpStream::connect(world.address(Door::Proxied))
        .await
        .unwrap();
    let address = Ipv4Addr::from(u32::try_from(number).unwrap() | 0x0a00_0000);
    let header = format!("PROXY TCP4 {address} 127.0.0.1 40000 9094\r\n");
    stream.write_all(header.as_bytes()).await.unwrap();
    world.shake(stream, None).await.unwrap()
}

#[tokio::test]
async fn any_bytes_are_answered_or_closed() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        usual(panic);
    }));
    let world = World::before_node(HangsUp).await;
    assert!(world.status().is_reached());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..ROUNDS {
        let open = match round % 3 {
            0 => random_body(&mut dice),
            1 => bent(&mut dice),
            _ => dice.bytes(100),
        };
        let client = world.client(Door::Open).await;
        assert!(is_ended(client, &open).await, "{round}: {open:?}");
        if round % 10 == 0 {
            let mut client = stranger(&world, round).await;
            let names = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
            let greeted = client.greet(names[dice.below(3)]).await;
            assert!(greeted.is_some(), "{round}");
            let token = framed(2, 2, &proof(&dice.bytes(60)));
            assert!(is_ended(client, &token).await, "{round}: {token:?}");
        }
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "{round}: {open:?}");
    }
    assert!(world.is_empty_within(Duration::from_secs(5)).await);
    let answer = world
        .client(Door::Open)
        .await
        .ask(0, &ApiVersionsRequest::default())
        .await;
    assert!(answer.is_some());
}
