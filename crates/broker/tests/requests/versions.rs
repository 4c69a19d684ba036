//! ApiVersions, versions that are served, requests that are cut.

use super::*;

#[tokio::test]
async fn newer_api_versions_is_answered_in_the_layout_everyone_reads() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let mut frame = BytesMut::new();
    for number in [18i16, 9] {
        frame.put_i16(number);
    }
    frame.put_i32(0x0102_0304);
    frame.put_slice(&[0xff, 0xff, 0, 1, 2, 3]);
    let answer = client.raw(frame.freeze()).await.unwrap();
    assert_eq!(
        &answer[..],
        [1, 2, 3, 4, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]
    );
    // The connection goes on.
    let request = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1.0".into(),
        ..Default::default()
    };
    assert_eq!(client.ask(4, request).await.api_keys.len(), 27);
    let bad = ApiVersionsRequest {
        client_software_name: "-".into(),
        ..Default::default()
    };
    assert_eq!(
        client.ask(3, bad).await.error_code,
        ErrorCode::INVALID_REQUEST.0
    );
    bench.finish().await;
}

#[tokio::test]
async fn versions_outside_what_is_served_close_the_link_and_those_inside_do_not() {
    let bench = Bench::start().await;
    for (key, version) in [
        (0, 2),
        (0, 14),
        (3, 14),
        (24, 0),
        (68, 0),
        (75, 0),
        (999, 0),
        (-1, 0),
    ] {
        let mut client = bench.client();
        let mut frame = BytesMut::new();
        frame.put_i16(key);
        frame.put_i16(version);
        frame.put_slice(&[0; 12]);
        assert!(
            client.raw(frame.freeze()).await.is_err(),
            "{key} v{version}"
        );
    }
    let mut client = bench.client();
    for version in 0..=13 {
        let topics = (version > 0).then(Vec::new).or(Some(Vec::new()));
        let response = client
            .ask(
                version,
                MetadataRequest {
                    topics,
                    ..Default::default()
                },
            )
            .await;
        assert_eq!(response.brokers[0].node_id, 1, "v{version}");
    }
    bench.finish().await;
}

#[tokio::test]
async fn cut_request_closes_the_link() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let frame = Bytes::from_static(&[0, 3, 0, 9, 0, 0, 0, 1, 0, 1, b'x', 0, 9]);
    assert!(client.raw(frame).await.is_err());
    bench.finish().await;
}

/// Each key at each served version with a request that names nothing: the answer decodes at that version.
#[tokio::test]
async fn every_key_answers_at_every_version() {
    macro_rules! all {
        ($client:ident, $keys:ident, $($request:ident),*) => { $(
            let row = api::find(<$request as wire::codec::Request>::KEY).unwrap();
            let (low, high) = row.embedded.unwrap();
            for version in low..=high {
                $client.ask(version, $request::default()).await;
            }
            $keys.push(row.key);
        )* };
    }
    let bench = Bench::start().await;
    let mut client = bench.client();
    let mut keys = Vec::new();
    all!(
        client,
        keys,
        FetchRequest,
        ListOffsetsRequest,
        OffsetCommitRequest,
        OffsetFetchRequest,
        FindCoordinatorRequest,
        JoinGroupRequest,
        HeartbeatRequest,
        LeaveGroupRequest,
        SyncGroupRequest,
        DescribeGroupsRequest,
        ListGroupsRequest,
        ApiVersionsRequest,
        CreateTopicsRequest,
        DeleteTopicsRequest,
        DeleteRecordsRequest,
        OffsetForLeaderEpochRequest,
        DescribeConfigsRequest,
        AlterConfigsRequest,
        DescribeLogDirsRequest,
        CreatePartitionsRequest,
        DeleteGroupsRequest,
        IncrementalAlterConfigsRequest,
        OffsetDeleteRequest,
        DescribeClusterRequest
    );
    for version in 3..=13 {
        client
            .ask(
                version,
                ProduceRequest {
                    acks: 1,
                    ..Default::default()
                },
            )
            .await;
    }
    for version in 0..=5 {
        let nobody = InitProducerIdRequest {
            transactional_id: None,
            ..Default::default()
        };
        client.ask(version, nobody).await;
    }
    for version in 0..=13 {
        client
            .ask(
                version,
                MetadataRequest {
                    topics: Some(Vec::new()),
                    ..Default::default()
                },
            )
            .await;
    }
    keys.extend([0, 3, 22]);
    keys.sort_unstable();
    let served: Vec<i16> = api::MATRIX
        .iter()
        .filter(|row| row.embedded.is_some())
        .map(|row| row.key)
        .collect();
    assert_eq!(keys, served);
    bench.finish().await;
}

#[tokio::test]
async fn transactions_are_refused_for_good() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let find = |key_type| FindCoordinatorRequest {
        key_type,
        coordinator_keys: vec!["k".into()],
        ..Default::default()
    };
    for (key_type, code, node) in [(0, 0, 1), (1, 53, -1), (2, 42, -1), (9, 42, -1)] {
        let response = client.ask(6, find(key_type)).await;
        let found = &response.coordinators[0];
        assert_eq!(
            (found.error_code, found.node_id),
            (code, node),
            "{key_type}"
        );
    }
    let old = FindCoordinatorRequest {
        key: "g".into(),
        ..Default::default()
    };
    assert_eq!(client.ask(0, old.clone()).await.node_id, 1);
    let one = FindCoordinatorRequest { key_type: 1, ..old };
    assert_eq!(client.ask(3, one).await.error_code, 53);

    let id = |transactional_id: Option<&str>, producer_id, producer_epoch| InitProducerIdRequest {
        transactional_id: transactional_id.map(Str::from),
        producer_id,
        producer_epoch,
        ..Default::default()
    };
    assert_eq!(client.ask(5, id(Some("t"), -1, -1)).await.error_code, 53);
    assert_eq!(client.ask(5, id(None, 4, -1)).await.error_code, 42);
    let first = client.ask(5, id(None, -1, -1)).await;
    let second = client.ask(2, id(None, -1, -1)).await;
    assert_eq!((first.error_code, first.producer_epoch), (0, 0));
    assert_eq!(second.producer_id, first.producer_id + 1);
    assert_eq!(
        client
            .ask(4, id(None, first.producer_id, 0))
            .await
            .error_code,
        0
    );
    bench.finish().await;
}
