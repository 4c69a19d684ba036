//! What a request may cost: nothing is asked twice for one client, and no answer is without end.

use wire::message::*;

use crate::admin;
use crate::support::World;

#[tokio::test]
async fn what_is_asked_for_over_and_over_is_asked_for_once() {
    let world = World::new(&["allow All topic:*", "allow All group:*"]).await;
    let topic = |name: &'static str| metadata_request::MetadataRequestTopic {
        name: Some(name.into()),
        ..Default::default()
    };
    let metadata = MetadataRequest {
        topics: Some(vec![topic("a"), topic("b"), topic("a"), topic("a")]),
        ..Default::default()
    };
    world.ask(12, &metadata).await;
    let seen = world.upstream.seen::<MetadataRequest>();
    let topics = seen[0].1.topics.as_ref().unwrap();
    assert_eq!(*topics, [topic("a"), topic("b")]);

    let groups = DescribeGroupsRequest {
        groups: vec!["g".into(), "h".into(), "g".into()],
        ..Default::default()
    };
    world.ask(5, &groups).await;
    let seen = world.upstream.seen::<DescribeGroupsRequest>();
    assert_eq!(seen[0].1.groups, ["g", "h"].map(wire::text::Str::from));
}

#[tokio::test]
async fn all_of_something_is_asked_for_once_and_parts_of_it_as_they_are() {
    let world = World::new(&["allow All topic:*", "allow All group:*"]).await;
    let group = |topics: Option<&'static str>| offset_fetch_request::OffsetFetchRequestGroup {
        group_id: "g".into(),
        topics: topics.map(|name| {
            vec![offset_fetch_request::OffsetFetchRequestTopics {
                name: name.into(),
                partition_indexes: vec![0],
                ..Default::default()
            }]
        }),
        ..Default::default()
    };
    let offsets = OffsetFetchRequest {
        groups: vec![group(None), group(None), group(Some("a")), group(Some("b"))],
        ..Default::default()
    };
    world.ask(8, &offsets).await;
    let (_, seen) = world.upstream.seen::<OffsetFetchRequest>().remove(0);
    let once = [group(None), group(Some("a")), group(Some("b"))];
    assert_eq!(seen.groups, once);

    let settings =
        |keys: Option<&[&'static str]>| describe_configs_request::DescribeConfigsResource {
            resource_type: admin::TOPIC,
            resource_name: "a".into(),
            configuration_keys: keys.map(|keys| keys.iter().map(|key| (*key).into()).collect()),
            ..Default::default()
        };
    let wanted: [Option<&[&'static str]>; 4] = [None, Some(&[]), Some(&["x"]), Some(&["y"])];
    let describe = DescribeConfigsRequest {
        resources: wanted.map(settings).to_vec(),
        ..Default::default()
    };
    world.ask(4, &describe).await;
    let (_, seen) = world.upstream.seen::<DescribeConfigsRequest>().remove(0);
    let once: [Option<&[&'static str]>; 3] = [None, Some(&["x"]), Some(&["y"])];
    assert_eq!(seen.resources, once.map(settings));
}

#[tokio::test]
async fn answer_too_long_to_be_looked_through_closes() {
    let world = World::new(&["allow All group:*"]).await;
    let ask = DescribeGroupsRequest {
        groups: vec!["g".into()],
        ..Default::default()
    };
    for (length, is_answered) in [(1 << 20, true), (65 << 20, false)] {
        world.upstream.answer(move |_: DescribeGroupsRequest, _| {
            let member = describe_groups_response::DescribedGroupMember {
                member_metadata: vec![0; length].into(),
                ..Default::default()
            };
            let group = describe_groups_response::DescribedGroup {
                group_id: "g".into(),
                members: vec![member],
                ..Default::default()
            };
            DescribeGroupsResponse {
                groups: vec![group],
                ..Default::default()
            }
        });
        let mut client = world.client().await;
        client.send(5, &ask).await;
        assert_eq!(
            client.receive_frame().await.is_some(),
            is_answered,
            "{length}"
        );
    }
}

/// A setting of a Kafka node may name its listeners or its authorizer.
#[tokio::test]
async fn settings_of_kafka_nodes_are_not_changed_through_the_gateway() {
    let world = World::new(&["allow All topic:*", "allow All cluster"]).await;
    let wanted = [
        (admin::TOPIC, "a"),
        (admin::BROKER, "1"),
        (8, "1"),
        (16, "m"),
    ];
    let codes =
        |responses: &[incremental_alter_configs_response::AlterConfigsResourceResponse]| {
            let mut codes: Vec<_> = responses
                .iter()
                .filter(|one| one.resource_type != admin::TOPIC)
                .map(|one| one.error_code)
                .collect();
            codes.dedup();
            codes
        };
    let answer = world.ask(1, &admin::increment(&wanted)).await;
    assert_eq!(codes(&answer.responses), [31]);
    world.ask(2, &admin::change(&wanted)).await;
    for (_, seen) in world.upstream.seen::<IncrementalAlterConfigsRequest>() {
        assert_eq!(seen.resources.len(), 1, "the topic's");
    }
    for (_, seen) in world.upstream.seen::<AlterConfigsRequest>() {
        assert_eq!(seen.resources.len(), 1, "the topic's");
    }
    world.upstream.be_harmless();
    world.upstream.forget();
    world.ask(1, &admin::increment(&wanted)).await;
    let (_, seen) = world
        .upstream
        .seen::<IncrementalAlterConfigsRequest>()
        .remove(0);
    assert_eq!(
        seen.resources.len(),
        4,
        "those of the embedded log reach nothing"
    );
}
