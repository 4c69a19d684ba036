//! Writes `seeds/`: small inputs, one folder a target, from which fuzzing begins.

use std::path::Path;
use std::{fs, io};

use bytes::Bytes;
use wire::message::{ApiVersionsRequest, MetadataRequest};
use wire::record::compress::SnappyForm;
use wire::record::{BatchBuilder, Encoding};

fn main() -> io::Result<()> {
    frames()?;
    messages("request", false)?;
    messages("response", true)?;
    record_batches()?;
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
            let bodies = (0..20_000).map(trial);
            let found = bodies
                .map(|body| wire::message::recode(key, version, response, body))
                .take_while(Option::is_some)
                .flatten()
                .find_map(Result::ok);
            if let Some(body) = found {
                let seed = [&[key as u8, version as u8], body.as_slice()].concat();
                write(target, &format!("key-{key:02}"), &seed)?;
                break;
            }
        }
    }
    Ok(())
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
