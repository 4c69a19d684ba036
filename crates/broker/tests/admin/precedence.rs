//! Two things wrong at once, and things named twice: what Apache Kafka says first, and once.

use super::*;

async fn set(client: &mut Client, topic: &str, settings: &[(&str, Option<&str>)]) -> i16 {
    let config = |(name, value): &(&str, Option<&str>)| alter_configs_request::AlterableConfig {
        name: Str::from(*name),
        value: value.map(Str::from),
        ..Default::default()
    };
    let resource = alter_configs_request::AlterConfigsResource {
        resource_type: 2,
        resource_name: topic.into(),
        configs: settings.iter().map(config).collect(),
        ..Default::default()
    };
    let request = AlterConfigsRequest {
        resources: vec![resource],
        ..Default::default()
    };
    client.ask(2, request).await.responses[0].error_code
}

#[tokio::test]
async fn settings_are_looked_at_before_the_topic_that_they_are_for() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let good = ("retention.ms", Some("1"));
    assert_eq!(set(&mut client, "t", &[good]).await, 0);
    type Settings<'a> = &'a [(&'a str, Option<&'a str>)];
    let rows: &[(&str, Settings<'_>, i16)] = &[
        ("none", &[good], 3),
        ("none", &[("no.such", Some("1"))], 40),
        ("none", &[("retention.ms", Some("x"))], 40),
        ("none", &[good, good], 42),
        ("none", &[("retention.ms", None)], 42),
        ("", &[good], 42),
        ("a b", &[good], 17),
    ];
    for (topic, settings, code) in rows {
        assert_eq!(
            set(&mut client, topic, settings).await,
            *code,
            "{topic:?} {settings:?}"
        );
    }
    bench.finish().await;
}

fn gone(name: Option<&str>, topic_id: Uuid) -> delete_topics_request::DeleteTopicState {
    delete_topics_request::DeleteTopicState {
        name: name.map(Str::from),
        topic_id,
        ..Default::default()
    }
}

#[tokio::test]
async fn topic_that_is_named_and_given_by_its_id_stays_and_others_go() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let id = client.create("t", 1).await;
    let other = client.create("u", 1).await;
    let request = DeleteTopicsRequest {
        topics: vec![
            gone(None, id),
            gone(Some("t"), Uuid::nil()),
            gone(None, other),
        ],
        ..Default::default()
    };
    let answer = client.ask(6, request).await;
    let told: Vec<_> = answer
        .responses
        .iter()
        .map(|one| (one.name.as_deref(), one.topic_id, one.error_code))
        .collect();
    assert_eq!(told, [(Some("t"), id, 42), (Some("u"), other, 0)]);
    assert_eq!(client.offset("t", 0, -1).await, (0, 0, -1));
    assert_eq!(client.offset("u", 0, -1).await.0, 3);
    bench.finish().await;
}

fn cut(topic: &str) -> DeleteRecordsRequest {
    DeleteRecordsRequest {
        topics: vec![delete_records_request::DeleteRecordsTopic {
            name: topic.into(),
            partitions: vec![delete_records_request::DeleteRecordsPartition {
                offset: 1,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

#[tokio::test]
async fn records_of_a_topic_that_is_only_compacted_are_not_deleted() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    for (topic, policy, expected) in [
        ("c", "compact", (44, -1)),
        ("b", "compact,delete", (0, 1)),
        ("d", "delete", (0, 1)),
    ] {
        let made = client
            .create_with(topic, 1, &[("cleanup.policy", policy)])
            .await;
        assert_eq!(made.error_code, 0);
        assert_eq!(
            client
                .produce(topic, 0, batch(now(), &["a", "b"]))
                .await
                .error_code,
            0
        );
        let answer = client.ask(2, cut(topic)).await;
        let one = &answer.topics[0].partitions[0];
        assert_eq!((one.error_code, one.low_watermark), expected, "{policy}");
    }
    bench.finish().await;
}

#[tokio::test]
async fn what_is_named_twice_is_answered_once() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let id = client.create("t", 1).await;
    let groups = DeleteGroupsRequest {
        groups_names: vec!["g".into(), "h".into(), "g".into()],
        ..Default::default()
    };
    assert_eq!(client.ask(2, groups).await.results.len(), 2);
    let topic = |name: Option<&str>, topic_id| metadata_request::MetadataRequestTopic {
        name: name.map(Str::from),
        topic_id,
        ..Default::default()
    };
    let mut ask = async |topics: Vec<metadata_request::MetadataRequestTopic>| {
        let request = MetadataRequest {
            topics: Some(topics),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        client.ask(12, request).await.topics.len()
    };
    let (name, nil) = (Some("t"), Uuid::nil());
    assert_eq!(ask(vec![topic(name, nil), topic(name, nil)]).await, 1);
    assert_eq!(ask(vec![topic(None, id), topic(None, id)]).await, 1);
    // Ids alone count where there are any.
    assert_eq!(ask(vec![topic(None, id), topic(Some("u"), nil)]).await, 1);
    bench.finish().await;
}

#[tokio::test]
async fn topic_of_the_controllers_cannot_be_made() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let refused = client.create_with("__cluster_metadata", 1, &[]).await;
    assert_eq!(refused.error_code, ErrorCode::INVALID_REQUEST.0);
    let made = client.create_with("_cluster_metadata", 1, &[]).await;
    assert_eq!((made.error_code, made.error_message), (0, None));
    bench.finish().await;
}
