//! gzip (RFC 1952), concatenated members included. The size in a member's trailer is modulo 2^32 and bounds nothing.

use std::io::{self, BufReader, Write};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

pub(super) fn reader(section: &[u8]) -> BufReader<MultiGzDecoder<&[u8]>> {
    BufReader::with_capacity(
        super::block_size(section.len()),
        MultiGzDecoder::new(section),
    )
}

pub(super) fn write(plain: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level.min(9)));
    encoder.write_all(plain)?;
    encoder.finish()
}
