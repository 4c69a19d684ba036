//! Every offered key in every version: refused without a right, served with it.

use wire::Request;
use wire::api::{MATRIX, Treatment};
use wire::header::encode_request;
use wire::message::*;

use crate::support::World;
use crate::{acls, admin, fetch, groups, offsets, produce, quotas, scram};

/// A request about the topic `a`, the group `g` or the cluster, in bytes. A key that is offered and has no line here
/// fails the tests below.
fn sample(key: i16, version: i16) -> Option<Vec<u8>> {
    fn bytes<R: Request>(version: i16, request: R) -> Option<Vec<u8>> {
        Some(
            encode_request(5, Some("matrix".into()), version, &request)
                .unwrap()
                .into_bytes()
                .to_vec(),
        )
    }
    let group = |name: &str| wire::text::Str::from(name);
    match key {
        0 => bytes(version, produce::request(version, &["a"], 1)),
        1 => bytes(version, fetch::request(version, &["a"])),
        2 => bytes(version, offsets::list(&["a"])),
        8 => bytes(version, groups::commit(version, "g", &["a"])),
        9 => bytes(version, groups::offsets(version, "g", Some(&["a"]))),
        10 if version < 4 => bytes(
            version,
            FindCoordinatorRequest {
                key: group("g"),
                ..Default::default()
            },
        ),
        10 => bytes(
            version,
            FindCoordinatorRequest {
                coordinator_keys: vec![group("g")],
                ..Default::default()
            },
        ),
        11 => bytes(version, groups::join(version, "g")),
        12 => bytes(
            version,
            HeartbeatRequest {
                group_id: group("g"),
                ..Default::default()
            },
        ),
        13 => bytes(
            version,
            LeaveGroupRequest {
                group_id: group("g"),
                ..Default::default()
            },
        ),
        14 => bytes(version, groups::sync(version, "g")),
        15 => bytes(
            version,
            DescribeGroupsRequest {
                groups: vec![group("g")],
                ..Default::default()
            },
        ),
        19 => bytes(version, admin::creation(&["a"])),
        20 => bytes(version, admin::deletion(version, &["a"])),
        21 => bytes(version, offsets::deletion(&["a"])),
        22 => bytes(
            version,
            InitProducerIdRequest {
                transactional_id: None,
                ..Default::default()
            },
        ),
        23 => bytes(version, offsets::epochs(&["a"])),
        29 => bytes(version, acls::everything()),
        30 => bytes(version, acls::create_one("a")),
        31 => bytes(
            version,
            DeleteAclsRequest {
                filters: vec![acls::filter(None, 1)],
                ..Default::default()
            },
        ),
        32 => bytes(version, admin::description(&[(admin::TOPIC, "a")])),
        33 => bytes(version, admin::change(&[(admin::TOPIC, "a")])),
        35 => bytes(
            version,
            DescribeLogDirsRequest {
                topics: None,
                ..Default::default()
            },
        ),
        37 => bytes(version, {
            let topic = create_partitions_request::CreatePartitionsTopic {
                name: "a".into(),
                count: 2,
                ..Default::default()
            };
            CreatePartitionsRequest {
                topics: vec![topic],
                ..Default::default()
            }
        }),
        42 => bytes(
            version,
            DeleteGroupsRequest {
                groups_names: vec![group("g")],
                ..Default::default()
            },
        ),
        44 => bytes(version, admin::increment(&[(admin::TOPIC, "a")])),
        47 => bytes(version, groups::offset_deletion("g", &["a"])),
        48 => bytes(version, quotas::description(&[])),
        50 => bytes(version, scram::description(None)),
        51 => bytes(version, scram::set_one("alice")),
        68 => bytes(version, groups::newer_heartbeat("g")),
        _ => None,
    }
}

/// Needs no right: node lists, and listings that are filtered.
const UNPROTECTED: [i16; 3] = [3, 16, 60];
/// Before and beside every right.
const SESSION: [i16; 3] = [17, 18, 36];

/// Keys and versions that are really served.
async fn offered(world: &World) -> Vec<(i16, i16)> {
    let answer = world.ask(0, &ApiVersionsRequest::default()).await;
    let mut all = Vec::new();
    for api in answer.api_keys {
        let held = wire::api::find(api.api_key)
            .expect("what is offered is in the matrix")
            .held;
        all.extend(
            (api.min_version.max(held.0)..=api.max_version).map(|version| (api.api_key, version)),
        );
    }
    all.retain(|(key, _)| !SESSION.contains(key) && !UNPROTECTED.contains(key));
    all
}

#[tokio::test]
async fn every_offered_version_is_refused_without_a_right() {
    let world = World::new(&[]).await;
    for (key, version) in offered(&world).await {
        let sample = sample(key, version).unwrap_or_else(|| panic!("key {key} has no sample"));
        let mut client = world.client().await;
        client.send_frame(&sample).await;
        assert!(
            client.receive_frame().await.is_some(),
            "key {key} version {version} has words for a refusal"
        );
    }
    assert_eq!(world.upstream.seen_keys(), [], "nothing came through");
    assert!(world.users.kept.lock().unwrap().is_empty());
    assert_eq!(world.rules.definitions(), []);
}

#[tokio::test]
async fn every_advertised_version_is_served() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    for (key, version) in offered(&world).await {
        world.upstream.forget();
        let sample = sample(key, version).unwrap_or_else(|| panic!("key {key} has no sample"));
        let mut client = world.client().await;
        client.send_frame(&sample).await;
        assert!(
            client.receive_frame().await.is_some(),
            "key {key} version {version} is answered"
        );
        let is_local = wire::api::find(key).is_some_and(|row| row.treatment == Treatment::Local);
        let expected: &[i16] = if is_local { &[] } else { &[key] };
        assert_eq!(
            world.upstream.seen_keys(),
            expected,
            "key {key} version {version}"
        );
    }
}

/// What cannot be decided is refused: an API that cannot be read whole is not passed on by a half.
#[tokio::test]
async fn every_request_that_is_cut_closes_and_is_not_forwarded() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    for (key, version) in offered(&world).await {
        let sample = sample(key, version).unwrap_or_else(|| panic!("key {key} has no sample"));
        let mut client = world.client().await;
        client.send_frame(&sample[..sample.len() - 1]).await;
        assert!(client.is_closed().await, "key {key} version {version}");
    }
    assert_eq!(world.upstream.seen_keys(), [], "nothing came through");
}

#[tokio::test]
async fn everything_the_embedded_log_answers_is_offered() {
    let world = World::new(&[]).await;
    let answer = world
        .ask(
            4,
            &ApiVersionsRequest {
                client_software_name: "tests".into(),
                client_software_version: "1".into(),
                ..Default::default()
            },
        )
        .await;
    for row in MATRIX.iter().filter(|row| row.embedded.is_some()) {
        let api = answer.api_keys.iter().find(|api| api.api_key == row.key);
        let api = api.unwrap_or_else(|| panic!("{} is not offered", row.name));
        assert_eq!(
            Some(api.max_version),
            row.embedded.map(|range| range.1),
            "{}",
            row.name
        );
    }
}
