//! A client of the same process: the same doors, without a socket.

use std::net::SocketAddr;

use wire::sasl::Mechanism;

use crate::peer::{Client, beat};
use crate::world::{Door, PASSWORD, World};

const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

#[tokio::test]
async fn client_in_memory_logs_in_like_any_other() {
    let world = World::new().await;
    for (password, is_let_in) in [(PASSWORD, true), ("wrong", false)] {
        let (near, far) = tokio::io::duplex(1 << 10);
        let mut client = Client::over(near);
        let talk = async {
            let verdict = client.log_in(Mechanism::Plain, "alice", password).await;
            assert_eq!(verdict.unwrap().error_code == 0, is_let_in);
            assert_eq!(client.is_served().await, is_let_in);
            drop(client);
        };
        let listener = world.listener(Door::Sasl);
        tokio::join!(world.gateway.serve_in_memory(listener, HERE, far), talk);
    }
    let (near, far) = tokio::io::duplex(1 << 10);
    let mut early = Client::over(near);
    let talk = async {
        early.send(4, &beat(1)).await;
        assert!(early.is_closed().await, "nobody logged in");
        drop(early);
    };
    let listener = world.listener(Door::Sasl);
    tokio::join!(world.gateway.serve_in_memory(listener, HERE, far), talk);
    assert_eq!(world.behind.seen(), [12]);
}
