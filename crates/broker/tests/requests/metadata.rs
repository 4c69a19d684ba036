//! Metadata, and topics that are made by asking.

use super::*;

#[tokio::test]
async fn metadata_shows_topics_by_name_by_id_and_all() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let id = client.create("orders", 3).await;
    let response = client
        .ask(
            12,
            names(&["orders", "none", "bad name", "__consumer_offsets"]),
        )
        .await;
    let codes: Vec<i16> = response
        .topics
        .iter()
        .map(|topic| topic.error_code)
        .collect();
    assert_eq!(codes, [0, 3, 17, 3]);
    let orders = &response.topics[0];
    assert_eq!((orders.partitions.len(), orders.topic_id), (3, id));
    let first = &orders.partitions[0];
    assert_eq!(
        (
            first.leader_id,
            &first.isr_nodes[..],
            first.offline_replicas.len()
        ),
        (1, &[1][..], 0)
    );
    assert_eq!(response.cluster_id.unwrap().len(), 22);

    let by_id = |id| MetadataRequest {
        topics: Some(vec![metadata_request::MetadataRequestTopic {
            topic_id: id,
            name: None,
            ..Default::default()
        }]),
        ..Default::default()
    };
    assert_eq!(
        client.ask(12, by_id(id)).await.topics[0].name.as_deref(),
        Some("orders")
    );
    let unknown = client.ask(13, by_id(Uuid::from_u128(9))).await;
    let unknown = &unknown.topics[0];
    assert_eq!(
        (unknown.error_code, &unknown.name),
        (ErrorCode::UNKNOWN_TOPIC_ID.0, &None)
    );
    let all = client
        .ask(
            9,
            MetadataRequest {
                topics: None,
                ..Default::default()
            },
        )
        .await;
    assert_eq!(all.topics.len(), 1);
    let none = client
        .ask(
            9,
            MetadataRequest {
                topics: Some(Vec::new()),
                ..Default::default()
            },
        )
        .await;
    assert_eq!(none.topics.len(), 0);
    let zero = client
        .ask(
            0,
            MetadataRequest {
                topics: Some(Vec::new()),
                ..Default::default()
            },
        )
        .await;
    assert_eq!(zero.topics.len(), 1, "an empty list means all in version 0");
    bench.finish().await;
}

#[tokio::test]
async fn topic_is_made_by_asking_only_where_that_is_enabled_and_wanted() {
    let mut with = options();
    with.auto_create_topics = true;
    with.partitions = 4;
    let bench = Bench::with(with).await;
    let mut client = bench.client();
    let unwanted = MetadataRequest {
        allow_auto_topic_creation: false,
        ..names(&["new"])
    };
    assert_eq!(client.ask(12, unwanted).await.topics[0].error_code, 3);
    let made = client.ask(12, names(&["new"])).await;
    assert_eq!(
        (made.topics[0].error_code, made.topics[0].partitions.len()),
        (0, 4)
    );
    assert_eq!(
        client.ask(1, names(&["older"])).await.topics[0]
            .partitions
            .len(),
        4
    );
    bench.finish().await;
}
