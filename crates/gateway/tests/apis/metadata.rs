//! What there is: only what may be described, whatever way it is asked for.

use uuid::Uuid;
use wire::message::metadata_request::MetadataRequestTopic;
use wire::message::metadata_response::MetadataResponseTopic;
use wire::message::{
    DescribeClusterRequest, FindCoordinatorRequest, FindCoordinatorResponse, MetadataRequest,
};

use crate::support::{World, id_of};

fn by_name(names: &[&str]) -> MetadataRequest {
    let topics = names
        .iter()
        .map(|name| MetadataRequestTopic {
            name: Some((*name).into()),
            ..Default::default()
        })
        .collect();
    MetadataRequest {
        topics: Some(topics),
        allow_auto_topic_creation: false,
        ..Default::default()
    }
}

fn by_id(id: Uuid) -> MetadataRequest {
    let topic = MetadataRequestTopic {
        topic_id: id,
        name: None,
        ..Default::default()
    };
    MetadataRequest {
        topics: Some(vec![topic]),
        allow_auto_topic_creation: false,
        ..Default::default()
    }
}

fn names(topics: &[MetadataResponseTopic]) -> Vec<&str> {
    topics
        .iter()
        .filter_map(|topic| topic.name.as_deref())
        .collect()
}

/// Versions before 4 cannot say that nothing is to be created.
fn flagged(version: i16, mut request: MetadataRequest) -> MetadataRequest {
    request.allow_auto_topic_creation = version < 4;
    request
}

#[tokio::test]
async fn all_topics_are_those_that_may_be_described() {
    let world = World::new(&["allow Read topic:a"]).await;
    for version in 0..=13 {
        let all = if version == 0 { Some(Vec::new()) } else { None };
        let request = flagged(
            version,
            MetadataRequest {
                topics: all,
                ..Default::default()
            },
        );
        let answer = world.ask(version, &request).await;
        assert_eq!(names(&answer.topics), ["a"], "version {version}");
        assert_eq!(answer.brokers.len(), 1);
    }
    assert_eq!(world.trail.refusals(), [], "a filter is no refusal");
}

#[tokio::test]
async fn no_topics_is_not_all_topics() {
    let world = World::new(&["allow Read topic:a"]).await;
    for version in 1..=13 {
        let answer = world.ask(version, &flagged(version, by_name(&[]))).await;
        assert_eq!(
            (answer.topics.len(), answer.brokers.len()),
            (0, 1),
            "version {version}"
        );
    }
}

#[tokio::test]
async fn hidden_topic_looks_like_a_hidden_missing_one() {
    let world = World::new(&["allow Describe topic:a"]).await;
    for version in 0..=13 {
        let answer = world
            .ask(
                version,
                &flagged(version, by_name(&["hidden", "a", "nowhere"])),
            )
            .await;
        let of = |name: &str| {
            answer
                .topics
                .iter()
                .find(|topic| topic.name.as_deref() == Some(name))
                .unwrap()
                .clone()
        };
        assert_eq!(
            (of("a").error_code, of("a").partitions.len()),
            (0, 1),
            "version {version}"
        );
        let (hidden, nowhere) = (of("hidden"), of("nowhere"));
        assert_eq!(
            (hidden.error_code, hidden.topic_id, hidden.partitions.len()),
            (29, Uuid::nil(), 0)
        );
        assert!(!hidden.is_internal);
        assert_eq!(
            MetadataResponseTopic {
                name: nowhere.name.clone(),
                ..hidden
            },
            nowhere
        );
    }
    for (_, request) in world.upstream.seen::<MetadataRequest>() {
        assert_eq!(
            request.topics.map(|topics| topics.len()),
            Some(1),
            "hidden names stay here"
        );
    }
    assert_eq!(
        world.trail.refusals()[0],
        (
            "Describe".into(),
            vec!["topic:hidden".into(), "topic:nowhere".into()]
        )
    );
}

#[tokio::test]
async fn hidden_topic_asked_by_id_keeps_its_id_and_has_no_name() {
    let world = World::new(&["allow Describe topic:a"]).await;
    for version in [12, 13] {
        let hidden = world
            .ask(version, &by_id(id_of("hidden")))
            .await
            .topics
            .remove(0);
        assert_eq!(
            (hidden.error_code, hidden.name, hidden.topic_id),
            (29, None, id_of("hidden"))
        );
        let shown = world
            .ask(version, &by_id(id_of("a")))
            .await
            .topics
            .remove(0);
        assert_eq!(
            (shown.error_code, shown.name.as_deref(), shown.topic_id),
            (0, Some("a"), id_of("a"))
        );
    }
}

#[tokio::test]
async fn topic_id_that_nobody_knows_is_not_forwarded() {
    let world = World::new(&["allow Describe topic:*"]).await;
    let unknown = world.ask(12, &by_id(id_of("?"))).await.topics.remove(0);
    assert_eq!(
        (unknown.error_code, unknown.name, unknown.topic_id),
        (100, None, id_of("?"))
    );
    for (_, request) in world.upstream.seen::<MetadataRequest>() {
        assert_eq!(request.topics, Some(Vec::new()));
    }
}

#[tokio::test]
async fn allowed_name_beside_a_hidden_id_does_not_open_it() {
    let world = World::new(&["allow Describe topic:a"]).await;
    let both = MetadataRequestTopic {
        topic_id: id_of("hidden"),
        name: Some("a".into()),
        ..Default::default()
    };
    let request = MetadataRequest {
        topics: Some(vec![both]),
        allow_auto_topic_creation: false,
        ..Default::default()
    };
    let answer = world.ask(12, &request).await;
    assert!(
        !names(&answer.topics).contains(&"hidden"),
        "{:?}",
        answer.topics
    );
    assert!(
        answer
            .topics
            .iter()
            .all(|topic| topic.partitions.is_empty())
    );
}

#[tokio::test]
async fn ids_in_versions_that_cannot_be_asked_by_id_are_invalid() {
    let world = World::new(&["allow Describe topic:*"]).await;
    for version in [10, 11] {
        let topic = MetadataRequestTopic {
            topic_id: id_of("a"),
            name: Some("a".into()),
            ..Default::default()
        };
        let request = MetadataRequest {
            topics: Some(vec![topic]),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        assert_eq!(
            world
                .ask(version, &request)
                .await
                .topics
                .remove(0)
                .error_code,
            42
        );
    }
    assert_eq!(world.upstream.seen::<MetadataRequest>().len(), 0);
}

#[tokio::test]
async fn nothing_is_created_for_who_may_not_create() {
    let world = World::new(&["allow Describe topic:*"]).await;
    for version in 0..=13 {
        world.upstream.forget();
        let request = MetadataRequest {
            allow_auto_topic_creation: true,
            ..by_name(&["new"])
        };
        world.ask(version, &request).await;
        let (raised, seen) = world.upstream.seen::<MetadataRequest>().remove(0);
        assert!(
            raised >= 4 && !seen.allow_auto_topic_creation,
            "version {version} came as {raised}"
        );
    }
}

#[tokio::test]
async fn creation_is_asked_for_by_who_may_create() {
    for rules in [
        ["allow Describe topic:*", "allow Create topic:new"],
        ["allow Describe topic:*", "allow Create cluster"],
    ] {
        let world = World::new(&rules).await;
        for version in [1, 4, 13] {
            world.upstream.forget();
            let request = MetadataRequest {
                allow_auto_topic_creation: true,
                ..by_name(&["new"])
            };
            world.ask(version, &request).await;
            assert!(
                world.upstream.seen::<MetadataRequest>()[0]
                    .1
                    .allow_auto_topic_creation
            );
        }
    }
    // One of two names may not be created: then neither is.
    let world = World::new(&["allow Describe topic:*", "allow Create topic:new"]).await;
    let request = MetadataRequest {
        allow_auto_topic_creation: true,
        ..by_name(&["new", "other"])
    };
    world.ask(13, &request).await;
    assert!(
        !world.upstream.seen::<MetadataRequest>()[0]
            .1
            .allow_auto_topic_creation
    );
}

#[tokio::test]
async fn operation_bits_are_the_clients_own() {
    let world = World::new(&["allow Read topic:a", "allow Describe cluster"]).await;
    for version in 8..=13 {
        let request = MetadataRequest {
            include_topic_authorized_operations: true,
            include_cluster_authorized_operations: version <= 10,
            ..by_name(&["a", "hidden"])
        };
        let answer = world.ask(version, &request).await;
        let bits = |name: &str| {
            let topic = answer
                .topics
                .iter()
                .find(|topic| topic.name.as_deref() == Some(name))
                .unwrap();
            topic.topic_authorized_operations
        };
        assert_eq!(bits("a"), 1 << 3 | 1 << 8, "Read and Describe");
        assert_eq!(bits("hidden"), i32::MIN);
        if version <= 10 {
            assert_eq!(answer.cluster_authorized_operations, 1 << 8);
        }
        let plain = world.ask(version, &by_name(&["a"])).await;
        assert_eq!(
            plain.topics[0].topic_authorized_operations,
            i32::MIN,
            "not asked for"
        );
    }
}

#[tokio::test]
async fn cluster_bits_are_zero_without_describe_and_never_an_error() {
    let world = World::new(&[]).await;
    for version in 0..=2 {
        let asked = DescribeClusterRequest {
            include_cluster_authorized_operations: true,
            ..Default::default()
        };
        let answer = world.ask(version, &asked).await;
        assert_eq!(
            (answer.error_code, answer.cluster_authorized_operations),
            (0, 0)
        );
        let plain = world.ask(version, &DescribeClusterRequest::default()).await;
        assert_eq!(plain.cluster_authorized_operations, i32::MIN);
    }
    world
        .rules
        .set(&["allow Describe cluster", "allow Create cluster"]);
    let asked = DescribeClusterRequest {
        include_cluster_authorized_operations: true,
        ..Default::default()
    };
    assert_eq!(
        world.ask(1, &asked).await.cluster_authorized_operations,
        1 << 5 | 1 << 8
    );
}

#[tokio::test]
async fn controllers_are_not_described() {
    let world = World::new(&["allow All cluster"]).await;
    for (endpoint_type, code) in [(2, 114), (9, 115)] {
        let request = DescribeClusterRequest {
            endpoint_type,
            ..Default::default()
        };
        let answer = world.ask(1, &request).await;
        assert_eq!((answer.error_code, answer.brokers.len()), (code, 0));
    }
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn coordinator_is_found_for_groups_that_may_be_described() {
    let world = World::new(&["allow Read group:g", "allow Describe txn:t"]).await;
    world
        .upstream
        .answer::<FindCoordinatorRequest>(|request, version| {
            let coordinators = request.coordinator_keys.iter().map(|key| {
                wire::message::find_coordinator_response::Coordinator {
                    key: key.clone(),
                    node_id: 1,
                    host: "upstream".into(),
                    port: 1,
                    ..Default::default()
                }
            });
            FindCoordinatorResponse {
                node_id: if version < 4 { 1 } else { 0 },
                host: if version < 4 {
                    "upstream".into()
                } else {
                    "".into()
                },
                coordinators: coordinators.collect(),
                ..Default::default()
            }
        });
    for version in 0..=3 {
        let ask = |key: &str, key_type: i8| FindCoordinatorRequest {
            key: key.into(),
            key_type,
            ..Default::default()
        };
        assert_eq!(world.ask(version, &ask("g", 0)).await.error_code, 0);
        let refused = world.ask(version, &ask("h", 0)).await;
        assert_eq!(
            (
                refused.error_code,
                refused.node_id,
                &*refused.host,
                refused.port
            ),
            (30, -1, "", -1)
        );
        if version >= 1 {
            assert_eq!(world.ask(version, &ask("t", 1)).await.error_code, 0);
            assert_eq!(world.ask(version, &ask("g", 1)).await.error_code, 53);
        }
    }
    for version in 4..=6 {
        let ask = |keys: &[&str], key_type: i8| FindCoordinatorRequest {
            key_type,
            coordinator_keys: keys.iter().map(|key| (*key).into()).collect(),
            ..Default::default()
        };
        let answer = world.ask(version, &ask(&["h", "g"], 0)).await;
        let codes: Vec<_> = answer
            .coordinators
            .iter()
            .map(|one| (&*one.key, one.error_code, one.node_id))
            .collect();
        assert_eq!(
            codes,
            [("h", 30, -1), ("g", 0, 1)],
            "in the order of the request"
        );
        let codes: Vec<_> = world
            .ask(version, &ask(&["t", "u"], 1))
            .await
            .coordinators
            .iter()
            .map(|one| one.error_code)
            .collect();
        assert_eq!(codes, [0, 53]);
    }
}

#[tokio::test]
async fn share_coordinators_are_for_brokers_only() {
    let world = World::new(&["allow All group:*", "allow All topic:*", "allow All txn:*"]).await;
    let request = FindCoordinatorRequest {
        key_type: 2,
        coordinator_keys: vec!["g:x:0".into()],
        ..Default::default()
    };
    let answer = world.ask(6, &request).await;
    assert_eq!(answer.coordinators[0].error_code, 31);
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn coordinators_of_no_known_kind_are_refused_before_any_right_is_asked_for() {
    let world = World::new(&[]).await;
    for (version, kind, code) in [(6, 0, 30), (6, 2, 31), (6, 3, 42), (5, 2, 42), (4, -1, 42)] {
        let request = FindCoordinatorRequest {
            key_type: kind,
            coordinator_keys: vec!["g".into()],
            ..Default::default()
        };
        let answer = world.ask(version, &request).await;
        assert_eq!(answer.coordinators[0].error_code, code, "kind {kind}");
    }
    let request = FindCoordinatorRequest {
        key_type: 3,
        key: "g".into(),
        ..Default::default()
    };
    let answer = world.ask(3, &request).await;
    assert_eq!((answer.error_code, answer.node_id), (42, -1));
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn topic_that_is_asked_for_twice_is_told_once_also_where_it_is_hidden() {
    let world = World::new(&[]).await;
    let topic = |name: Option<&str>, topic_id| MetadataRequestTopic {
        name: name.map(Into::into),
        topic_id,
        ..Default::default()
    };
    let nil = uuid::Uuid::nil();
    for (topics, count) in [
        (vec![topic(Some("x"), nil), topic(Some("x"), nil)], 1),
        (vec![topic(Some("x"), nil), topic(Some("y"), nil)], 2),
        // Ids alone count where there are any.
        (vec![topic(Some("x"), nil), topic(None, id_of("a"))], 1),
    ] {
        let request = MetadataRequest {
            topics: Some(topics),
            ..Default::default()
        };
        let answer = world.ask(12, &request).await;
        assert_eq!(answer.topics.len(), count);
        assert!(answer.topics.iter().all(|topic| topic.error_code == 29));
    }
}
