//! Few bytes that would become many: each codec stops at its cap, with memory below the cap and one MiB.
//!
//! One test in a process of its own, since it reads the peak memory of the whole process.
#![cfg(target_os = "linux")]

use bytes::Bytes;
use wire::record::compress::{DecompressError, decompress, reader};
use wire::record::{Codec, ExpansionCaps};

const CAP: usize = 24 << 20;
const SLACK: usize = 1 << 20;

#[test]
fn bombs_cost_no_more_than_their_cap() {
    let caps = ExpansionCaps::fixed(CAP as u64);
    for (codec, bomb) in bombs() {
        assert_eq!(
            expand_as_stream(codec, &bomb),
            Err(DecompressError::TooLarge { limit: CAP as u64 })
        );

        let before = resident();
        reset_peak();
        let refused = decompress(codec, &bomb, &caps);
        let used = peak().saturating_sub(before);
        assert_eq!(
            refused,
            Err(DecompressError::TooLarge { limit: CAP as u64 }),
            "{codec}"
        );
        assert!(
            used < CAP + SLACK,
            "{codec}: {used} bytes for a cap of {CAP}"
        );
    }
}

/// Reads without keeping anything.
fn expand_as_stream(codec: Codec, bomb: &[u8]) -> Result<u64, DecompressError> {
    let mut stream = reader(codec, bomb, &ExpansionCaps::fixed(CAP as u64))?;
    std::io::copy(&mut stream, &mut std::io::sink())
        .map_err(|error| wire::record::compress::error_of(&error))
}

fn bombs() -> [(Codec, Bytes); 4] {
    [
        (Codec::Gzip, gzip_bomb()),
        (Codec::Snappy, snappy_bomb()),
        (Codec::Lz4, lz4_bomb()),
        (Codec::Zstd, zstd_bomb()),
    ]
}

/// Zeros, some hundred MiB of them, as several gzip members.
fn gzip_bomb() -> Bytes {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..16 {
        encoder.write_all(&zeros).expect("memory takes everything");
    }
    let member = encoder.finish().expect("memory takes everything");
    member.repeat(8).into()
}

/// A xerial stream of chunks that each become 1 MiB of zeros.
fn snappy_bomb() -> Bytes {
    let chunk = snap::raw::Encoder::new()
        .compress_vec(&vec![0; 1 << 20])
        .expect("1 MiB is allowed");
    let mut bomb = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    for _ in 0..64 {
        bomb.extend_from_slice(&(chunk.len() as u32).to_be_bytes());
        bomb.extend_from_slice(&chunk);
    }
    bomb.into()
}

/// A frame of 4 MiB blocks of zeros.
fn lz4_bomb() -> Bytes {
    let block = lz4_flex::block::compress(&vec![0; 4 << 20]);
    // Version 1, independent blocks, 4 MiB; the third byte is the checksum of the two before it.
    let mut bomb = vec![0x04, 0x22, 0x4D, 0x18, 0x60, 0x70, 0x73];
    for _ in 0..16 {
        bomb.extend_from_slice(&(block.len() as u32).to_le_bytes());
        bomb.extend_from_slice(&block);
    }
    bomb.extend_from_slice(&[0; 4]);
    bomb.into()
}

/// 32 KiB that say "one byte, 128 KiB times" eight thousand times: 1 GiB.
fn zstd_bomb() -> Bytes {
    let mut bomb = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 7 << 3];
    let blocks = 8_192_u32;
    for index in 1..=blocks {
        let last = u32::from(index == blocks);
        let header = (128 << 10) << 3 | 1 << 1 | last;
        bomb.extend_from_slice(&header.to_le_bytes()[..3]);
        bomb.push(0);
    }
    bomb.into()
}

fn reset_peak() {
    // 5: forget the peak resident size (proc_pid_clear_refs(5)).
    std::fs::write("/proc/self/clear_refs", "5")
        .expect("the kernel lets a process reset its own peak");
}

fn peak() -> usize {
    status("VmHWM:")
}

fn resident() -> usize {
    status("VmRSS:")
}

fn status(field: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .expect("Linux has the field");
    let kilobytes: usize = line
        .trim()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .expect("a number of kB");
    kilobytes << 10
}
