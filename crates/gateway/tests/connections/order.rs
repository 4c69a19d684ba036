//! Requests and answers in their order, and who waits for whom.

use std::time::Duration;

use wire::message::{
    ApiVersionsRequest, FetchRequest, HeartbeatRequest, ProduceRequest, fetch_request,
    produce_request,
};

use wire::record::{BatchBuilder, Encoding};
use wire::sasl::Mechanism;

use crate::peer::{Client, beat, beat_of, framed};
use crate::world::{CLOSE, Door, FETCHED, OTHER_ID, PANIC, PASSWORD, World};

async fn answers_come_in_order(client: &mut Client, ids: std::ops::Range<i32>) {
    for id in ids {
        let (answered, answer) = client.receive::<HeartbeatRequest>(4).await.unwrap();
        assert_eq!((answered, answer.throttle_time_ms), (id, id * 10));
    }
}

async fn seen_at_least(world: &World, count: usize) {
    while world.behind.seen().len() < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn many_frames_in_one_write_are_answered_in_order() {
    let world = World::new().await;
    let mut client = world.client(Door::Open).await;
    let bytes: Vec<u8> = (0..500)
        .flat_map(|id| framed(id, 4, &beat(id * 10)))
        .collect();
    client.write(&bytes).await;
    answers_come_in_order(&mut client, 0..500).await;
}

#[tokio::test]
async fn local_answer_waits_for_the_one_before_it() {
    let world = World::new().await;
    world.behind.hold_answers();
    let mut client = world.client(Door::Open).await;
    client.write(&framed(1, 4, &beat(10))).await;
    client
        .write(&framed(2, 0, &ApiVersionsRequest::default()))
        .await;
    let early = tokio::time::timeout(Duration::from_millis(100), client.receive_frame()).await;
    assert!(early.is_err());
    world.behind.release_answers();
    answers_come_in_order(&mut client, 1..2).await;
    let (id, _) = client.receive::<ApiVersionsRequest>(0).await.unwrap();
    assert_eq!(id, 2);
}

#[tokio::test]
async fn pauses_reading_at_full_window() {
    let world = World::with(|limits, _| limits.in_flight = 8).await;
    world.behind.hold_answers();
    let mut client = world.client(Door::Open).await;
    let bytes: Vec<u8> = (0..100)
        .flat_map(|id| framed(id, 4, &beat(id * 10)))
        .collect();
    client.write(&bytes).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let forwarded = world.behind.seen().len();
    assert!((8..=10).contains(&forwarded), "{forwarded}");
    world.behind.release_answers();
    answers_come_in_order(&mut client, 0..100).await;
}

/// Large requests that were announced and do not come hold memory; another principal has room left.
#[tokio::test]
async fn one_principal_takes_half_of_the_memory_for_large_requests() {
    const POOL: usize = 4 << 20;
    let world = World::with(|limits, _| limits.request_memory = POOL).await;
    let mut greedy = Vec::new();
    for _ in 0..8 {
        let mut client = world.client(Door::Sasl).await;
        client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
        let promise = [&(1_u32 << 20).to_be_bytes()[..], &[0; 100]].concat();
        client.write(&promise).await;
        greedy.push(client);
    }
    let mut other = world.client(Door::Sasl).await;
    other.log_in(Mechanism::Plain, "bob", PASSWORD).await;
    // Its records mean nothing: refused, and answered.
    let partition = produce_request::PartitionProduceData {
        records: Some(vec![0; 1 << 20].into()),
        ..Default::default()
    };
    let produce = ProduceRequest {
        acks: 1,
        timeout_ms: 1_000,
        topic_data: vec![produce_request::TopicProduceData {
            name: "a".into(),
            partition_data: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    };
    assert!(other.ask(7, &produce).await.is_some());
}

/// Two of the largest requests may be in flight; a third is not read before one of them is answered.
#[tokio::test]
async fn pauses_reading_at_full_bytes() {
    let world = World::with(|limits, _| {
        limits.frame_max_produce = 1 << 20;
        limits.frame_max_other = 1 << 20;
    })
    .await;
    world.behind.hold_answers();
    let mut builder = BatchBuilder::new(Encoding::None);
    builder.append(1_000, None, Some(&[b'x'; 900 << 10]), &[]);
    let produce = ProduceRequest {
        acks: 1,
        timeout_ms: 1_000,
        topic_data: vec![produce_request::TopicProduceData {
            name: "a".into(),
            partition_data: vec![produce_request::PartitionProduceData {
                records: Some(builder.build().unwrap().bytes().clone()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let bytes: Vec<u8> = (0..6).flat_map(|id| framed(id, 7, &produce)).collect();
    let mut client = world.client(Door::Open).await;
    let looking = async {
        seen_at_least(&world, 2).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let forwarded = world.behind.seen().len();
        world.behind.release_answers();
        forwarded
    };
    let ((), forwarded) = tokio::join!(client.write(&bytes), looking);
    assert_eq!(forwarded, 2);
    for id in 0..6 {
        let (answered, _) = client.receive::<ProduceRequest>(7).await.unwrap();
        assert_eq!(answered, id);
    }
}

/// What could be refused of a request waits with it: one with very many names is in flight alone, and small ones are not
/// held up by that rule.
#[tokio::test]
async fn requests_of_many_names_are_not_in_flight_together() {
    let world = World::new().await;
    world.behind.hold_answers();
    let long = |id: i32| HeartbeatRequest {
        member_id: "m".repeat(30_000).into(),
        ..beat(id * 10)
    };
    let bytes: Vec<u8> = (0..6).flat_map(|id| framed(id, 4, &long(id))).collect();
    let mut client = world.client(Door::Open).await;
    let looking = async {
        seen_at_least(&world, 1).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let forwarded = world.behind.seen().len();
        world.behind.release_answers();
        forwarded
    };
    let ((), forwarded) = tokio::join!(client.write(&bytes), looking);
    assert_eq!(forwarded, 1);
    answers_come_in_order(&mut client, 0..6).await;
}

#[tokio::test]
async fn slow_reader_is_closed_and_broker_paused() {
    let world = World::with(|_, deadlines| deadlines.write = Duration::from_millis(300)).await;
    let mut slow = world.client(Door::Open).await;
    let fetch = FetchRequest {
        replica_id: -1,
        max_bytes: i32::MAX,
        topics: vec![fetch_request::FetchTopic {
            topic: "a".into(),
            partitions: vec![fetch_request::FetchPartition::default()],
            ..Default::default()
        }],
        ..Default::default()
    };
    for _ in 0..4 {
        slow.send(4, &fetch).await;
    }
    seen_at_least(&world, 4).await;
    let mut other = world.client(Door::Open).await;
    assert!(other.is_served().await);
    drop(other);
    assert!(world.is_empty_within(Duration::from_secs(5)).await);
    // The one that does not fit into the socket, the other client's, and one that was kept early.
    assert!(world.behind.taken() <= 3, "{}", world.behind.taken());
    let mut reader = world.client(Door::Open).await;
    let answer = reader.ask(4, &fetch).await.unwrap();
    let records = answer.responses[0].partitions[0].records.as_ref();
    assert_eq!(records.map(|records| records.len()), Some(FETCHED));
}

/// Memory that was lent for large requests comes back when clients break off in the middle of them.
#[tokio::test]
async fn pool_is_full_after_resets() {
    const POOL: usize = 4 << 20;
    let world = World::with(|limits, _| limits.request_memory = POOL).await;
    for _ in 0..20 {
        let mut client = world.client(Door::Open).await;
        // An answer that nobody reads: the end is a reset.
        client.send(0, &ApiVersionsRequest::default()).await;
        let half = [&(POOL as u32).to_be_bytes()[..], &[0; 1 << 20]].concat();
        client.write(&half).await;
        drop(client);
    }
    assert!(world.is_empty_within(Duration::from_secs(10)).await);
    // Takes the whole pool: it would wait for whatever is missing. Its records mean nothing.
    let produce = |length: usize| {
        let partition = produce_request::PartitionProduceData {
            records: Some(vec![0; length].into()),
            ..Default::default()
        };
        let topic = produce_request::TopicProduceData {
            name: "a".into(),
            partition_data: vec![partition],
            ..Default::default()
        };
        ProduceRequest {
            acks: 1,
            timeout_ms: 1_000,
            topic_data: vec![topic],
            ..Default::default()
        }
    };
    let around = framed(1, 7, &produce(0)).len() - 4;
    let frame = framed(1, 7, &produce(POOL - around));
    assert_eq!(frame.len() - 4, POOL);
    let mut client = world.client(Door::Open).await;
    client.write(&frame).await;
    assert!(client.receive::<ProduceRequest>(7).await.is_some());
    assert!(world.client(Door::Open).await.is_served().await);
}

#[tokio::test]
async fn half_closed_client_still_gets_its_answers() {
    let world = World::new().await;
    world.behind.hold_answers();
    let mut client = world.client(Door::Open).await;
    for id in 1..4 {
        client.write(&framed(id, 4, &beat(id * 10))).await;
    }
    client.finish_writing().await;
    seen_at_least(&world, 3).await;
    world.behind.release_answers();
    answers_come_in_order(&mut client, 1..4).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn acks_zero_leaves_no_entry() {
    let world = World::new().await;
    let mut client = world.client(Door::Open).await;
    let produce = ProduceRequest {
        acks: 0,
        timeout_ms: 1_000,
        ..Default::default()
    };
    client.send(7, &produce).await;
    assert!(client.is_served().await);
    assert_eq!(world.behind.seen(), [0, 12]);
}

#[tokio::test]
async fn foreign_correlation_id_from_upstream_closes() {
    let world = World::new().await;
    let mut client = world.client(Door::Open).await;
    assert!(client.is_served().await);
    client.send(4, &beat_of(OTHER_ID, 1)).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn upstream_that_goes_away_closes_this_connection_only() {
    let world = World::new().await;
    let mut other = world.client(Door::Open).await;
    let mut client = world.client(Door::Open).await;
    client.send(4, &beat_of(CLOSE, 1)).await;
    assert!(client.is_closed().await);
    assert!(other.is_served().await);
}

#[tokio::test]
async fn panic_ends_one_connection() {
    let world = World::new().await;
    let mut other = world.client(Door::Open).await;
    assert!(other.is_served().await);
    let mut client = world.client(Door::Open).await;
    client.send(4, &beat_of(PANIC, 1)).await;
    assert!(client.is_closed().await);
    assert!(other.is_served().await);
    assert!(world.client(Door::Open).await.is_served().await);
    let left = async {
        while world.status().sessions() > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let left = tokio::time::timeout(Duration::from_secs(2), left).await;
    assert!(left.is_ok(), "their places are given back");
}

#[tokio::test]
async fn nothing_is_opened_upstream_for_local_answers() {
    let world = World::new().await;
    let mut client = world.client(Door::Open).await;
    let answer = client.ask(0, &ApiVersionsRequest::default()).await;
    assert!(answer.is_some());
    assert_eq!(world.behind.seen(), []);
}
