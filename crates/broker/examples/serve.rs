//! Serves the broker on a loopback port without TLS, without login, without rights: for client test suites.
//!
//! `cargo run -p broker --example serve -- --port 0 --data DIR [--auto-create PARTITIONS] [--rebalance-delay MS]`
//! prints `BOOTSTRAP=host:port` when it is ready, and stops at ctrl-c.
#![allow(clippy::print_stdout, reason = "the address is its output")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use broker::disk::RealDisk;
use broker::{Broker, Link, Options, Peer};
use bytes::BytesMut;
use kastellan_core::time::Clock;
use seal::master::LocalKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use wire::frame::{self, FrameCaps};

const FRAME_MAX: usize = 100 << 20;

struct Arguments {
    port: u16,
    data: PathBuf,
    auto_create: Option<i32>,
    rebalance_delay: Duration,
}

impl Arguments {
    fn parse() -> Result<Self> {
        let mut parsed = Self {
            port: 0,
            data: PathBuf::from("kastellan-log"),
            auto_create: None,
            rebalance_delay: Duration::from_secs(3),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .with_context(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--port" => parsed.port = value.parse()?,
                "--data" => parsed.data = value.into(),
                "--auto-create" => parsed.auto_create = Some(value.parse()?),
                "--rebalance-delay" => {
                    parsed.rebalance_delay = Duration::from_millis(value.parse()?)
                }
                _ => bail!("{name} is not known"),
            }
        }
        Ok(parsed)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .init();
    let arguments = Arguments::parse()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).await?;
    let address = listener.local_addr()?;
    let broker = Arc::new(open(&arguments, address).await?);
    println!("BOOTSTRAP={address}");
    let accepting = tokio::spawn(accept(listener, Arc::clone(&broker)));
    tokio::signal::ctrl_c().await?;
    accepting.abort();
    let _ = accepting.await;
    let broker = Arc::into_inner(broker).context("a connection still holds the broker")?;
    Ok(broker.stop().await?)
}

async fn open(arguments: &Arguments, address: SocketAddr) -> Result<Broker> {
    std::fs::create_dir_all(&arguments.data)?;
    let key_path = arguments.data.join("master.key");
    let key = match key_path.exists() {
        true => LocalKey::load(&key_path)?,
        false => LocalKey::create(&key_path)?,
    };
    let disk = Arc::new(RealDisk::open(&arguments.data.join("log"))?);
    let clock = Clock::system();
    let mut options = Options {
        advertised: (address.ip().to_string().into(), address.port()),
        auto_create_topics: arguments.auto_create.is_some(),
        partitions: arguments.auto_create.unwrap_or(1),
        ..Options::default()
    };
    options.groups.initial_delay = arguments.rebalance_delay;
    Ok(Broker::open(options, Arc::new(key), disk, clock).await?)
}

async fn accept(listener: TcpListener, broker: Arc<Broker>) {
    let mut connection = 0;
    while let Ok((stream, address)) = listener.accept().await {
        connection += 1;
        let peer = Peer {
            principal: "User:ANONYMOUS".into(),
            host: address.ip(),
            listener: "PLAINTEXT".into(),
            connection,
        };
        let link = broker.link(peer);
        tokio::spawn(serve(stream, link));
    }
}

async fn serve(stream: TcpStream, link: Link) {
    // Answers are small and wait for no one.
    let _ = stream.set_nodelay(true);
    let (input, output) = stream.into_split();
    let (sender, receiver) = link.split();
    tokio::select! {
        ended = read(input, sender) => tracing::debug!(?ended, "Client went"),
        ended = write(output, receiver) => tracing::debug!(?ended, "Link closed"),
    }
}

async fn read(mut input: OwnedReadHalf, sender: broker::LinkSender) -> Result<()> {
    let mut buffer = BytesMut::with_capacity(64 << 10);
    let caps = FrameCaps::same(FRAME_MAX);
    loop {
        while let Some(request) = frame::take(&mut buffer, caps)? {
            sender.send(request).await?;
        }
        buffer.reserve(64 << 10);
        if input.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

async fn write(mut output: OwnedWriteHalf, mut receiver: broker::LinkReceiver) -> Result<()> {
    loop {
        let answer = receiver.receive().await?;
        let length = answer.length_prefix().context("answer is too long")?;
        output.write_all(&length).await?;
        for part in &answer.parts {
            output.write_all(part).await?;
        }
    }
}
