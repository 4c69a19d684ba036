//! SCRAM credentials, managed through Kafka's own requests.

use bytes::Bytes;
use wire::message::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use wire::message::describe_user_scram_credentials_request::UserName;
use wire::message::{AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest};

use crate::support::World;

const ADMIN: [&str; 2] = ["allow Alter cluster", "allow Describe cluster"];
const SHA_256: i8 = 1;
const SHA_512: i8 = 2;

fn upsertion(name: &str, mechanism: i8) -> ScramCredentialUpsertion {
    ScramCredentialUpsertion {
        name: name.into(),
        mechanism,
        iterations: 8_192,
        salt: Bytes::from_static(b"0123456789abcdef"),
        salted_password: Bytes::from(vec![7; if mechanism == SHA_256 { 32 } else { 64 }]),
        ..Default::default()
    }
}

pub fn set(upsertions: Vec<ScramCredentialUpsertion>) -> AlterUserScramCredentialsRequest {
    AlterUserScramCredentialsRequest {
        upsertions,
        ..Default::default()
    }
}

pub fn set_one(name: &str) -> AlterUserScramCredentialsRequest {
    set(vec![upsertion(name, SHA_512)])
}

fn deletion(name: &str, mechanism: i8) -> AlterUserScramCredentialsRequest {
    let deletion = ScramCredentialDeletion {
        name: name.into(),
        mechanism,
        ..Default::default()
    };
    AlterUserScramCredentialsRequest {
        deletions: vec![deletion],
        ..Default::default()
    }
}

pub fn description(users: Option<&[&str]>) -> DescribeUserScramCredentialsRequest {
    let one = |name: &&str| UserName {
        name: (*name).into(),
        ..Default::default()
    };
    DescribeUserScramCredentialsRequest {
        users: users.map(|users| users.iter().map(one).collect()),
        ..Default::default()
    }
}

async fn codes(world: &World, request: &AlterUserScramCredentialsRequest) -> Vec<(String, i16)> {
    let answer = world.ask(0, request).await;
    answer
        .results
        .iter()
        .map(|one| (one.user.to_string(), one.error_code))
        .collect()
}

fn line(user: &str, code: i16) -> (String, i16) {
    (user.to_owned(), code)
}

#[tokio::test]
async fn credentials_are_set_with_alter_on_the_cluster_and_only_keys_are_kept() {
    let world = World::new(&["allow Describe cluster"]).await;
    let two = set(vec![upsertion("bob", SHA_256), upsertion("alice", SHA_512)]);
    assert_eq!(
        codes(&world, &two).await,
        [line("alice", 31), line("bob", 31)],
        "by user, sorted"
    );
    assert!(world.users.kept.lock().unwrap().is_empty());
    world.rules.set(&ADMIN);
    let mut set = codes(&world, &two).await;
    set.sort();
    assert_eq!(set, [line("alice", 0), line("bob", 0)]);
    let kept = world.users.kept.lock().unwrap();
    let verifier = &kept["alice"][0];
    assert_eq!(
        (verifier.iterations, &verifier.salt[..]),
        (8_192, &b"0123456789abcdef"[..])
    );
    assert!(!verifier.stored_key.matches(&[7; 64]) && !verifier.server_key.matches(&[7; 64]));
}

#[tokio::test]
async fn one_user_twice_in_a_request_changes_nothing_of_that_user() {
    let world = World::new(&ADMIN).await;
    let twice = set(vec![
        upsertion("alice", SHA_256),
        upsertion("alice", SHA_512),
        upsertion("bob", SHA_512),
    ]);
    let mut outcome = codes(&world, &twice).await;
    outcome.sort();
    assert_eq!(outcome, [line("alice", 92), line("bob", 0)]);
    // What is wrong with one of them is told first.
    let wrong = set(vec![upsertion("alice", 9), upsertion("alice", 9)]);
    assert_eq!(codes(&world, &wrong).await, [line("alice", 33)]);
    assert!(!world.users.kept.lock().unwrap().contains_key("alice"));
}

#[tokio::test]
async fn credentials_that_cannot_be_are_refused() {
    let world = World::new(&ADMIN).await;
    let with = |change: fn(&mut ScramCredentialUpsertion)| {
        let mut one = upsertion("alice", SHA_512);
        change(&mut one);
        set(vec![one])
    };
    assert_eq!(
        codes(&world, &with(|one| one.iterations = 4_095)).await,
        [line("alice", 93)]
    );
    assert_eq!(
        codes(&world, &with(|one| one.iterations = 16_385)).await,
        [line("alice", 93)]
    );
    assert_eq!(
        codes(&world, &with(|one| one.iterations = -1)).await,
        [line("alice", 93)]
    );
    assert_eq!(
        codes(&world, &with(|one| one.name = "".into())).await,
        [line("", 93)]
    );
    assert_eq!(
        codes(&world, &with(|one| one.mechanism = 3)).await,
        [line("alice", 33)]
    );
    assert_eq!(
        codes(
            &world,
            &with(|one| one.salted_password = Bytes::from_static(b"short"))
        )
        .await,
        [line("alice", 93)]
    );
    assert!(world.users.kept.lock().unwrap().is_empty());
    assert_eq!(
        codes(&world, &with(|one| one.iterations = 4_096)).await,
        [line("alice", 0)]
    );
    assert_eq!(
        codes(&world, &with(|one| one.iterations = 16_384)).await,
        [line("alice", 0)]
    );
}

#[tokio::test]
async fn credential_that_is_not_there_cannot_be_deleted() {
    let world = World::new(&ADMIN).await;
    codes(&world, &set_one("alice")).await;
    assert_eq!(
        codes(&world, &deletion("alice", SHA_256)).await,
        [line("alice", 91)]
    );
    assert_eq!(
        codes(&world, &deletion("alice", SHA_512)).await,
        [line("alice", 0)]
    );
    assert_eq!(
        codes(&world, &deletion("alice", SHA_512)).await,
        [line("alice", 91)]
    );
}

#[tokio::test]
async fn credentials_are_described_without_their_keys() {
    let world = World::new(&ADMIN).await;
    codes(
        &world,
        &set(vec![upsertion("bob", SHA_256), upsertion("alice", SHA_512)]),
    )
    .await;
    for all in [None, Some(&[][..])] {
        let answer = world.ask(0, &description(all)).await;
        let shown: Vec<_> = answer
            .results
            .iter()
            .map(|one| {
                (
                    &*one.user,
                    one.credential_infos[0].mechanism,
                    one.credential_infos[0].iterations,
                )
            })
            .collect();
        assert_eq!(shown, [("alice", SHA_512, 8_192), ("bob", SHA_256, 8_192)]);
    }
    let answer = world
        .ask(0, &description(Some(&["alice", "carol", "bob", "bob"])))
        .await;
    let codes: Vec<_> = answer
        .results
        .iter()
        .map(|one| (&*one.user, one.error_code))
        .collect();
    assert_eq!(
        (answer.error_code, codes),
        (0, vec![("alice", 0), ("carol", 91), ("bob", 92)])
    );
}

#[tokio::test]
async fn description_without_describe_is_refused() {
    let world = World::new(&["allow Alter topic:*"]).await;
    let answer = world.ask(0, &description(None)).await;
    assert_eq!((answer.error_code, answer.results.len()), (31, 0));
    let answer = world.ask(0, &description(Some(&["alice", "bob"]))).await;
    let shown: Vec<_> = answer
        .results
        .iter()
        .map(|one| (&*one.user, one.error_code))
        .collect();
    assert_eq!((answer.error_code, shown), (31, vec![("", 31), ("", 31)]));
}

#[tokio::test]
async fn credentials_never_reach_the_upstream() {
    let world = World::new(&ADMIN).await;
    codes(&world, &set_one("alice")).await;
    world.ask(0, &description(None)).await;
    assert_eq!(world.upstream.seen_keys(), []);
}
