//! Listeners, limits and mapping rules that change while clients are connected.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use gateway::config::{Deadlines, Limits, LoginKind};
use kastellan_core::time::Clock;
use tokio::net::{TcpListener, TcpStream};
use trust::principal::{MappingRules, Source};
use wire::message::HeartbeatRequest;
use wire::sasl::Mechanism;

use crate::peer::{Client, beat};
use crate::world::{Door, PASSWORD, World};

async fn session(world: &World, door: Door) -> Client {
    let mut client = world.client(door).await;
    let verdict = client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    assert_eq!(verdict.unwrap().error_code, 0);
    client
}

async fn reached(world: &World, name: &str) -> bool {
    match world.address_of(name) {
        Some(address) => TcpStream::connect(address).await.is_ok(),
        None => false,
    }
}

fn mapped(rules: &str) -> LoginKind {
    LoginKind::Certificate {
        source: Source::Subject,
        rules: Arc::new(MappingRules::parse(rules).unwrap()),
    }
}

#[tokio::test]
async fn listener_is_opened_and_closed_while_others_serve() {
    let world = World::new().await;
    let mut before = session(&world, Door::Sasl).await;
    assert!(!reached(&world, "late").await);
    let mut late = world.listener(Door::Sasl);
    late.name = "late".into();
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.gateway.open_listener(late, socket).unwrap();
    let address = world.address_of("late").unwrap();
    let mut there = Client::over(TcpStream::connect(address).await.unwrap());
    there
        .log_in(Mechanism::Plain, "bob", PASSWORD)
        .await
        .unwrap();
    assert!(there.is_served().await && before.is_served().await);

    world.gateway.close_listener("late");
    assert!(there.is_closed().await, "nothing was in flight");
    while TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(before.is_served().await, "others stay");
    let mut after = session(&world, Door::Sasl).await;
    assert!(after.is_served().await);
}

#[tokio::test]
async fn closed_listener_answers_what_is_in_flight() {
    let world = World::new().await;
    let mut client = session(&world, Door::Sasl).await;
    world.behind.hold_answers();
    client.send(4, &beat(7)).await;
    while world.behind.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.gateway.close_listener("Sasl");
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.behind.release_answers();
    let (_, answer) = client.receive::<HeartbeatRequest>(4).await.unwrap();
    assert_eq!(answer.throttle_time_ms, 7);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn connections_of_a_closed_listener_are_cut_at_the_end_of_the_drain_time() {
    let short = Duration::from_millis(100);
    let world = World::with(|_, deadlines| deadlines.drain = short).await;
    let mut stuck = session(&world, Door::Sasl).await;
    world.behind.hold_answers();
    stuck.send(4, &beat(7)).await;
    while world.behind.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.gateway.close_listener("Sasl");
    assert!(stuck.is_closed().await);
}

#[tokio::test]
async fn changed_mechanisms_hold_for_the_next_login_and_cut_nobody() {
    let world = World::new().await;
    let mut before = session(&world, Door::SaslSsl).await;
    let mut listener = world.listener(Door::SaslSsl);
    listener.login = LoginKind::Sasl(vec!["SCRAM-SHA-512".parse().unwrap()]);
    world.gateway.change_listener(listener);
    assert!(before.is_served().await);
    let mut refused = world.client(Door::SaslSsl).await;
    assert_eq!(refused.greet("PLAIN").await.unwrap().error_code, 33);
    let mut scram = world.client(Door::SaslSsl).await;
    let mechanism = "SCRAM-SHA-512".parse().unwrap();
    let verdict = scram.log_in(mechanism, "alice", PASSWORD).await.unwrap();
    assert_eq!(verdict.error_code, 0);
    let answer = before.greet("PLAIN").await.unwrap();
    assert_eq!(
        answer.error_code, 33,
        "and for the next proof of an open session"
    );
}

#[tokio::test]
async fn changed_mapping_rules_cut_who_is_somebody_else_by_them() {
    let world = World::new().await;
    let now = Clock::system().now();
    let [alice, bob] = ["alice", "bob"].map(|name| world.ca.issue_client(name, now).unwrap());
    let mut alices = world.certified(&alice).await.unwrap();
    let mut bobs = world.certified(&bob).await.unwrap();
    let mut by_password = session(&world, Door::SaslSsl).await;
    assert!(alices.is_served().await && bobs.is_served().await);
    let mut listener = world.listener(Door::Ssl);
    listener.login = mapped("RULE:^CN=(alice)$/$1/,DEFAULT");
    world.gateway.change_listener(listener);
    assert!(
        alices.is_closed_in_order().await,
        "is alice and no longer CN=alice"
    );
    assert!(bobs.is_served().await && by_password.is_served().await);
    let mut again = world.certified(&alice).await.unwrap();
    assert!(again.is_served().await);
    let names: Vec<_> = world
        .trail
        .logins()
        .into_iter()
        .filter_map(|one| one.0)
        .collect();
    assert_eq!(names.last().map(String::as_str), Some("alice"));
}

/// Requests go on while everything that can change changes: nobody is disconnected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_under_load_disconnect_nobody() {
    const CLIENTS: usize = 20;
    let world = Arc::new(World::new().await);
    let (stop, served) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let now = Clock::system().now();
    let shown = world.ca.issue_client("alice", now).unwrap();
    let mut loads = Vec::new();
    for number in 0..CLIENTS {
        let mut client = match number % 3 {
            0 => session(&world, Door::Sasl).await,
            1 => session(&world, Door::SaslSsl).await,
            _ => world.certified(&shown).await.unwrap(),
        };
        let (stop, served) = (stop.clone(), served.clone());
        loads.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                assert!(client.is_served().await, "client {number} was disconnected");
                served.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for round in 0..50 {
        let limits = Limits {
            request_memory: (100 + round % 2 * 400) << 20,
            max_connections: 500 + round,
            in_flight: 10 + round,
            ..Limits::default()
        };
        world.gateway.change_settings(limits, Deadlines::default());
        world.gateway.except([].into());
        for door in [Door::Sasl, Door::SaslSsl, Door::Ssl] {
            world.gateway.change_listener(world.listener(door));
        }
        let mut extra = world.listener(Door::Sasl);
        extra.name = "extra".into();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        world.gateway.open_listener(extra, socket).unwrap();
        world.revoke(kastellan_core::ports::Revocation::TrustChanged);
        let seen = served.load(Ordering::Relaxed);
        while served.load(Ordering::Relaxed) < seen + CLIENTS {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.gateway.close_listener("extra");
    }
    stop.store(true, Ordering::Relaxed);
    for load in loads {
        load.await.unwrap();
    }
}

#[tokio::test]
async fn limits_change_for_connections_that_come() {
    let world = World::new().await;
    let mut first = session(&world, Door::Sasl).await;
    let limits = Limits {
        max_connections_per_principal: 1,
        ..Limits::default()
    };
    let deadlines = Deadlines {
        failed_login_delay: Duration::ZERO,
        ..Deadlines::default()
    };
    world.gateway.change_settings(limits, deadlines);
    let mut second = world.client(Door::Sasl).await;
    let verdict = second.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    assert_eq!(verdict.unwrap().error_code, 58);
    assert!(first.is_served().await);
}
