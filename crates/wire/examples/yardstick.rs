//! How long the codec takes, beside what a general Kafka codec took: `cargo run --release -p wire --example yardstick`.
//!
//! Out: a table; each figure is the best of many runs. The yardstick is kafka-protocol 0.18.0 on two cores of a server, with
//! records of its own: what compression costs depends on them. Compare on an otherwise idle machine.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use kastellan_core::time::Clock;
use wire::codec::{Reader, Writer};
use wire::message::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use wire::message::produce_request::{PartitionProduceData, TopicProduceData};
use wire::message::{MetadataResponse, ProduceRequest};
use wire::record::{Batch, BatchBuilder, Codec, Encoding, ExpansionCaps, WalkRules, walk};
use wire::text::Str;
use wire::{Message, record};

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs for at least this long, and at least this often.
const WHILE: Duration = Duration::from_millis(400);
const RUNS: u32 = 5;

#[allow(clippy::print_stdout, reason = "a program for a person")]
fn main() {
    let clock = Clock::system();
    println!("| operation | us | yardstick us |\n|---|---|---|");
    for (name, yardstick, mut work) in rows() {
        let best = best_of(&clock, &mut work);
        println!("| {name} | {:.2} | {yardstick} |", best.as_secs_f64() * 1e6);
    }
}

fn best_of(clock: &Clock, work: &mut dyn FnMut()) -> Duration {
    let (mut best, mut runs) = (Duration::MAX, 0);
    let started = clock.monotonic();
    while clock.monotonic() - started < WHILE || runs < RUNS {
        // Short work is timed in bunches: the clock itself takes time.
        let bunch = if best < Duration::from_micros(20) {
            100
        } else {
            1
        };
        let before = clock.monotonic();
        for _ in 0..bunch {
            work();
        }
        best = best.min((clock.monotonic() - before) / bunch);
        runs += 1;
    }
    best
}

type Row = (&'static str, f64, Box<dyn FnMut()>);

fn rows() -> Vec<Row> {
    let large = encoded(
        &produce(batch(&values(1_000), Encoding::None).bytes().clone()),
        9,
    );
    let small = encoded(
        &produce(batch(&values(1), Encoding::None).bytes().clone()),
        9,
    );
    let large_again = decoded::<ProduceRequest>(&large, 9);
    let mut rows: Vec<Row> = vec![
        row("decode Produce v9 with 1 MB of records", 0.25, move || {
            black_box(decoded::<ProduceRequest>(&large, 9));
        }),
        row("encode the same", 29.0, move || {
            black_box(parts(&large_again, 9));
        }),
        row("decode and encode Produce v9 with 1 KB", 0.27, move || {
            black_box(parts(&decoded::<ProduceRequest>(&small, 9), 9));
        }),
    ];
    for (topics, partitions, decode, encode) in [
        (10, 3, 6.5, 1.9),
        (100, 10, 147.0, 43.0),
        (1_000, 30, 4_400.0, 1_100.0),
    ] {
        let value = metadata(topics, partitions);
        let bytes = encoded(&value, 12);
        let name = |what: &str| -> &'static str {
            format!("{what} Metadata v12, {topics} x {partitions}").leak()
        };
        rows.push(row(name("decode"), decode, move || {
            black_box(decoded::<MetadataResponse>(&bytes, 12));
        }));
        rows.push(row(name("encode"), encode, move || {
            black_box(parts(&value, 12));
        }));
    }
    let plain = batch(&values(1_000), Encoding::None);
    rows.push(row("walk 1000 records of 1 KB", 145.0, move || {
        black_box(walk(plain.clone(), &WalkRules::default()).expect("it is whole"));
    }));
    let thousand = values(1_000);
    rows.push(row("build them", 106.0, move || {
        black_box(batch(&thousand, Encoding::None));
    }));
    for (codec, decode, encode) in [
        (Codec::Snappy, 216.0, 221.0),
        (Codec::Lz4, 1_100.0, 22_700.0),
        (Codec::Zstd, 1_300.0, 6_500.0),
        (Codec::Gzip, 15_000.0, 116_000.0),
    ] {
        let packed = batch(&values(1_000), Encoding::default_of(codec));
        let plain = packed
            .plain_section(&ExpansionCaps::default())
            .expect("it is whole");
        let name = |what: &str| -> &'static str { format!("{what} {codec:?}").leak() };
        rows.push(row(name("decode"), decode, move || {
            black_box(packed.plain_section(&ExpansionCaps::default())).expect("it is whole");
        }));
        rows.push(row(name("encode"), encode, move || {
            black_box(record::compress::compress(
                Encoding::default_of(codec),
                &plain,
            ))
            .expect("it fits");
        }));
    }
    rows.extend(snappy_alone());
    rows
}

/// What the library needs for the same records: our own share is the rest.
fn snappy_alone() -> [Row; 2] {
    let plain = batch(&values(1_000), Encoding::None).section();
    let packed = snap::raw::Encoder::new()
        .compress_vec(&plain)
        .expect("it fits");
    [
        row("decode Snappy, the library alone", 216.0, move || {
            black_box(snap::raw::Decoder::new().decompress_vec(&packed)).expect("it is whole");
        }),
        row("encode Snappy, the library alone", 221.0, move || {
            black_box(snap::raw::Encoder::new().compress_vec(&plain)).expect("it fits");
        }),
    ]
}

fn row(name: &'static str, yardstick: f64, work: impl FnMut() + 'static) -> Row {
    (name, yardstick, Box::new(work))
}

fn decoded<M: Message>(bytes: &Bytes, version: i16) -> M {
    M::decode(&mut Reader::new(bytes.clone()), version).expect("it was encoded")
}

fn parts<M: Message>(message: &M, version: i16) -> Vec<Bytes> {
    let mut writer = Writer::new();
    message.encode(&mut writer, version).expect("it fits");
    writer.into_parts()
}

fn encoded<M: Message>(message: &M, version: i16) -> Bytes {
    let mut writer = Writer::new();
    message.encode(&mut writer, version).expect("it fits");
    writer.into_bytes()
}

/// 1 KB of words: neither noise nor all the same.
fn values(count: usize) -> Vec<Vec<u8>> {
    let mut state = 1_u32;
    let mut value = || {
        let mut value = Vec::with_capacity(1_024);
        while value.len() < 1_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            value.extend_from_slice(format!("word-{} ", state >> 22).as_bytes());
        }
        value
    };
    (0..count).map(|_| value()).collect()
}

fn batch(values: &[Vec<u8>], encoding: Encoding) -> Batch {
    let mut builder = BatchBuilder::new(encoding);
    for (number, value) in values.iter().enumerate() {
        builder.append(1_700_000_000_000 + number as i64, None, Some(value), &[]);
    }
    builder.build().expect("it fits")
}

fn produce(records: Bytes) -> ProduceRequest {
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: Str::from_static("orders"),
            partition_data: vec![PartitionProduceData {
                index: 0,
                records: Some(records),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn metadata(topics: usize, partitions: i32) -> MetadataResponse {
    let topic = |number| MetadataResponseTopic {
        name: Some(Str::from(format!("topic-{number:05}"))),
        partitions: (0..partitions)
            .map(|partition_index| MetadataResponsePartition {
                partition_index,
                replica_nodes: vec![1, 2, 3],
                isr_nodes: vec![1, 2, 3],
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    let broker = |node_id| MetadataResponseBroker {
        node_id,
        host: Str::from_static("broker.example.com"),
        port: 9_094,
        ..Default::default()
    };
    MetadataResponse {
        brokers: (1..=3).map(broker).collect(),
        topics: (0..topics).map(topic).collect(),
        ..Default::default()
    }
}
