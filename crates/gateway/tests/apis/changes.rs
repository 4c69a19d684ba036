//! Administrative changes are on record before they are made, and again with their outcome.

use kastellan_core::event::Outcome;
use wire::message::{
    AlterConfigsRequest, CreateTopicsRequest, CreateTopicsResponse, DeleteGroupsRequest,
    DeleteRecordsRequest, ListGroupsRequest, MetadataRequest, OffsetDeleteRequest,
    create_topics_response, metadata_request, offset_delete_request,
};

use crate::admin::{TOPIC, change, creation, deletion, increment};
use crate::support::World;

async fn ruler() -> World {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    world
}

fn line(kind: &str, outcome: Outcome, name: &str) -> (String, Outcome, Vec<String>) {
    (kind.to_owned(), outcome, vec![name.to_owned()])
}

#[tokio::test]
async fn every_change_has_a_decision_and_an_outcome() {
    let world = ruler().await;
    world.ask(7, &creation(&["a"])).await;
    world.ask(6, &deletion(6, &["a"])).await;
    world.ask(2, &change(&[(TOPIC, "a")])).await;
    world.ask(1, &increment(&[(TOPIC, "a")])).await;
    world.ask(2, &crate::offsets::deletion(&["a"])).await;
    let groups = DeleteGroupsRequest {
        groups_names: vec!["a".into()],
        ..Default::default()
    };
    world.ask(2, &groups).await;
    world.ask(0, &forgetting("a", "b")).await;
    let kinds = [
        "admin.topic",
        "admin.topic",
        "admin.config",
        "admin.config",
        "admin.records",
        "admin.group",
        "admin.group",
    ];
    let expected: Vec<_> = kinds
        .iter()
        .flat_map(|kind| [Outcome::Allowed, Outcome::Ok].map(|outcome| line(kind, outcome, "a")))
        .collect();
    assert_eq!(world.trail.changes(), expected);
    let of_records = world.trail.of("admin.records");
    let (announced, told) = (&of_records[0], &of_records[1]);
    assert_eq!(announced.refers, None);
    assert!(told.refers.is_some(), "the outcome says of what");
    assert_eq!(told.session, announced.session);
    assert_eq!(told.api, announced.api);
}

/// A request to forget what a group committed for a topic.
fn forgetting(group: &str, topic: &str) -> OffsetDeleteRequest {
    let topic = offset_delete_request::OffsetDeleteRequestTopic {
        name: topic.into(),
        ..Default::default()
    };
    OffsetDeleteRequest {
        group_id: group.into(),
        topics: vec![topic],
        ..Default::default()
    }
}

#[tokio::test]
async fn groups_and_offsets_stay_when_their_deletion_cannot_be_recorded() {
    let world = ruler().await;
    let mut client = world.client().await;
    client.ask(4, &ListGroupsRequest::default()).await;
    world.upstream.forget();
    world.trail.fill();
    let groups = DeleteGroupsRequest {
        groups_names: vec!["g".into()],
        ..Default::default()
    };
    assert_eq!(client.ask(2, &groups).await.results[0].error_code, 44);
    assert_eq!(client.ask(0, &forgetting("g", "a")).await.error_code, 44);
    assert_eq!(world.upstream.seen_keys(), [0_i16; 0]);
}

#[tokio::test]
async fn failure_at_the_upstream_is_the_outcome() {
    let world = ruler().await;
    world.upstream.answer::<CreateTopicsRequest>(|request, _| {
        let failed =
            request
                .topics
                .into_iter()
                .map(|topic| create_topics_response::CreatableTopicResult {
                    name: topic.name,
                    error_code: 36,
                    ..Default::default()
                });
        CreateTopicsResponse {
            topics: failed.collect(),
            ..Default::default()
        }
    });
    world.ask(7, &creation(&["a"])).await;
    let outcomes: Vec<_> = world.trail.changes().into_iter().map(|one| one.1).collect();
    assert_eq!(outcomes, [Outcome::Allowed, Outcome::Failed]);
}

#[tokio::test]
async fn trial_runs_and_refused_changes_are_no_changes() {
    let world = ruler().await;
    let trial = CreateTopicsRequest {
        validate_only: true,
        ..creation(&["a"])
    };
    world.ask(7, &trial).await;
    let trial = AlterConfigsRequest {
        validate_only: true,
        ..change(&[(TOPIC, "a")])
    };
    world.ask(2, &trial).await;
    world.rules.set(&[]);
    world.ask(7, &creation(&["a"])).await;
    assert_eq!(world.trail.changes(), []);
}

#[tokio::test]
async fn nothing_is_changed_when_it_cannot_be_recorded() {
    let world = ruler().await;
    world.trail.fill();
    let mut client = world.client().await;
    assert!(client.is_closed().await, "nobody gets in either");
}

#[tokio::test]
async fn changes_of_an_open_session_are_refused_when_they_cannot_be_recorded() {
    let world = ruler().await;
    let mut client = world.client().await;
    assert_eq!(client.ask(7, &creation(&["a"])).await.topics.len(), 0);
    world.upstream.forget();
    world.trail.fill();
    let created = client.ask(7, &creation(&["b"])).await;
    assert_eq!(created.topics[0].error_code, 44);
    let deleted = client.ask(6, &deletion(6, &["b"])).await;
    assert_eq!(deleted.responses[0].error_code, 44);
    let changed = client.ask(2, &change(&[(TOPIC, "b")])).await;
    assert_eq!(changed.responses[0].error_code, 44);
    let changed = client.ask(1, &increment(&[(TOPIC, "b")])).await;
    assert_eq!(changed.responses[0].error_code, 44);
    let records: DeleteRecordsRequest = crate::offsets::deletion(&["b"]);
    let cut = client.ask(2, &records).await;
    assert_eq!(cut.topics[0].partitions[0].error_code, 44);
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn use_is_told_the_first_time_and_then_by_the_minute() {
    let world = World::new(&[
        "allow Write topic:a",
        "allow Read topic:a",
        "allow Read topic:b",
    ])
    .await;
    let mut client = world.client().await;
    for _ in 0..3 {
        client.ask(9, &crate::produce::request(9, &["a"], 1)).await;
    }
    client
        .ask(12, &crate::fetch::request(12, &["a", "hidden"]))
        .await;
    client
        .ask(12, &crate::fetch::request(12, &["a", "b"]))
        .await;
    let first = world.trail.of("first_use");
    let first: Vec<_> = first
        .iter()
        .map(|event| {
            (
                event.op.as_deref().unwrap(),
                event.resources[0].name.as_str(),
            )
        })
        .collect();
    assert_eq!(first, [("Write", "a"), ("Read", "a"), ("Read", "b")]);
    let trail = world.trail.clone();
    drop(client);
    world.drain().await;
    let counts = |kind: &str, topic: &str, count: &str| -> u64 {
        let of_kind = trail.of(kind);
        let of_topic = of_kind
            .iter()
            .filter(|event| event.resources[0].name == topic);
        of_topic.filter_map(|event| event.counts.get(count)).sum()
    };
    assert_eq!(counts("data.produce", "a", "requests"), 3);
    assert_eq!(counts("data.produce", "a", "records"), 3);
    assert!(counts("data.produce", "a", "bytes") > 3 * 61);
    assert_eq!(counts("data.fetch", "a", "requests"), 2);
    assert_eq!(counts("data.fetch", "b", "requests"), 1);
    assert_eq!(counts("data.fetch", "hidden", "requests"), 0);
    assert!(counts("data.fetch", "a", "bytes") > 0);
    assert!(counts("data.fetch", "(several)", "bytes") > 0);
}

#[tokio::test]
async fn what_a_listing_leaves_out_is_counted_and_is_no_refusal() {
    let world = World::new(&["allow Describe topic:a"]).await;
    let all = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    assert_eq!(world.ask(9, &all).await.topics.len(), 1);
    let trail = world.trail.clone();
    world.drain().await;
    let filtered = trail.of("authz.filtered");
    assert_eq!(filtered.len(), 1);
    assert_eq!(filtered[0].counts["left_out"], 2, "b and hidden");
    assert_eq!(filtered[0].detail["api"], "Metadata");
    assert_eq!(trail.refusals(), []);
}

#[tokio::test]
async fn topic_that_is_created_by_being_asked_for_is_a_change() {
    let world = ruler().await;
    world.upstream.create_topics();
    let mut client = world.client().await;
    let asked = |name: &str| MetadataRequest {
        topics: Some(vec![metadata_request::MetadataRequestTopic {
            name: Some(name.into()),
            ..Default::default()
        }]),
        allow_auto_topic_creation: true,
        ..Default::default()
    };
    client.ask(9, &asked("a")).await;
    assert_eq!(world.trail.changes(), [], "it is there");
    client.ask(9, &asked("new")).await;
    let expected = [
        line("admin.topic", Outcome::Allowed, "new"),
        line("admin.topic", Outcome::Failed, "new"),
    ];
    assert_eq!(world.trail.changes(), expected);
    world.upstream.forget();
    world.trail.fill();
    client.ask(9, &asked("newer")).await;
    let (_, forwarded) = world.upstream.seen::<MetadataRequest>().remove(0);
    assert!(
        !forwarded.allow_auto_topic_creation,
        "nothing is created off the record"
    );
}
