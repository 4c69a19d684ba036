//! Topics and configurations, made, changed and described.

use std::collections::BTreeMap;

use uuid::Uuid;
use wire::message::alter_configs_request::AlterConfigsResource;
use wire::message::create_partitions_request::CreatePartitionsTopic;
use wire::message::create_topics_request::CreatableTopic;
use wire::message::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use wire::message::delete_topics_request::DeleteTopicState;
use wire::message::delete_topics_response::DeletableTopicResult;
use wire::message::describe_configs_request::DescribeConfigsResource;
use wire::message::*;

use crate::support::{World, id_of};

pub const TOPIC: i8 = 2;
pub const BROKER: i8 = 4;
pub const GROUP: i8 = 32;

pub fn creation(names: &[&str]) -> CreateTopicsRequest {
    let topics = names.iter().map(|name| CreatableTopic {
        name: (*name).into(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    });
    CreateTopicsRequest {
        topics: topics.collect(),
        timeout_ms: 1_000,
        ..Default::default()
    }
}

fn creates(world: &World) {
    world.upstream.answer::<CreateTopicsRequest>(|request, _| {
        let made = request
            .topics
            .into_iter()
            .map(|topic| CreatableTopicResult {
                topic_id: id_of(&topic.name),
                name: topic.name,
                num_partitions: 1,
                replication_factor: 1,
                configs: Some(vec![CreatableTopicConfigs {
                    name: "x".into(),
                    ..Default::default()
                }]),
                ..Default::default()
            });
        CreateTopicsResponse {
            topics: made.collect(),
            ..Default::default()
        }
    });
}

#[tokio::test]
async fn topics_are_created_with_create_on_them_or_on_the_cluster() {
    let world = World::new(&["allow Create topic:new", "allow Read topic:*"]).await;
    creates(&world);
    for version in 2..=7 {
        let answer = world.ask(version, &creation(&["other", "new"])).await;
        let of = |name: &str| {
            answer
                .topics
                .iter()
                .find(|topic| &*topic.name == name)
                .unwrap()
                .clone()
        };
        assert_eq!(of("new").error_code, 0, "version {version}");
        assert_eq!(
            (of("other").error_code, of("other").error_message.as_deref()),
            (29, Some("Authorization failed."))
        );
        assert_eq!(
            world.ask(version, &creation(&["other"])).await.topics[0].error_code,
            29
        );
    }
    assert_eq!(world.upstream.seen_keys().len(), 6);
    for (_, seen) in world.upstream.seen::<CreateTopicsRequest>() {
        assert_eq!((seen.topics.len(), &*seen.topics[0].name), (1, "new"));
    }
    world.rules.set(&["allow Create cluster"]);
    let answer = world.ask(7, &creation(&["other", "new"])).await;
    assert!(answer.topics.iter().all(|topic| topic.error_code == 0));
}

#[tokio::test]
async fn settings_of_a_new_topic_are_told_to_who_may_describe_them() {
    let world = World::new(&["allow Create topic:*", "allow DescribeConfigs topic:a"]).await;
    creates(&world);
    for version in 5..=7 {
        let answer = world.ask(version, &creation(&["a", "b"])).await;
        let of = |name: &str| {
            answer
                .topics
                .iter()
                .find(|topic| &*topic.name == name)
                .unwrap()
                .clone()
        };
        assert_eq!(
            (of("a").topic_config_error_code, of("a").num_partitions),
            (0, 1)
        );
        assert_eq!(of("a").configs.map(|configs| configs.len()), Some(1));
        let told_less = of("b");
        assert_eq!(
            (told_less.error_code, told_less.topic_config_error_code),
            (0, 29)
        );
        assert_eq!(
            (told_less.num_partitions, told_less.replication_factor),
            (-1, -1)
        );
        assert!(told_less.configs.is_none_or(|configs| configs.is_empty()));
    }
}

pub fn deletion(version: i16, names: &[&str]) -> DeleteTopicsRequest {
    let mut request = DeleteTopicsRequest {
        timeout_ms: 1_000,
        ..Default::default()
    };
    if version < 6 {
        request.topic_names = names.iter().map(|name| (*name).into()).collect();
    } else {
        let by_name = |name: &&str| DeleteTopicState {
            name: Some((*name).into()),
            ..Default::default()
        };
        request.topics = names.iter().map(by_name).collect();
    }
    request
}

fn deletion_by_id(id: Uuid) -> DeleteTopicsRequest {
    let topic = DeleteTopicState {
        name: None,
        topic_id: id,
        ..Default::default()
    };
    DeleteTopicsRequest {
        topics: vec![topic],
        timeout_ms: 1_000,
        ..Default::default()
    }
}

fn deletes(world: &World) {
    world
        .upstream
        .answer::<DeleteTopicsRequest>(|request, version| {
            let by_name = request
                .topic_names
                .into_iter()
                .map(|name| (Some(name), Uuid::nil()));
            let named = request
                .topics
                .into_iter()
                .map(|topic| (topic.name, topic.topic_id));
            let gone = by_name
                .chain(named)
                .map(|(name, topic_id)| DeletableTopicResult {
                    name,
                    topic_id: if version >= 6 { topic_id } else { Uuid::nil() },
                    ..Default::default()
                });
            DeleteTopicsResponse {
                responses: gone.collect(),
                ..Default::default()
            }
        });
}

#[tokio::test]
async fn topics_are_deleted_with_describe_and_delete() {
    let world = World::new(&[
        "allow Delete topic:a",
        "allow Delete topic:b",
        "deny Describe topic:b",
        "allow Read topic:hidden",
    ])
    .await;
    deletes(&world);
    for version in 1..=6 {
        let answer = world
            .ask(version, &deletion(version, &["a", "b", "hidden"]))
            .await;
        let codes: BTreeMap<String, i16> = answer
            .responses
            .iter()
            .map(|one| (one.name.as_deref().unwrap().to_owned(), one.error_code))
            .collect();
        let expected =
            [("a", 0), ("b", 29), ("hidden", 29)].map(|(name, code)| (name.to_owned(), code));
        assert_eq!(codes, BTreeMap::from(expected), "version {version}");
    }
    for (_, seen) in world.upstream.seen::<DeleteTopicsRequest>() {
        assert_eq!(seen.topics.len() + seen.topic_names.len(), 1);
    }
    world.rules.set(&["allow Delete cluster"]);
    let answer = world.ask(6, &deletion(6, &["b"])).await;
    assert_eq!(answer.responses[0].error_code, 0);
}

#[tokio::test]
async fn deletion_does_not_tell_whether_a_hidden_topic_exists() {
    let world = World::new(&[]).await;
    for version in 1..=6 {
        let answer = world
            .ask(version, &deletion(version, &["hidden", "nowhere"]))
            .await;
        let without_name = |one: &DeletableTopicResult| DeletableTopicResult {
            name: None,
            ..one.clone()
        };
        assert_eq!(
            without_name(&answer.responses[0]),
            without_name(&answer.responses[1])
        );
        assert_eq!(
            (answer.responses[0].error_code, answer.responses[0].topic_id),
            (29, Uuid::nil())
        );
    }
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn deletion_by_id_names_the_topic_only_to_who_sees_it() {
    let world = World::new(&["allow Describe topic:a"]).await;
    let seen = world
        .ask(6, &deletion_by_id(id_of("a")))
        .await
        .responses
        .remove(0);
    assert_eq!(
        (seen.error_code, seen.name.as_deref(), seen.topic_id),
        (29, Some("a"), id_of("a"))
    );
    let hidden = world
        .ask(6, &deletion_by_id(id_of("hidden")))
        .await
        .responses
        .remove(0);
    assert_eq!(
        (hidden.error_code, hidden.name, hidden.topic_id),
        (29, None, id_of("hidden"))
    );
    let unknown = world
        .ask(6, &deletion_by_id(id_of("?")))
        .await
        .responses
        .remove(0);
    assert_eq!(
        (unknown.error_code, unknown.name, unknown.topic_id),
        (100, None, id_of("?"))
    );
    assert_eq!(
        world.upstream.seen_keys(),
        [],
        "an unknown id may be known upstream by now"
    );
}

#[tokio::test]
async fn allowed_name_beside_a_hidden_id_does_not_delete_it() {
    let world = World::new(&["allow Delete topic:a"]).await;
    deletes(&world);
    let both = DeleteTopicState {
        name: Some("a".into()),
        topic_id: id_of("hidden"),
        ..Default::default()
    };
    let request = DeleteTopicsRequest {
        topics: vec![both],
        timeout_ms: 1_000,
        ..Default::default()
    };
    assert_eq!(world.ask(6, &request).await.responses[0].error_code, 42);
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn partitions_are_added_with_alter() {
    let world = World::new(&[
        "allow Alter topic:a",
        "allow Create topic:*",
        "allow Write topic:*",
    ])
    .await;
    for version in 0..=3 {
        let topics = ["a", "b"].map(|name| CreatePartitionsTopic {
            name: name.into(),
            count: 2,
            ..Default::default()
        });
        let request = CreatePartitionsRequest {
            topics: topics.into(),
            timeout_ms: 1_000,
            ..Default::default()
        };
        let answer = world.ask(version, &request).await;
        let refused: Vec<_> = answer
            .results
            .iter()
            .map(|one| (&*one.name, one.error_code, &one.error_message))
            .collect();
        assert_eq!(refused, [("b", 29, &None)]);
    }
    for (_, seen) in world.upstream.seen::<CreatePartitionsRequest>() {
        assert_eq!((seen.topics.len(), &*seen.topics[0].name), (1, "a"));
    }
}

pub fn description(resources: &[(i8, &str)]) -> DescribeConfigsRequest {
    let resources = resources
        .iter()
        .map(|(kind, name)| DescribeConfigsResource {
            resource_type: *kind,
            resource_name: (*name).into(),
            configuration_keys: None,
            ..Default::default()
        });
    DescribeConfigsRequest {
        resources: resources.collect(),
        ..Default::default()
    }
}

const MIXED: [(i8, &str); 5] = [
    (TOPIC, "a"),
    (TOPIC, "b"),
    (GROUP, "g"),
    (GROUP, "h"),
    (BROKER, "1"),
];
const OTHERS: [(i8, &str, i16); 3] = [(TOPIC, "b", 29), (BROKER, "1", 31), (GROUP, "h", 30)];

#[tokio::test]
async fn settings_are_described_by_the_right_on_each_resource() {
    let world = World::new(&[
        "allow DescribeConfigs topic:a",
        "allow AlterConfigs group:g",
        "allow Read topic:b",
    ])
    .await;
    for version in 1..=4 {
        let answer = world.ask(version, &description(&MIXED)).await;
        let mut refused: Vec<_> = answer
            .results
            .iter()
            .map(|one| {
                assert!(one.configs.is_empty() && one.error_message.is_some());
                (one.resource_type, &*one.resource_name, one.error_code)
            })
            .collect();
        refused.sort();
        assert_eq!(refused, OTHERS, "version {version}");
    }
    for (_, seen) in world.upstream.seen::<DescribeConfigsRequest>() {
        let names: Vec<_> = seen
            .resources
            .iter()
            .map(|one| &*one.resource_name)
            .collect();
        assert_eq!(names, ["a", "g"]);
    }
    world.rules.set(&["allow DescribeConfigs cluster"]);
    assert!(
        world
            .ask(1, &description(&[(BROKER, "1")]))
            .await
            .results
            .is_empty(),
        "forwarded"
    );
}

#[tokio::test]
async fn settings_of_a_type_that_does_not_exist_are_not_asked_for() {
    let world = World::new(&["allow All topic:*", "allow All cluster"]).await;
    for kind in [0, 1, 3, 64] {
        let answer = world.ask(4, &description(&[(kind, "x")])).await;
        assert_eq!(answer.results[0].error_code, 42, "type {kind}");
    }
    let resource = AlterConfigsResource {
        resource_type: 3,
        resource_name: "x".into(),
        ..Default::default()
    };
    let request = AlterConfigsRequest {
        resources: vec![resource],
        ..Default::default()
    };
    assert_eq!(world.ask(2, &request).await.responses[0].error_code, 42);
    assert_eq!(world.upstream.seen_keys(), []);
}

pub fn change(resources: &[(i8, &str)]) -> AlterConfigsRequest {
    let resources = resources.iter().map(|(kind, name)| AlterConfigsResource {
        resource_type: *kind,
        resource_name: (*name).into(),
        ..Default::default()
    });
    AlterConfigsRequest {
        resources: resources.collect(),
        ..Default::default()
    }
}

pub fn increment(resources: &[(i8, &str)]) -> IncrementalAlterConfigsRequest {
    let resources = resources.iter().map(|(kind, name)| {
        incremental_alter_configs_request::AlterConfigsResource {
            resource_type: *kind,
            resource_name: (*name).into(),
            ..Default::default()
        }
    });
    IncrementalAlterConfigsRequest {
        resources: resources.collect(),
        ..Default::default()
    }
}

#[tokio::test]
async fn settings_are_changed_by_the_right_on_each_resource() {
    let world = World::new(&[
        "allow AlterConfigs topic:a",
        "allow AlterConfigs group:g",
        "allow DescribeConfigs topic:b",
    ])
    .await;
    for version in 0..=2 {
        let answer = world.ask(version, &change(&MIXED)).await;
        let mut refused: Vec<_> = answer
            .responses
            .iter()
            .map(|one| (one.resource_type, &*one.resource_name, one.error_code))
            .collect();
        refused.sort();
        assert_eq!(refused, OTHERS, "version {version}");
    }
    for version in 0..=1 {
        let answer = world.ask(version, &increment(&MIXED)).await;
        let mut refused: Vec<_> = answer
            .responses
            .iter()
            .map(|one| (one.resource_type, &*one.resource_name, one.error_code))
            .collect();
        refused.sort();
        assert_eq!(refused, OTHERS, "version {version}");
    }
    for (_, seen) in world.upstream.seen::<AlterConfigsRequest>() {
        assert_eq!(seen.resources.len(), 2);
    }
    for (_, seen) in world.upstream.seen::<IncrementalAlterConfigsRequest>() {
        assert_eq!(seen.resources.len(), 2);
    }
}

#[tokio::test]
async fn log_directories_take_describe_on_the_cluster() {
    let world = World::new(&["allow All topic:*"]).await;
    for version in 1..=4 {
        let answer = world
            .ask(
                version,
                &DescribeLogDirsRequest {
                    topics: None,
                    ..Default::default()
                },
            )
            .await;
        assert_eq!(
            (answer.error_code, answer.results.len()),
            (if version >= 3 { 31 } else { 0 }, 0)
        );
    }
    assert_eq!(world.upstream.seen_keys(), []);
    world.rules.set(&["allow Describe cluster"]);
    assert_eq!(
        world
            .ask(
                4,
                &DescribeLogDirsRequest {
                    topics: None,
                    ..Default::default()
                }
            )
            .await
            .error_code,
        0
    );
    assert_eq!(world.upstream.seen_keys(), [35]);
}

#[tokio::test]
async fn what_is_named_twice_is_refused_for_that_before_any_right_is_asked_for() {
    let nobody = World::new(&[]).await;
    let everybody = World::new(&["allow All topic:*", "allow All cluster"]).await;
    for world in [&nobody, &everybody] {
        let made = world.ask(7, &creation(&["x", "y", "x"])).await.topics;
        let of = |name: &str| {
            let named = made.iter().filter(|topic| &*topic.name == name);
            named.map(|topic| topic.error_code).collect::<Vec<_>>()
        };
        assert_eq!(of("x"), [42]);
        let kept = world
            .ask(7, &creation(&["__cluster_metadata"]))
            .await
            .topics;
        assert_eq!(kept[0].error_code, 42);
        let gone = world.ask(6, &deletion(6, &["x", "x"])).await.responses;
        assert_eq!(
            (gone.len(), gone[0].name.as_deref(), gone[0].error_code),
            (1, Some("x"), 42)
        );
    }
    let seen = everybody.upstream.seen::<CreateTopicsRequest>();
    assert_eq!(
        seen[0].1.topics.len(),
        1,
        "the other one goes on where it may"
    );
    assert_eq!(nobody.upstream.seen_keys(), []);
}

#[tokio::test]
async fn missing_topic_is_told_to_who_may_see_that_it_is_missing() {
    let world = World::new(&["allow Describe topic:*"]).await;
    let answer = world.ask(6, &deletion(6, &["nowhere", "a"])).await;
    let codes: BTreeMap<String, i16> = answer
        .responses
        .iter()
        .map(|one| (one.name.as_deref().unwrap().to_owned(), one.error_code))
        .collect();
    let expected = [("a", 29), ("nowhere", 3)].map(|(name, code)| (name.to_owned(), code));
    assert_eq!(codes, BTreeMap::from(expected));
    assert_eq!(world.upstream.seen_keys(), []);
}
