//! Writes `seeds/`: small inputs, one folder a target, from which fuzzing begins. Those of `session` are tried at once: each
//! must reach what it is there for.

#[path = "asks.rs"]
mod asks;
#[path = "drive.rs"]
mod drive;
#[path = "login.rs"]
mod login;
#[path = "world.rs"]
mod world;

use std::path::Path;
use std::{fs, io};

use bytes::Bytes;
use drive::Start;
use kastellan_core::time::Timestamp;
use trust::ca::Ca;
use wire::Request;
use wire::message::*;
use wire::record::compress::SnappyForm;
use wire::record::{BatchBuilder, Encoding};

fn main() -> io::Result<()> {
    frames()?;
    files()?;
    messages("request", false)?;
    messages("response", true)?;
    record_batches()?;
    sessions()?;
    log_requests()?;
    proxy_headers()?;
    mapping_rules()?;
    certificate()?;
    write("sasl_plain", "login", b"\0user\0password")?;
    write("sasl_plain", "authzid", b"user\0user\0password")?;
    let last = b"\nc=biws,r=abcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,p=AAAA";
    write(
        "sasl_scram",
        "login",
        &[b"n,,n=user,r=abc".as_slice(), last].concat(),
    )?;
    write(
        "sasl_scram",
        "unknown",
        &[b"n,,n=nobody,r=abc".as_slice(), last].concat(),
    )?;
    write(
        "sasl_scram",
        "authzid",
        &[b"n,a=a=2Cb,n=user,r=abc,x=1".as_slice(), last].concat(),
    )
}

/// A length, then a request.
fn framed<R: Request>(id: i32, version: i16, request: &R) -> io::Result<Vec<u8>> {
    let frame = wire::header::encode_request(id, Some("seed".into()), version, request);
    let frame = frame.map_err(io::Error::other)?;
    Ok(frame.into_wire().unwrap_or_default().concat())
}

/// Connections from their first byte on: before a login, in it, behind it.
fn sessions() -> io::Result<()> {
    let greet = |mechanism: &str| SaslHandshakeRequest {
        mechanism: mechanism.to_owned().into(),
        ..Default::default()
    };
    let prove = |token: &'static [u8]| SaslAuthenticateRequest {
        auth_bytes: Bytes::from_static(token),
        ..Default::default()
    };
    let api_versions = ApiVersionsRequest {
        client_software_name: "seed".into(),
        client_software_version: "1".into(),
        ..Default::default()
    };
    let beat = HeartbeatRequest {
        group_id: "g".into(),
        generation_id: 1,
        ..Default::default()
    };
    let log_in = |user: &'static [u8]| -> io::Result<Vec<u8>> {
        let parts = [framed(2, 1, &greet("PLAIN"))?, framed(3, 2, &prove(user))?];
        Ok(parts.concat())
    };
    let hello = framed(1, 3, &api_versions)?;
    let alice = [hello.clone(), log_in(b"\0alice\0pencil")?].concat();
    let metadata = framed(5, 12, &MetadataRequest::default())?;
    let requests = [framed(4, 4, &beat)?, metadata, framed(6, 12, &fetch())?].concat();
    // Bodies that fit: a length in pairs of bytes, then the body.
    let answers = [
        &[3, 0, 0, 0, 0, 0, 0, 0][..],
        &[5],
        &[0; 10],
        &[10],
        &[0; 20],
    ]
    .concat();
    let scram = [
        framed(2, 1, &greet("SCRAM-SHA-256"))?,
        framed(3, 2, &prove(b"n,,n=alice,r=abcdefgh"))?,
        framed(4, 2, &prove(b"c=biws,r=abcdefgh,p=AAAA"))?,
    ];
    let produce = [framed(4, 9, &produce()?)?, framed(5, 4, &beat)?].concat();
    let beat = framed(4, 4, &beat)?;
    let again = [beat.clone(), log_in(b"\0alice\0pencil")?, beat.clone()].concat();
    let other = [log_in(b"\0bob\0pencil")?, beat.clone()].concat();
    let wrong = [log_in(b"\0alice\0wrong")?, requests.clone()].concat();
    let bob = [log_in(b"\0bob\0pencil")?, requests.clone()].concat();
    let plain = [alice.clone(), requests.clone()].concat();
    let all: &[i16] = &[12, 3, 1];
    for (name, start, user, client, reached) in [
        ("hello", Start::Raw, "alice", hello, &[][..]),
        ("early", Start::Raw, "alice", wrong, &[]),
        ("plain", Start::Raw, "alice", plain, all),
        ("bob", Start::Raw, "alice", bob, &[3]),
        ("scram", Start::Raw, "alice", scram.concat(), &[]),
        (
            "again",
            Start::Raw,
            "alice",
            [alice.clone(), again.clone()].concat(),
            &[12, 12],
        ),
        (
            "other",
            Start::Raw,
            "alice",
            [alice, other.clone()].concat(),
            &[],
        ),
        ("open", Start::Open, "alice", requests.clone(), all),
        ("produce", Start::Open, "alice", produce.clone(), &[0, 12]),
        ("after-plain", Start::Plain, "alice", requests.clone(), all),
        ("after-plain-again", Start::Plain, "alice", again, &[12, 12]),
        ("after-plain-other", Start::Plain, "alice", other, &[]),
        (
            "after-plain-bob",
            Start::Plain,
            "bob",
            requests.clone(),
            &[3],
        ),
        ("after-scram", Start::Scram, "alice", requests.clone(), all),
        ("after-scram-bob", Start::Scram, "bob", requests, &[3]),
        (
            "after-scram-produce",
            Start::Scram,
            "alice",
            produce,
            &[0, 12],
        ),
    ] {
        let seed = drive::input(start, user, &client, &answers);
        assert_eq!(drive::run(&seed), reached, "{name}");
        write("session", name, &seed)?;
    }
    after_login()
}

/// A request of each API behind a login: its newest version, with a body that decodes.
fn after_login() -> io::Result<()> {
    for row in wire::api::MATRIX {
        let Some(body) = some_body(row.key, row.held.1, false) else {
            continue;
        };
        let frame = request_of(row.key, row.held.1, &body);
        let length = (frame.len() as u32).to_be_bytes();
        let client = [&length[..], &frame].concat();
        // Answers of 48 bytes each.
        let seed = drive::input(Start::Plain, "alice", &client, &[24; 60]);
        drive::run(&seed);
        write("session", &format!("key-{:02}", row.key), &seed)?;
    }
    Ok(())
}

/// What a client sends in a row, as the gateway passes it on: a length of two bytes before each.
fn log_requests() -> io::Result<()> {
    let short = |frame: Vec<u8>| frame.get(2..).unwrap_or_default().to_vec();
    let metadata = short(framed(1, 12, &MetadataRequest::default())?);
    let join = JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 10_000,
        protocol_type: "consumer".into(),
        protocols: vec![join_group_request::JoinGroupRequestProtocol {
            name: "range".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let list = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![list_offsets_request::ListOffsetsTopic {
            name: "first".into(),
            partitions: vec![list_offsets_request::ListOffsetsPartition {
                timestamp: -1,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut read = fetch();
    let mut write_to = produce()?;
    for topic in &mut read.topics {
        topic.topic = "first".into();
    }
    for topic in &mut write_to.topic_data {
        topic.name = "first".into();
    }
    let requests = [
        ("metadata", metadata),
        ("produce", short(framed(2, 9, &write_to)?)),
        ("fetch", short(framed(3, 12, &read)?)),
        ("list", short(framed(4, 7, &list)?)),
        ("join", short(framed(5, 9, &join)?)),
    ];
    for (name, request) in &requests {
        write("log_request", name, request)?;
    }
    let all: Vec<u8> = requests.into_iter().flat_map(|(_, one)| one).collect();
    write("log_request", "all", &all)?;
    for row in wire::api::MATRIX {
        let Some((_, version)) = row.embedded else {
            continue;
        };
        let Some(body) = some_body(row.key, version, false) else {
            continue;
        };
        let frame = request_of(row.key, version, &body);
        let length = (frame.len() as u16).to_be_bytes();
        let name = format!("key-{:02}", row.key);
        write("log_request", &name, &[&length[..], &frame].concat())?;
    }
    Ok(())
}

/// A request with an ordinary client's header.
fn request_of(key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let no_client = [0xff, 0xff];
    let tags: &[u8] = match wire::api::is_flexible(key, version) {
        Some(true) => &[0],
        _ => &[],
    };
    let (key, version) = (key.to_be_bytes(), version.to_be_bytes());
    [&key[..], &version, &[0, 0, 0, 9], &no_client, tags, body].concat()
}

fn fetch() -> FetchRequest {
    let topic = fetch_request::FetchTopic {
        topic: "a".into(),
        partitions: vec![fetch_request::FetchPartition::default()],
        ..Default::default()
    };
    FetchRequest {
        max_bytes: 1_000,
        topics: vec![topic],
        ..Default::default()
    }
}

fn produce() -> io::Result<ProduceRequest> {
    let mut builder = BatchBuilder::new(Encoding::None);
    builder.append(1000, Some(b"key"), Some(b"value"), &[]);
    let batch = builder.build().map_err(io::Error::other)?;
    let partition = produce_request::PartitionProduceData {
        records: Some(batch.bytes().clone()),
        ..Default::default()
    };
    let topic = produce_request::TopicProduceData {
        name: "a".into(),
        partition_data: vec![partition],
        ..Default::default()
    };
    Ok(ProduceRequest {
        acks: -1,
        topic_data: vec![topic],
        ..Default::default()
    })
}

fn proxy_headers() -> io::Result<()> {
    let binary = b"\r\n\r\n\0\r\nQUIT\n";
    let four = [
        &binary[..],
        &[0x21, 0x11, 0, 12, 10, 0, 0, 7, 10, 0, 0, 1, 48, 57, 35, 134],
    ];
    let local = [&binary[..], &[0x20, 0, 0, 0]];
    let mut six = vec![0x21, 0x21, 0, 36];
    six.extend([0; 36]);
    write(
        "proxy_header",
        "v1",
        b"PROXY TCP4 10.0.0.7 10.0.0.1 12345 9094\r\n\x16\x03\x01",
    )?;
    write(
        "proxy_header",
        "v1-six",
        b"PROXY TCP6 ::1 ::2 12345 9094\r\n",
    )?;
    write("proxy_header", "v1-unknown", b"PROXY UNKNOWN\r\n")?;
    write("proxy_header", "v2", &four.concat())?;
    write("proxy_header", "v2-local", &local.concat())?;
    write("proxy_header", "v2-six", &[&binary[..], &six].concat())
}

fn mapping_rules() -> io::Result<()> {
    for (name, seed) in [
        ("default", "DEFAULT\nCN=alice,O=x"),
        ("named", "RULE:^CN=([^,=]+)$/$1/,DEFAULT\nCN=alice"),
        (
            "cased",
            "RULE:^CN=(.*?),OU=(ops|dev).*$/$1@$2/U\nCN=alice,OU=ops,O=x",
        ),
        ("escaped", "RULE:^.*\\/(\\w+)$/\\$$1/L, DEFAULT\na/Bob"),
    ] {
        write("mapping_rules", name, seed.as_bytes())?;
    }
    Ok(())
}

/// A client's certificate, and one whose issuer's name is no text. Keys are random, so what is there stays.
fn certificate() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/subject_name");
    if let Ok(leaf) = fs::read(folder.join("leaf")) {
        let mut unreadable = leaf;
        let issuer = unreadable.windows(4).position(|part| part == b"Kast");
        unreadable[issuer.expect("the CA is called so")] = 0xff;
        return write("subject_name", "issuer-not-utf-8", &unreadable);
    }
    let dir = std::env::temp_dir().join(format!("seeds-{}", std::process::id()));
    let now = Timestamp(1_750_000_000_000);
    let ca = Ca::open(&dir, now).map_err(io::Error::other)?;
    let client = ca.issue_client("alice", now).map_err(io::Error::other)?;
    let pem = dir.join("client.pem");
    fs::write(&pem, client.client_pem.as_bytes())?;
    let chain = trust::pem::certificates(&pem).map_err(io::Error::other)?;
    fs::remove_dir_all(&dir)?;
    for (name, certificate) in ["leaf", "ca"].into_iter().zip(chain) {
        write("subject_name", name, &certificate)?;
    }
    Ok(())
}

/// Which log, which file, and changes: a position, what to do, a byte.
fn files() -> io::Result<()> {
    for target in ["container", "journal"] {
        for log in 0..2_u8 {
            for file in 0..6_u8 {
                let name = format!("log-{log}-file-{file}");
                write(target, &format!("{name}-as-it-is"), &[log, file])?;
                write(
                    target,
                    &format!("{name}-flip"),
                    &[log, file, 0, 1, 44, 5, 1],
                )?;
                write(target, &format!("{name}-cut"), &[log, file, 0, 2, 0, 0, 0])?;
                write(
                    target,
                    &format!("{name}-again"),
                    &[log, file, 0, 1, 0, 3, 40],
                )?;
            }
            write(
                target,
                &format!("log-{log}-other-bytes"),
                &[&[log + 2, 0], b"KSTLLOG1".as_slice()].concat(),
            )?;
        }
    }
    Ok(())
}

fn frames() -> io::Result<()> {
    let framed = |frame: wire::frame::Frame| frame.into_wire().unwrap_or_default().concat();
    let api_versions = ApiVersionsRequest {
        client_software_name: "seed".into(),
        client_software_version: "1".into(),
        ..ApiVersionsRequest::default()
    };
    let greeting = wire::header::encode_request(1, Some("seed".into()), 3, &api_versions)
        .map_err(io::Error::other)?;
    let metadata = wire::header::encode_request(2, None, 12, &MetadataRequest::default())
        .map_err(io::Error::other)?;
    let stream = [framed(greeting), framed(metadata)].concat();
    for cut in [0, 3, 9, 40] {
        write(
            "frame",
            &format!("cut-{cut}"),
            &[&[cut], stream.as_slice()].concat(),
        )?;
    }
    Ok(())
}

/// For each key and its newest version some body that decodes, found by trying.
fn messages(target: &str, response: bool) -> io::Result<()> {
    for key in 0..=92_i16 {
        for version in (0..=20_i16).rev() {
            if let Some(body) = some_body(key, version, response) {
                let seed = [&[key as u8, version as u8], body.as_slice()].concat();
                write(target, &format!("key-{key:02}"), &seed)?;
                break;
            }
        }
    }
    Ok(())
}

/// A body of this version, found by trying.
fn some_body(key: i16, version: i16, response: bool) -> Option<Vec<u8>> {
    let bodies = (0..20_000).map(trial);
    bodies
        .map(|body| wire::message::recode(key, version, response, body))
        .take_while(Option::is_some)
        .flatten()
        .find_map(Result::ok)
        .map(Into::into)
}

/// 48 bytes that are mostly 0, 1 and 2: counts and lengths that fit.
fn trial(seed: u64) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        [0, 1, 1, 2][(state >> 33) as usize % 4]
    };
    (0..48)
        .map(|_| if seed == 0 { 0 } else { next() })
        .collect()
}

fn record_batches() -> io::Result<()> {
    let encodings = [
        ("none", Encoding::None),
        ("gzip", Encoding::Gzip(6)),
        ("snappy-raw", Encoding::Snappy(SnappyForm::Raw)),
        ("snappy-xerial", Encoding::Snappy(SnappyForm::Xerial)),
        ("lz4", Encoding::Lz4),
        ("zstd", Encoding::Zstd(3)),
    ];
    let header = (Bytes::from_static(b"h"), Some(Bytes::from_static(b"1")));
    for (name, encoding) in encodings {
        let mut builder = BatchBuilder::new(encoding).producer(1, 0, 0);
        builder.append(1000, Some(b"key"), Some(&[b'v'; 100]), &[header.clone()]);
        builder.append(2000, None, None, &[]);
        let batch = builder.build().map_err(io::Error::other)?;
        write("record_batch", name, batch.bytes())?;
        write(
            "record_batch",
            &format!("{name}-twice"),
            &batch.bytes().repeat(2),
        )?;
    }
    Ok(())
}

fn write(target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}
