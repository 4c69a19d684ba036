//! Clients learn the gateway's addresses and no others.

use std::collections::BTreeSet;

use wire::Request;
use wire::header::encode_request;
use wire::message::*;

use crate::support::{FRONT, FRONT_PORT, MARKER, World, id_of};

/// The bytes of an answer, searched for what must not be in it.
async fn answer_of<R: Request>(world: &World, version: i16, request: &R) -> R::Response {
    let mut client = world.client().await;
    let frame = encode_request(9, None, version, request)
        .unwrap()
        .into_bytes();
    client.send_frame(&frame).await;
    let bytes = client.receive_frame().await.expect("an answer");
    let shows = bytes
        .windows(MARKER.len())
        .any(|window| window == MARKER.as_bytes());
    assert!(
        !shows,
        "{} {version} shows an address of the upstream",
        R::NAME
    );
    wire::header::decode_response(R::KEY, version, bytes)
        .unwrap()
        .1
}

#[tokio::test]
async fn metadata_and_cluster_name_the_gateway_only() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    for version in 0..=13 {
        let request = MetadataRequest {
            topics: if version == 0 { Some(Vec::new()) } else { None },
            ..Default::default()
        };
        let answer = answer_of(&world, version, &request).await;
        assert_eq!(
            (&*answer.brokers[0].host, answer.brokers[0].port),
            (FRONT, FRONT_PORT)
        );
    }
    world
        .upstream
        .answer::<DescribeClusterRequest>(|_, _| DescribeClusterResponse {
            controller_id: 1,
            brokers: vec![describe_cluster_response::DescribeClusterBroker {
                broker_id: 1,
                host: MARKER.into(),
                port: 1,
                ..Default::default()
            }],
            ..Default::default()
        });
    for version in 0..=2 {
        let answer = answer_of(&world, version, &DescribeClusterRequest::default()).await;
        assert_eq!(
            (&*answer.brokers[0].host, answer.brokers[0].port),
            (FRONT, FRONT_PORT)
        );
    }
}

#[tokio::test]
async fn coordinators_are_at_the_gateway() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    world
        .upstream
        .answer::<FindCoordinatorRequest>(|request, version| {
            if version < 4 {
                return FindCoordinatorResponse {
                    node_id: 1,
                    host: MARKER.into(),
                    port: 1,
                    ..Default::default()
                };
            }
            let at_upstream = |key: &wire::text::Str| find_coordinator_response::Coordinator {
                key: key.clone(),
                node_id: 1,
                host: MARKER.into(),
                port: 1,
                ..Default::default()
            };
            FindCoordinatorResponse {
                coordinators: request.coordinator_keys.iter().map(at_upstream).collect(),
                ..Default::default()
            }
        });
    for version in 0..=6 {
        let request = if version < 4 {
            FindCoordinatorRequest {
                key: "g".into(),
                ..Default::default()
            }
        } else {
            FindCoordinatorRequest {
                coordinator_keys: vec!["g".into()],
                ..Default::default()
            }
        };
        let answer = answer_of(&world, version, &request).await;
        let found = answer
            .coordinators
            .first()
            .map_or((answer.host, answer.port), |one| {
                (one.host.clone(), one.port)
            });
        assert_eq!(
            (&*found.0, found.1),
            (FRONT, FRONT_PORT),
            "version {version}"
        );
    }
}

#[tokio::test]
async fn new_leaders_in_produce_and_fetch_answers_are_at_the_gateway() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    world.upstream.answer::<ProduceRequest>(|_, version| {
        let node = produce_response::NodeEndpoint {
            node_id: 2,
            host: MARKER.into(),
            port: 1,
            ..Default::default()
        };
        ProduceResponse {
            node_endpoints: if version >= 10 { vec![node] } else { vec![] },
            ..Default::default()
        }
    });
    world.upstream.answer::<FetchRequest>(|_, version| {
        let node = fetch_response::NodeEndpoint {
            node_id: 2,
            host: MARKER.into(),
            port: 1,
            ..Default::default()
        };
        FetchResponse {
            node_endpoints: if version >= 16 { vec![node] } else { vec![] },
            ..Default::default()
        }
    });
    for version in 3..=13 {
        let answer = answer_of(
            &world,
            version,
            &crate::produce::request(version, &["a"], 1),
        )
        .await;
        assert!(
            answer
                .node_endpoints
                .iter()
                .all(|node| &*node.host == FRONT && node.port == FRONT_PORT)
        );
        assert_eq!(answer.node_endpoints.len(), usize::from(version >= 10));
    }
    for version in 4..=18 {
        let answer = answer_of(&world, version, &crate::fetch::request(version, &["a"])).await;
        assert!(
            answer
                .node_endpoints
                .iter()
                .all(|node| &*node.host == FRONT && node.port == FRONT_PORT)
        );
        assert_eq!(answer.node_endpoints.len(), usize::from(version >= 16));
    }
    assert_ne!(id_of("a"), id_of("b"));
}

/// A new schema with a host in it fails here until somebody has said what becomes of it.
#[test]
fn every_answer_with_a_host_in_it_is_known() {
    let rewritten = [
        "metadata",
        "describe_cluster",
        "find_coordinator",
        "produce",
        "fetch",
    ];
    let not_held = [
        "share_fetch",
        "share_acknowledge",
        "describe_quorum",
        "streams_group_describe",
    ];
    // Hosts of rules and of clients, not of nodes.
    let others = [
        "describe_acls",
        "delete_acls",
        "describe_groups",
        "consumer_group_describe",
        "share_group_describe",
        "streams_group_heartbeat",
    ];
    let known: BTreeSet<&str> = rewritten
        .iter()
        .chain(&not_held)
        .chain(&others)
        .copied()
        .collect();
    let messages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/src/message");
    for file in std::fs::read_dir(messages).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let names_host = text
            .lines()
            .any(|line| line.trim_start().starts_with("pub ") && line.contains("host"));
        if let Some(name) = name.strip_suffix("_response").filter(|_| names_host) {
            assert!(known.contains(name), "{name} has a host: is it rewritten?");
        }
    }
}
