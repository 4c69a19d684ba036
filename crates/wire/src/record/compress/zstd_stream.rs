//! zstd frames (RFC 8878). The window a frame asks for is refused above the cap before it is allocated.

use std::io::{self, BufReader};

use super::DecompressError;

type Reader<'a> = BufReader<zstd::stream::read::Decoder<'static, &'a [u8]>>;

pub(super) fn reader(section: &[u8], window_log: u32) -> Result<Reader<'_>, DecompressError> {
    let failed = |_| DecompressError::Zstd { window_log };
    let mut decoder = zstd::stream::read::Decoder::with_buffer(section).map_err(failed)?;
    decoder.window_log_max(window_log).map_err(failed)?;
    Ok(BufReader::with_capacity(
        super::block_size(section.len()),
        decoder,
    ))
}

pub(super) fn write(plain: &[u8], level: i32) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(plain, level)
}
