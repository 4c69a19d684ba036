//! Produce: rows of refusal, acks, order, retries.

use super::*;

#[tokio::test]
async fn produce_is_refused_by_row() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let good = batch(now(), &["v"]);
    let mut broken = BytesMut::from(&good[..]);
    broken[64] ^= 1;
    let mut transactional = wire::record::BatchBuilder::new(wire::record::Encoding::None)
        .producer(1, 0, 0)
        .transactional();
    transactional.append(now(), None, Some(b"v"), &[]);
    let transactional = transactional.build().unwrap().bytes().clone();
    let two = Bytes::from([&good[..], &good[..]].concat());
    let rows = [
        (produce_request("none", 0, Some(good.clone()), -1), 3),
        (produce_request("t", 7, Some(good.clone()), -1), 3),
        (produce_request("t", -1, Some(good.clone()), -1), 3),
        (produce_request("t", 0, None, -1), 87),
        (produce_request("t", 0, Some(Bytes::new()), -1), 87),
        (produce_request("t", 0, Some(two), -1), 87),
        (produce_request("t", 0, Some(broken.freeze()), -1), 2),
        (produce_request("t", 0, Some(good.clone()), 2), 21),
        (produce_request("none", 0, Some(good.clone()), 2), 3),
        (produce_request("t", 0, None, 2), 87),
        (produce_request("t", 0, Some(transactional), -1), 53),
        (
            produce_request("t", 0, Some(batch(now() + 7_200_000, &["v"])), -1),
            32,
        ),
        (produce_request("t", 0, Some(good.clone()), 1), 0),
    ];
    for (at, (request, code)) in rows.into_iter().enumerate() {
        let response = client.ask(12, request).await;
        let part = &response.responses[0].partition_responses[0];
        assert_eq!(part.error_code, code, "row {at}");
        if code != 0 {
            // The partition itself looked at the timestamps.
            let log_start = if code == 32 { 0 } else { -1 };
            let told = (part.base_offset, part.log_start_offset);
            assert_eq!(told, (-1, log_start), "row {at}");
        }
    }
    let by_id = ProduceRequest {
        topic_data: vec![produce_request::TopicProduceData {
            topic_id: Uuid::from_u128(5),
            name: Str::EMPTY,
            partition_data: vec![produce_request::PartitionProduceData {
                records: Some(good),
                ..Default::default()
            }],
            ..Default::default()
        }],
        acks: -1,
        timeout_ms: 1_000,
        ..Default::default()
    };
    let response = client.ask(13, by_id).await;
    assert_eq!(response.responses[0].partition_responses[0].error_code, 100);
    bench.finish().await;
}

#[tokio::test]
async fn produce_without_acks_is_silent_and_closes_on_an_error() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    client
        .send(9, &produce_request("t", 0, Some(batch(now(), &["v"])), 0))
        .await;
    // The next answer is that of the next request.
    let found = client.ask(1, names(&["t"])).await;
    assert_eq!(found.topics[0].error_code, 0);
    client
        .send(9, &produce_request("t", 5, Some(batch(now(), &["v"])), 0))
        .await;
    assert!(client.receive::<ProduceRequest>(9).await.is_err());
    // It is readable once it is durable.
    let poll = fetch_request("t", &[(0, 0)], 10_000, 1);
    let response = bench.client().ask(12, poll).await;
    assert_eq!(response.responses[0].partitions[0].high_watermark, 1);
    bench.finish().await;
}

#[tokio::test]
async fn answers_come_in_the_order_of_requests_and_appends_in_theirs() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let mut sent = Vec::new();
    for number in 0..40 {
        let value = number.to_string();
        let request = produce_request("t", 0, Some(batch(now(), &[&value])), -1);
        sent.push(client.send(9, &request).await);
        // The queue is bounded: take an answer now and then.
        if number % 8 == 7 {
            for expected in sent.drain(..) {
                let (correlation, response) = client.receive::<ProduceRequest>(9).await.unwrap();
                assert_eq!(correlation, expected);
                assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
            }
        }
    }
    let records = client.fetch("t", 0, 0).await.records.unwrap();
    let mut values = Vec::new();
    for one in wire::record::batches(&records, wire::record::Trailing::Refused) {
        let caps = wire::record::ExpansionCaps::fixed(1 << 20);
        for record in wire::record::records(&one.unwrap(), &caps).unwrap() {
            values.push(String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap());
        }
    }
    let expected: Vec<String> = (0..40).map(|number: i32| number.to_string()).collect();
    assert_eq!(values, expected);
    bench.finish().await;
}

#[tokio::test]
async fn repeated_batch_of_an_idempotent_producer_is_appended_once() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let records = |sequence| {
        let mut builder =
            wire::record::BatchBuilder::new(wire::record::Encoding::None).producer(77, 0, sequence);
        builder.append(now(), None, Some(b"v"), &[]);
        builder.build().unwrap().bytes().clone()
    };
    let first = records(0);
    let placed = client.produce("t", 0, first.clone()).await;
    assert_eq!((placed.base_offset, placed.log_append_time_ms), (0, -1));
    let time = wire::record::BatchHeader::parse(&first)
        .unwrap()
        .max_timestamp;
    let again = client.produce("t", 0, first.clone()).await;
    assert_eq!((again.error_code, again.base_offset), (0, 0));
    // Told with the time of the batch, also behind a restart.
    assert_eq!(again.log_append_time_ms, time);
    drop(client);
    let bench = bench.restart().await;
    let mut client = bench.client();
    let again = client.produce("t", 0, first).await;
    assert_eq!((again.base_offset, again.log_append_time_ms), (0, time));
    assert_eq!(client.produce("t", 0, records(5)).await.error_code, 45);
    assert_eq!(client.produce("t", 0, records(1)).await.base_offset, 1);
    bench.finish().await;
}

#[tokio::test]
async fn offsets_are_given_by_the_log_and_brought_by_nobody() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let good = batch(now(), &["a"]);
    let mut placed = BytesMut::from(&good[..]);
    placed[7] = 77;
    let placed = client.produce("t", 0, placed.freeze()).await;
    // The partition itself looked at it: where the log starts is told.
    assert_eq!(
        (placed.error_code, placed.log_start_offset),
        (ErrorCode::INVALID_RECORD.0, 0)
    );
    assert_eq!(client.produce("t", 0, good).await.base_offset, 0);
    bench.finish().await;
}

#[tokio::test]
async fn impossible_acks_are_told_before_a_wrong_checksum_and_after_a_missing_batch() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let mut damaged = BytesMut::from(&batch(now(), &["a"])[..]);
    damaged[17] ^= 1;
    let damaged = damaged.freeze();
    for (records, acks, code) in [
        (Some(damaged.clone()), 2, ErrorCode::INVALID_REQUIRED_ACKS),
        (Some(damaged), 1, ErrorCode::CORRUPT_MESSAGE),
        (None, 2, ErrorCode::INVALID_RECORD),
    ] {
        let answer = client.ask(9, produce_request("t", 0, records, acks)).await;
        let one = &answer.responses[0].partition_responses[0];
        assert_eq!(one.error_code, code.0, "acks {acks}");
    }
    bench.finish().await;
}
