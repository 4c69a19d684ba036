//! Records pass as they are, in both directions: whoever rebuilds batches loses offsets, markers or headers.

use bytes::Bytes;
use wire::message::fetch_response::{FetchableTopicResponse, PartitionData};
use wire::message::{FetchRequest, FetchResponse, ProduceRequest};
use wire::record::{BatchBuilder, Encoding, Trailing, batches};

use crate::support::World;
use crate::{fetch, produce};

const ENCODINGS: [Encoding; 3] = [Encoding::None, Encoding::Lz4, Encoding::Zstd(3)];

fn built(builder: BatchBuilder) -> Bytes {
    builder.build().unwrap().bytes().clone()
}

/// What a consumer gets when the upstream has these records.
async fn fetched(records: Bytes) -> Bytes {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    world.upstream.answer::<FetchRequest>(move |request, _| {
        let topic = FetchableTopicResponse {
            topic: request.topics[0].topic.clone(),
            topic_id: request.topics[0].topic_id,
            partitions: vec![PartitionData {
                high_watermark: 100,
                records: Some(records.clone()),
                ..Default::default()
            }],
            ..Default::default()
        };
        FetchResponse {
            responses: vec![topic],
            ..Default::default()
        }
    });
    let answer = world.ask(12, &fetch::request(12, &["a"])).await;
    answer.responses[0].partitions[0].records.clone().unwrap()
}

/// What the upstream gets when a producer sends these records.
async fn produced(records: Bytes) -> Bytes {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    let mut request = produce::request(9, &["a"], -1);
    request.topic_data[0].partition_data[0].records = Some(records);
    world.ask(9, &request).await;
    let (_, seen) = world.upstream.seen::<ProduceRequest>().remove(0);
    seen.topic_data[0].partition_data[0]
        .records
        .clone()
        .unwrap()
}

#[tokio::test]
async fn keeps_offsets_of_compacted_batch() {
    for encoding in ENCODINGS {
        let mut builder = BatchBuilder::new(encoding).base_offset(40);
        for delta in [0, 3, 17, 59] {
            builder.append_at(delta, 1_000, Some(b"k"), Some(b"v"), &[]);
        }
        let stored = built(builder);
        assert_eq!(fetched(stored.clone()).await, stored);
        let batch = batches(&stored, Trailing::Refused).next().unwrap().unwrap();
        assert_eq!(batch.header().last_offset(), 99);
    }
}

#[tokio::test]
async fn passes_control_batches_untouched() {
    let marker = |key: [u8; 4]| {
        let mut builder = BatchBuilder::new(Encoding::None)
            .base_offset(7)
            .producer(4_711, 3, -1)
            .transactional()
            .control();
        builder.append(1_000, Some(&key), Some(&[0, 0, 0, 0, 0, 9]), &[]);
        built(builder)
    };
    let mut data = BatchBuilder::new(Encoding::None)
        .base_offset(5)
        .producer(4_711, 3, 0)
        .transactional();
    data.append(1_000, None, Some(b"v"), &[]);
    let (abort, commit) = (marker([0, 0, 0, 0]), marker([0, 0, 0, 1]));
    let stored = Bytes::from([built(data), abort, commit].concat());
    assert_eq!(fetched(stored.clone()).await, stored);
}

#[tokio::test]
async fn passes_empty_batch() {
    // What compaction leaves of a batch whose producer's sequence must be remembered.
    let empty = built(
        BatchBuilder::new(Encoding::None)
            .base_offset(12)
            .producer(9, 0, 5),
    );
    assert_eq!(empty.len(), 61);
    assert_eq!(fetched(empty.clone()).await, empty);
}

#[tokio::test]
async fn keeps_tombstone() {
    for encoding in ENCODINGS {
        let mut builder = BatchBuilder::new(encoding);
        builder.append(1_000, Some(b"gone"), None, &[]);
        builder.append(1_000, Some(b"empty"), Some(b""), &[]);
        let records = built(builder);
        assert_eq!(produced(records.clone()).await, records);
        assert_eq!(fetched(records.clone()).await, records);
    }
}

#[tokio::test]
async fn keeps_duplicate_headers_in_order() {
    let header =
        |value: Option<&'static [u8]>| (Bytes::from_static(b"same"), value.map(Bytes::from_static));
    let headers = [
        header(Some(b"2")),
        header(None),
        header(Some(b"1")),
        header(Some(b"2")),
    ];
    for encoding in ENCODINGS {
        let mut builder = BatchBuilder::new(encoding);
        builder.append(1_000, Some(b"k"), Some(b"v"), &headers);
        let records = built(builder);
        assert_eq!(produced(records.clone()).await, records);
        assert_eq!(fetched(records.clone()).await, records);
    }
}

/// A client that kept its connection's knowledge over a restart asks for topics by id at once.
#[tokio::test]
async fn node_port_answers_before_first_metadata() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    let answer = world.ask(13, &fetch::request(13, &["a"])).await;
    assert_eq!(answer.error_code, 0);
    let answer = world.ask(13, &produce::request(13, &["a"], -1)).await;
    assert!(answer.responses.iter().all(|topic| {
        topic
            .partition_responses
            .iter()
            .all(|one| one.error_code == 0)
    }));
    assert_eq!(world.upstream.seen_keys(), [1, 0]);
}
