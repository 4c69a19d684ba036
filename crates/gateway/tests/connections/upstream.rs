//! The same gateway before a node that is reached over a socket.

use std::net::SocketAddr;
use std::time::Duration;

use gateway::upstream::tcp::TcpUpstream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use wire::codec::Reader;
use wire::header::RequestHeader;
use wire::message::{ApiVersionsRequest, HeartbeatRequest};

use crate::peer::{beat, beat_of, framed};
use crate::world::{CLOSE, Door, World, reply};

/// A node on a port. It is gone when the handle is aborted.
async fn node_at(address: SocketAddr) -> (SocketAddr, AbortHandle) {
    let socket = TcpListener::bind(address).await.unwrap();
    let address = socket.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let (stream, _) = socket.accept().await.unwrap();
            connections.spawn(serve(stream));
        }
    });
    (address, task.abort_handle())
}

async fn node() -> (SocketAddr, AbortHandle) {
    node_at("127.0.0.1:0".parse().unwrap()).await
}

async fn serve(mut stream: TcpStream) {
    while let Ok(length) = stream.read_u32().await {
        let mut frame = vec![0; length as usize];
        stream.read_exact(&mut frame).await.unwrap();
        let frame = bytes::Bytes::from(frame);
        let header = RequestHeader::read(&mut Reader::new(frame.clone())).unwrap();
        let Ok(reply) = reply(&header, frame) else {
            return;
        };
        for part in reply
            .into_iter()
            .flat_map(|reply| reply.into_wire().unwrap())
        {
            stream.write_all(&part).await.unwrap();
        }
    }
}

fn upstream(address: SocketAddr, answer_max: usize) -> TcpUpstream {
    TcpUpstream::new(address.to_string(), answer_max)
}

#[tokio::test]
async fn requests_reach_a_node_over_its_socket() {
    let (address, _node) = node().await;
    let world = World::before_node(upstream(address, 1 << 20)).await;
    assert!(world.status().is_reached());
    let mut client = world.client(Door::Open).await;
    let bytes: Vec<u8> = (0..200)
        .flat_map(|id| framed(id, 4, &beat(id * 10)))
        .collect();
    client.write(&bytes).await;
    for id in 0..200 {
        let (answered, answer) = client.receive::<HeartbeatRequest>(4).await.unwrap();
        assert_eq!((answered, answer.throttle_time_ms), (id, id * 10));
    }
}

#[tokio::test]
async fn node_that_comes_later_is_served_then() {
    let (address, node) = node().await;
    node.abort();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let world = World::before_node(upstream(address, 1 << 20)).await;
    assert!(!world.status().is_reached());
    let mut early = world.client(Door::Open).await;
    let offered = early.ask(0, &ApiVersionsRequest::default()).await.unwrap();
    assert!(offered.api_keys.iter().all(|api| api.api_key != 12));
    assert!(!early.is_served().await);

    let _node = node_at(address).await;
    let reached = async {
        while !world.status().is_reached() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let reached = tokio::time::timeout(Duration::from_secs(5), reached).await;
    assert!(reached.is_ok());
    assert!(world.client(Door::Open).await.is_served().await);
}

#[tokio::test]
async fn connection_that_the_node_closes_is_closed_and_the_next_works() {
    let (address, _node) = node().await;
    let world = World::before_node(upstream(address, 1 << 20)).await;
    let mut client = world.client(Door::Open).await;
    assert!(client.is_served().await);
    client.send(4, &beat_of(CLOSE, 1)).await;
    assert!(client.is_closed().await);
    assert!(world.client(Door::Open).await.is_served().await);
}

#[tokio::test]
async fn idle_client_learns_that_its_node_is_gone() {
    let (address, node) = node().await;
    let world = World::before_node(upstream(address, 1 << 20)).await;
    let mut client = world.client(Door::Open).await;
    assert!(client.is_served().await);
    node.abort();
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn answer_above_the_cap_is_no_answer() {
    let (address, _node) = node().await;
    // Less than what a node tells of its versions.
    let world = World::before_node(upstream(address, 100)).await;
    assert!(!world.status().is_reached());
}
