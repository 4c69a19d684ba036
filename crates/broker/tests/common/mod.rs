//! A broker in this process, and a client that speaks frames to it.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use broker::disk::RealDisk;
use broker::{Broker, Link, LinkClosed, LinkReceiver, LinkSender, Options, Peer};
use bytes::Bytes;
use kastellan_core::secret::Secret;
use kastellan_core::time::Clock;
use seal::master::LocalKey;
use uuid::Uuid;
use wire::codec::Request;
use wire::error::ErrorCode;
use wire::header::{decode_response, encode_request};
use wire::message::*;
use wire::record::{BatchBuilder, Encoding};
use wire::text::Str;

static NEXT: AtomicU32 = AtomicU32::new(0);
/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

/// A broker over a directory that goes with it.
pub struct Bench {
    pub broker: Broker,
    dir: PathBuf,
    options: Options,
}

pub fn options() -> Options {
    let mut options = Options::default();
    options.groups.initial_delay = Duration::ZERO;
    options
}

impl Bench {
    pub async fn start() -> Self {
        Self::with(options()).await
    }

    pub async fn with(options: Options) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("kastellan-broker-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        Self::open(dir, options).await
    }

    async fn open(dir: PathBuf, options: Options) -> Self {
        let disk = Arc::new(open_disk(&dir).await);
        let key = LocalKey::new(&Secret::new(vec![7; 32])).unwrap();
        let opened = Broker::open(options.clone(), Arc::new(key), disk, Clock::system()).await;
        Self {
            broker: opened.unwrap(),
            dir,
            options,
        }
    }

    /// Stops and starts again on the same directory.
    pub async fn restart(self) -> Self {
        self.broker.stop().await.unwrap();
        Self::open(self.dir, self.options).await
    }

    pub async fn finish(self) {
        self.broker.stop().await.unwrap();
        std::fs::remove_dir_all(self.dir).unwrap();
    }

    pub fn client(&self) -> Client {
        let peer = Peer {
            principal: "User:test".into(),
            host: [127, 0, 0, 1].into(),
            listener: "TEST".into(),
            connection: 1,
        };
        Client::on(self.broker.link(peer))
    }
}

/// A broker that was stopped gives its directory back when the last of its threads has ended.
async fn open_disk(dir: &std::path::Path) -> RealDisk {
    loop {
        match RealDisk::open(dir) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            other => return other.unwrap(),
        }
    }
}

/// One connection.
pub struct Client {
    pub sender: LinkSender,
    pub receiver: LinkReceiver,
    correlation: i32,
}

impl Client {
    pub fn on(link: Link) -> Self {
        let (sender, receiver) = link.split();
        Self {
            sender,
            receiver,
            correlation: 0,
        }
    }

    /// Sends without waiting for the answer.
    pub async fn send<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        self.correlation += 1;
        let client_id = Some(Str::from("test-client"));
        let frame = encode_request(self.correlation, client_id, version, request).unwrap();
        self.sender.send(frame.into_bytes()).await.unwrap();
        self.correlation
    }

    pub async fn receive<R: Request>(
        &mut self,
        version: i16,
    ) -> Result<(i32, R::Response), LinkClosed> {
        let frame = tokio::time::timeout(LIMIT, self.receiver.receive()).await;
        let frame = frame.expect("no answer came")?;
        Ok(decode_response(R::KEY, version, frame.into_bytes()).unwrap())
    }

    /// Sends and waits for the answer; also checks that the answer decodes at its version.
    pub async fn ask<R: Request>(&mut self, version: i16, request: R) -> R::Response {
        let sent = self.send(version, &request).await;
        let (correlation, response) = self.receive::<R>(version).await.expect("link closed");
        assert_eq!(correlation, sent, "{}", R::NAME);
        response
    }

    /// Sends bytes as they are.
    pub async fn raw(&mut self, frame: Bytes) -> Result<Bytes, LinkClosed> {
        self.sender.send(frame).await?;
        let answer = tokio::time::timeout(LIMIT, self.receiver.receive()).await;
        answer
            .expect("no answer came")
            .map(|frame| frame.into_bytes())
    }

    pub async fn create(&mut self, name: &str, partitions: i32) -> Uuid {
        let created = self.create_with(name, partitions, &[]).await;
        assert_eq!(created.error_code, 0, "{:?}", created.error_message);
        created.topic_id
    }

    pub async fn create_with(
        &mut self,
        name: &str,
        num_partitions: i32,
        configs: &[(&str, &str)],
    ) -> create_topics_response::CreatableTopicResult {
        let config = |(name, value): &(&str, &str)| create_topics_request::CreatableTopicConfig {
            name: Str::from(*name),
            value: Some(Str::from(*value)),
            ..Default::default()
        };
        let topic = create_topics_request::CreatableTopic {
            name: name.into(),
            num_partitions,
            replication_factor: 1,
            configs: configs.iter().map(config).collect(),
            ..Default::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic],
            ..Default::default()
        };
        self.ask(7, request).await.topics.remove(0)
    }

    /// Appends one batch with acks=-1.
    pub async fn produce(
        &mut self,
        topic: &str,
        index: i32,
        records: Bytes,
    ) -> produce_response::PartitionProduceResponse {
        let request = produce_request(topic, index, Some(records), -1);
        let mut response = self.ask(12, request).await;
        response.responses.remove(0).partition_responses.remove(0)
    }

    pub async fn fetch(
        &mut self,
        topic: &str,
        index: i32,
        offset: i64,
    ) -> fetch_response::PartitionData {
        let request = fetch_request(topic, &[(index, offset)], 0, 1);
        let mut response = self.ask(12, request).await;
        assert_eq!(response.error_code, 0);
        response.responses.remove(0).partitions.remove(0)
    }

    pub async fn offset(&mut self, topic: &str, index: i32, timestamp: i64) -> (i16, i64, i64) {
        let partition = list_offsets_request::ListOffsetsPartition {
            partition_index: index,
            timestamp,
            ..Default::default()
        };
        let topic = list_offsets_request::ListOffsetsTopic {
            name: topic.into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let response = self.ask(11, request).await;
        let found = &response.topics[0].partitions[0];
        (found.error_code, found.offset, found.timestamp)
    }
}

pub fn produce_request(
    topic: &str,
    index: i32,
    records: Option<Bytes>,
    acks: i16,
) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 10_000,
        topic_data: vec![produce_request::TopicProduceData {
            name: topic.into(),
            partition_data: vec![produce_request::PartitionProduceData {
                index,
                records,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub fn fetch_request(
    topic: &str,
    partitions: &[(i32, i64)],
    max_wait_ms: i32,
    min_bytes: i32,
) -> FetchRequest {
    let partition = |(partition, fetch_offset): &(i32, i64)| fetch_request::FetchPartition {
        partition: *partition,
        fetch_offset: *fetch_offset,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    FetchRequest {
        replica_id: -1,
        max_wait_ms,
        min_bytes,
        max_bytes: 50 << 20,
        session_epoch: -1,
        topics: vec![fetch_request::FetchTopic {
            topic: topic.into(),
            partitions: partitions.iter().map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A batch of records with these values and timestamps from `time` on.
pub fn batch(time: i64, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new(Encoding::None);
    for (at, value) in values.iter().enumerate() {
        builder.append(time + at as i64, Some(b"k"), Some(value.as_bytes()), &[]);
    }
    builder.build().unwrap().bytes().clone()
}

pub fn code(code: i16) -> ErrorCode {
    ErrorCode(code)
}
