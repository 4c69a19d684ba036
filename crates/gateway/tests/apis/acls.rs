//! The policy, managed through Kafka's own ACL requests.

use wire::message::create_acls_request::AclCreation;
use wire::message::delete_acls_request::DeleteAclsFilter;
use wire::message::{CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest, MetadataRequest};
use wire::text::Str;

use crate::support::{ME, World, rule};

const ADMIN: [&str; 2] = ["allow Alter cluster", "allow Describe cluster"];
const TOPIC: i8 = 2;
const CLUSTER: i8 = 4;
const ANY: i8 = 1;
const MATCH: i8 = 2;
const LITERAL: i8 = 3;
const PREFIXED: i8 = 4;
const READ: i8 = 3;
const ALLOW: i8 = 3;

fn one(name: &str) -> AclCreation {
    AclCreation {
        resource_type: TOPIC,
        resource_name: name.into(),
        resource_pattern_type: LITERAL,
        principal: format!("User:{ME}").into(),
        host: "*".into(),
        operation: READ,
        permission_type: ALLOW,
        ..Default::default()
    }
}

pub fn creation(creations: Vec<AclCreation>) -> CreateAclsRequest {
    CreateAclsRequest {
        creations,
        ..Default::default()
    }
}

pub fn create_one(name: &str) -> CreateAclsRequest {
    creation(vec![one(name)])
}

pub fn everything() -> DescribeAclsRequest {
    DescribeAclsRequest {
        resource_type_filter: ANY,
        resource_name_filter: None,
        principal_filter: None,
        host_filter: None,
        pattern_type_filter: ANY,
        operation: ANY,
        permission_type: ANY,
        ..Default::default()
    }
}

pub fn filter(name: Option<&str>, pattern: i8) -> DeleteAclsFilter {
    DeleteAclsFilter {
        resource_type_filter: TOPIC,
        resource_name_filter: name.map(Str::from),
        pattern_type_filter: pattern,
        principal_filter: None,
        host_filter: None,
        operation: ANY,
        permission_type: ANY,
        ..Default::default()
    }
}

fn codes(answer: &wire::message::CreateAclsResponse) -> Vec<i16> {
    answer
        .results
        .iter()
        .map(|result| result.error_code)
        .collect()
}

#[tokio::test]
async fn rules_are_created_with_alter_on_the_cluster_and_hold_at_once() {
    let world = World::new(&["allow Describe cluster"]).await;
    for version in 1..=3 {
        assert_eq!(
            codes(
                &world
                    .ask(version, &creation(vec![one("a"), one("b")]))
                    .await
            ),
            [31, 31]
        );
    }
    assert_eq!(world.rules.definitions().len(), 1);
    world.rules.set(&ADMIN);
    let mut client = world.client().await;
    let visible = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    assert_eq!(client.ask(9, &visible).await.topics.len(), 0);
    assert_eq!(codes(&world.ask(3, &create_one("a")).await), [0]);
    assert!(
        world
            .rules
            .definitions()
            .contains(&rule("allow Read topic:a"))
    );
    assert_eq!(
        client.ask(9, &visible).await.topics.len(),
        1,
        "on a connection that was open before"
    );
    assert_eq!(
        codes(&world.ask(2, &create_one("a")).await),
        [0],
        "once more is no error"
    );
    assert_eq!(world.rules.definitions().len(), 3);
}

#[tokio::test]
async fn bad_entries_are_refused_beside_good_ones() {
    let world = World::new(&ADMIN).await;
    let bad = [
        AclCreation {
            operation: 99,
            ..one("a")
        },
        AclCreation {
            resource_type: 99,
            ..one("a")
        },
        AclCreation {
            permission_type: 99,
            ..one("a")
        },
        AclCreation {
            resource_name: "".into(),
            ..one("a")
        },
        AclCreation {
            resource_type: CLUSTER,
            ..one("not-the-cluster")
        },
        AclCreation {
            principal: "nocolon".into(),
            ..one("a")
        },
        AclCreation {
            host: "".into(),
            ..one("a")
        },
        AclCreation {
            host: "10.0.0.0/99".into(),
            ..one("a")
        },
    ];
    for entry in bad {
        world.rules.set(&ADMIN);
        let answer = world.ask(3, &creation(vec![entry.clone(), one("b")])).await;
        assert_eq!(codes(&answer), [42, 0], "{entry:?}");
        assert_eq!(world.rules.definitions().len(), 3);
    }
}

#[tokio::test]
async fn filter_codes_in_one_entry_fail_all_of_them() {
    let world = World::new(&ADMIN).await;
    let odd = [
        AclCreation {
            resource_type: ANY,
            ..one("a")
        },
        AclCreation {
            resource_pattern_type: ANY,
            ..one("a")
        },
        AclCreation {
            resource_pattern_type: MATCH,
            ..one("a")
        },
        AclCreation {
            operation: ANY,
            ..one("a")
        },
        AclCreation {
            permission_type: ANY,
            ..one("a")
        },
    ];
    for entry in odd {
        let answer = world.ask(3, &creation(vec![one("b"), entry])).await;
        assert_eq!(codes(&answer), [-1, -1]);
        assert_eq!(world.rules.definitions().len(), 2, "nothing is stored");
    }
    assert!(
        world
            .closes_on(
                3,
                &creation(vec![
                    one("b"),
                    AclCreation {
                        operation: 0,
                        ..one("a")
                    }
                ])
            )
            .await
    );
    assert_eq!(world.rules.definitions().len(), 2);
}

#[tokio::test]
async fn rules_are_listed_with_describe_on_the_cluster() {
    let world = World::new(&[
        "allow Read topic:a",
        "allow Read topic:ab*",
        "deny Write topic:a",
    ])
    .await;
    for version in 1..=3 {
        let refused = world.ask(version, &everything()).await;
        assert_eq!((refused.error_code, refused.resources.len()), (31, 0));
    }
    world.rules.set(&[
        "allow Read topic:a",
        "allow Read topic:ab*",
        "deny Write topic:a",
        "allow Describe cluster",
    ]);
    for version in 1..=3 {
        let answer = world.ask(version, &everything()).await;
        let shown: Vec<_> = answer
            .resources
            .iter()
            .map(|one| {
                (
                    one.resource_type,
                    &*one.resource_name,
                    one.pattern_type,
                    one.acls.len(),
                )
            })
            .collect();
        let mut sorted = shown.clone();
        sorted.sort();
        let expected = [
            (TOPIC, "a", LITERAL, 2),
            (TOPIC, "ab", PREFIXED, 1),
            (CLUSTER, "kafka-cluster", LITERAL, 1),
        ];
        assert_eq!(sorted, expected, "grouped by resource");
        let acl = &answer
            .resources
            .iter()
            .find(|one| &*one.resource_name == "ab")
            .unwrap()
            .acls[0];
        assert_eq!(
            (
                &*acl.principal,
                &*acl.host,
                acl.operation,
                acl.permission_type
            ),
            ("User:ANONYMOUS", "*", READ, ALLOW)
        );
    }
}

#[tokio::test]
async fn match_finds_what_would_decide_about_a_name() {
    let rules = [
        "allow Read topic:payments.eu",
        "allow Read topic:*",
        "allow Read topic:pay*",
        "allow Read topic:payments.us",
        "allow Read topic:payments.eu.x*",
        "allow Describe cluster",
    ];
    let world = World::new(&rules).await;
    let request = DescribeAclsRequest {
        resource_type_filter: TOPIC,
        resource_name_filter: Some("payments.eu".into()),
        pattern_type_filter: MATCH,
        ..everything()
    };
    let answer = world.ask(3, &request).await;
    let mut names: Vec<_> = answer
        .resources
        .iter()
        .map(|one| (&*one.resource_name, one.pattern_type))
        .collect();
    names.sort();
    assert_eq!(
        names,
        [("*", LITERAL), ("pay", PREFIXED), ("payments.eu", LITERAL)]
    );
    let nothing = world
        .ask(
            3,
            &DescribeAclsRequest {
                operation: 99,
                ..everything()
            },
        )
        .await;
    assert_eq!((nothing.error_code, nothing.resources.len()), (0, 0));
    assert!(
        world
            .closes_on(
                3,
                &DescribeAclsRequest {
                    permission_type: 0,
                    ..everything()
                }
            )
            .await
    );
}

#[tokio::test]
async fn rules_are_removed_by_filters_that_each_report_what_they_found() {
    let world = World::new(&[
        "allow Read topic:a",
        "allow Read topic:b",
        "allow Describe cluster",
    ])
    .await;
    let both = DeleteAclsRequest {
        filters: vec![filter(Some("a"), LITERAL), filter(None, ANY)],
        ..Default::default()
    };
    for version in 1..=3 {
        let refused = world.ask(version, &both).await;
        let codes: Vec<_> = refused
            .filter_results
            .iter()
            .map(|one| one.error_code)
            .collect();
        assert_eq!(codes, [31, 31]);
    }
    assert_eq!(world.rules.definitions().len(), 3);
    world.rules.set(&[
        "allow Read topic:a",
        "allow Read topic:b",
        "allow Alter cluster",
    ]);
    let answer = world.ask(3, &both).await;
    let found: Vec<_> = answer
        .filter_results
        .iter()
        .map(|one| one.matching_acls.len())
        .collect();
    assert_eq!(found, [1, 2], "the same rule is reported by both");
    assert_eq!(world.rules.definitions(), [rule("allow Alter cluster")]);
}

#[tokio::test]
async fn filter_with_a_code_nobody_knows_removes_nothing() {
    let world = World::new(&["allow Read topic:a", "allow Alter cluster"]).await;
    let unknown = DeleteAclsFilter {
        operation: 99,
        ..filter(None, ANY)
    };
    let request = DeleteAclsRequest {
        filters: vec![unknown],
        ..Default::default()
    };
    assert_eq!(
        world.ask(3, &request).await.filter_results[0].error_code,
        42
    );
    let zero = DeleteAclsFilter {
        pattern_type_filter: 0,
        ..filter(None, ANY)
    };
    assert!(
        world
            .closes_on(
                3,
                &DeleteAclsRequest {
                    filters: vec![zero],
                    ..Default::default()
                }
            )
            .await
    );
    assert_eq!(world.rules.definitions().len(), 2);
}

#[tokio::test]
async fn rules_never_reach_the_upstream() {
    let world = World::new(&ADMIN).await;
    world.ask(3, &everything()).await;
    world.ask(3, &create_one("a")).await;
    world
        .ask(
            3,
            &DeleteAclsRequest {
                filters: vec![filter(None, ANY)],
                ..Default::default()
            },
        )
        .await;
    assert_eq!(world.upstream.seen_keys(), []);
}
