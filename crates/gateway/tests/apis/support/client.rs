//! A client that writes Kafka's bytes to a socket.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::Request;
use wire::header::{decode_response, encode_request};

use super::PATIENCE;

/// A client that writes what it is told.
pub struct Client {
    pub(super) stream: TcpStream,
    pub(super) next: i32,
}

impl Client {
    pub async fn send<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        self.next += 1;
        let frame = encode_request(self.next, Some("tests".into()), version, request)
            .unwrap()
            .into_bytes();
        self.send_frame(&frame).await;
        self.next
    }

    pub async fn send_frame(&mut self, frame: &[u8]) {
        let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
        self.stream
            .write_all(&[&length, frame].concat())
            .await
            .unwrap();
    }

    /// The next answer; `None` when the connection was closed instead.
    pub async fn receive_frame(&mut self) -> Option<Bytes> {
        let read = async {
            let length = self.stream.read_u32().await.ok()?;
            let mut frame = BytesMut::zeroed(length as usize);
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(frame.freeze())
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the gateway answers or closes")
    }

    pub async fn receive<R: Request>(&mut self, version: i16, correlation_id: i32) -> R::Response {
        let frame = self.receive_frame().await.expect("an answer");
        let (id, response) = decode_response::<R::Response>(R::KEY, version, frame).unwrap();
        assert_eq!(id, correlation_id);
        response
    }

    pub async fn ask<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let id = self.send(version, request).await;
        self.receive::<R>(version, id).await
    }

    pub async fn is_closed(&mut self) -> bool {
        self.receive_frame().await.is_none()
    }
}
