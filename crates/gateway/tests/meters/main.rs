//! What the data plane counts. One test and a process of its own: the counters are the process's.

#[allow(
    dead_code,
    unused_imports,
    reason = "shared with the tests of each API"
)]
#[path = "../apis/support/mod.rs"]
mod support;

use std::time::Duration;

use kastellan_core::meter::Page;
use support::World;
use wire::header::encode_request;
use wire::message::metadata_request::MetadataRequestTopic;
use wire::message::*;

fn scrape(world: &World) -> String {
    let mut page = Page::default();
    world.gateway.watch().write_meters(&mut page);
    page.into_text()
}

/// The value of a sample; 0 when nothing was counted.
fn value(world: &World, sample: &str) -> f64 {
    let text = scrape(world);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

fn requests(world: &World, api: &str, outcome: &str) -> f64 {
    value(
        world,
        &format!("gateway_requests_total{{api=\"{api}\",outcome=\"{outcome}\"}}"),
    )
}

fn metadata(topics: &[&str]) -> MetadataRequest {
    let named = |name: &&str| MetadataRequestTopic {
        name: Some((*name).into()),
        ..Default::default()
    };
    MetadataRequest {
        topics: Some(topics.iter().map(named).collect()),
        ..Default::default()
    }
}

fn delete_groups(names: &[&str]) -> DeleteGroupsRequest {
    DeleteGroupsRequest {
        groups_names: names.iter().map(|name| (*name).into()).collect(),
        ..Default::default()
    }
}

/// Waits for what another task counts.
async fn becomes(world: &World, sample: &str, wanted: f64) {
    for _ in 0..1_000 {
        if value(world, sample) == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{sample} is {}, not {wanted}", value(world, sample));
}

#[tokio::test]
async fn requests_are_counted_by_what_became_of_them() {
    let world = World::new(&["allow Delete group:mine", "allow Describe topic:a"]).await;
    let epoch = value(&world, "gateway_policy_epoch");

    // Whole, in part, not at all, answered here, closed.
    world.ask(2, &delete_groups(&["mine"])).await;
    world.ask(2, &delete_groups(&["mine", "other"])).await;
    world.ask(2, &delete_groups(&["other"])).await;
    world
        .ask(
            3,
            &ApiVersionsRequest {
                client_software_name: "x".into(),
                client_software_version: "1".into(),
                ..Default::default()
            },
        )
        .await;
    assert!(world.closes_on(0, &EndTxnRequest::default()).await);
    assert_eq!(requests(&world, "DeleteGroups", "allowed"), 1.0);
    assert_eq!(requests(&world, "DeleteGroups", "partial"), 1.0);
    assert_eq!(requests(&world, "DeleteGroups", "denied"), 1.0);
    assert_eq!(requests(&world, "ApiVersions", "local"), 1.0);
    assert_eq!(
        value(&world, "gateway_refusals_total{api=\"DeleteGroups\"}"),
        2.0
    );
    assert_eq!(
        value(&world, "gateway_hidden_api_total{api=\"EndTxn\"}"),
        1.0
    );
    assert!(value(&world, "gateway_authorize_seconds_count") >= 3.0);

    // Every answer that is read is counted, with its bytes.
    assert_eq!(
        value(
            &world,
            "gateway_request_seconds_count{api=\"DeleteGroups\"}"
        ),
        3.0
    );
    assert_eq!(
        value(&world, "gateway_own_seconds_count{api=\"DeleteGroups\"}"),
        3.0
    );
    let frame = encode_request(1, Some("tests".into()), 2, &delete_groups(&["mine"])).unwrap();
    let bytes = value(&world, "gateway_request_bytes_total{api=\"DeleteGroups\"}");
    let other = "other".len() as f64 + 1.0;
    let mine = "mine".len() as f64 + 1.0;
    assert_eq!(bytes, 3.0 * frame.len() as f64 + 2.0 * other - mine);
    assert!(value(&world, "gateway_response_bytes_total{api=\"DeleteGroups\"}") > 0.0);

    // The upstream's time is not ours; what waits is in flight, and no longer when its client is gone.
    assert_eq!(value(&world, "gateway_in_flight"), 0.0);
    world.upstream.hold_answers();
    let mut waiting = world.client().await;
    waiting.send(9, &metadata(&["a"])).await;
    becomes(&world, "gateway_upstream_connections", 1.0).await;
    becomes(&world, "gateway_in_flight", 1.0).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.upstream.release_answers();
    waiting.receive::<MetadataRequest>(9, 101).await;
    becomes(
        &world,
        "gateway_request_seconds_count{api=\"Metadata\"}",
        1.0,
    )
    .await;
    let whole = value(&world, "gateway_request_seconds_sum{api=\"Metadata\"}");
    let own = value(&world, "gateway_own_seconds_sum{api=\"Metadata\"}");
    assert!(whole >= 0.3, "{whole}");
    assert!(own + 0.25 < whole, "{own} of {whole}");
    assert!(value(&world, "gateway_upstream_seconds_sum") >= 0.3);
    world.upstream.hold_answers();
    waiting.send(9, &metadata(&["a"])).await;
    becomes(&world, "gateway_in_flight", 1.0).await;
    drop(waiting);
    world.upstream.release_answers();
    becomes(&world, "gateway_in_flight", 0.0).await;
    becomes(&world, "gateway_upstream_connections", 0.0).await;

    // Fields that nobody knows.
    let mut client = world.client().await;
    let mut odd = encode_request(7, Some("tests".into()), 2, &delete_groups(&["mine"]))
        .unwrap()
        .into_bytes()
        .to_vec();
    assert_eq!(odd.pop(), Some(0), "no tags");
    odd.extend([1, 99, 1, 0]);
    client.send_frame(&odd).await;
    client.receive_frame().await.unwrap();
    let tags = "gateway_unknown_tags_total{api=\"DeleteGroups\",direction=\"request\"}";
    assert_eq!(value(&world, tags), 1.0);

    // A fetch session of somebody.
    let fetch = FetchRequest {
        session_id: 5,
        session_epoch: 1,
        ..Default::default()
    };
    assert_eq!(client.ask(12, &fetch).await.error_code, 70);
    assert_eq!(value(&world, "gateway_fetch_session_resets_total"), 1.0);

    world.rules.set(&[]);
    assert_eq!(value(&world, "gateway_policy_epoch"), epoch + 1.0);
    assert_eq!(value(&world, "gateway_request_memory_bytes"), 0.0);
}
