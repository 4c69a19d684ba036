//! Memory follows bytes that arrived, not bytes that were promised. A process of its own, one test at a time.

#[allow(dead_code, reason = "other suites use the rest")]
#[path = "../connections/peer.rs"]
mod peer;
#[allow(dead_code, reason = "other suites use the rest")]
#[path = "../connections/world/mod.rs"]
mod world;

use std::time::Duration;

use tokio::sync::Mutex;
use wire::message::{ProduceRequest, produce_request};

use peer::framed;
use world::{Door, World};

static ALONE: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn four_byte_metadata_does_not_allocate() {
    let _alone = ALONE.lock().await;
    let world = World::new().await;
    let before = resident();
    // Metadata v1 that promises 2^31 - 1 topics.
    let mut request = vec![0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff];
    request.extend(i32::MAX.to_be_bytes());
    let mut client = world.client(Door::Open).await;
    client.write(&request).await;
    assert!(client.is_closed().await);
    assert!(resident().saturating_sub(before) < 20 << 20);
}

#[tokio::test]
async fn thousand_sockets_declaring_100_mib_do_not_allocate() {
    let _alone = ALONE.lock().await;
    let world = World::new().await;
    assert!(world.client(Door::Open).await.is_served().await);
    let before = resident();
    let mut clients = Vec::new();
    for _ in 0..1_000 {
        let mut client = world.client(Door::Open).await;
        client.write(&promise(100 << 20, 0)).await;
        clients.push(client);
    }
    let all_in = async {
        while world.status().connections() < 1_000 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let all_in = tokio::time::timeout(Duration::from_secs(10), all_in).await;
    assert!(all_in.is_ok());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let grown = resident().saturating_sub(before);
    // Both ends of every socket live in this process.
    assert!(grown < 40 << 20, "{grown} bytes");
    assert!(world.client(Door::Open).await.is_served().await);
}

#[tokio::test]
async fn idle_connection_keeps_nothing_of_a_large_request() {
    let _alone = ALONE.lock().await;
    let world = World::new().await;
    // No record batch: refused, and the connection stays.
    let partition = produce_request::PartitionProduceData {
        records: Some(vec![0; 60 << 20].into()),
        ..Default::default()
    };
    let request = ProduceRequest {
        acks: 1,
        timeout_ms: 1_000,
        topic_data: vec![produce_request::TopicProduceData {
            name: "a".into(),
            partition_data: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    };
    let frame = framed(1, 7, &request);
    drop(request);
    let mut client = world.client(Door::Open).await;
    client.write(&frame).await;
    assert!(client.receive_frame().await.is_some());
    drop(frame);
    assert!(client.is_served().await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let kept = resident();
    drop(client);
    assert!(world.is_empty_within(Duration::from_secs(5)).await);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(kept.saturating_sub(resident()) < 20 << 20);
}

#[tokio::test]
async fn idle_sessions_cost_kilobytes() {
    let _alone = ALONE.lock().await;
    let world = World::new().await;
    let mut clients = Vec::new();
    let mut marks = Vec::new();
    for number in 0..1_500 {
        let mut client = world.client(Door::Sasl).await;
        let verdict = client
            .log_in(wire::sasl::Mechanism::Plain, "alice", world::PASSWORD)
            .await;
        assert_eq!(verdict.unwrap().error_code, 0);
        clients.push(client);
        if number % 500 == 499 {
            marks.push(resident());
        }
    }
    // With the client's end of the socket, and without optimisation.
    let each = (marks[2].saturating_sub(marks[1])) / 500;
    assert!(each < 16 << 10, "{each} bytes");
}

/// The length and key of a request, and nothing behind them.
fn promise(length: i32, key: i16) -> Vec<u8> {
    [&length.to_be_bytes()[..], &key.to_be_bytes(), &[0, 4]].concat()
}

/// Bytes of this process in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}
