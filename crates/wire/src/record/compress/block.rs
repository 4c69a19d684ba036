//! A stream made of independent blocks (Snappy, LZ4), read one block at a time into one buffer.

use std::io::{self, BufRead, Read};

use super::DecompressError;

/// Where the blocks come from.
pub(super) trait Blocks {
    /// Replaces `out` by the bytes of the next block; `false` after the last one.
    fn next_block(&mut self, out: &mut Vec<u8>) -> Result<bool, DecompressError>;
}

pub(super) struct BlockReader<B> {
    blocks: B,
    block: Vec<u8>,
    at: usize,
}

impl<B: Blocks> BlockReader<B> {
    pub(super) fn new(blocks: B) -> Self {
        Self {
            blocks,
            block: Vec::new(),
            at: 0,
        }
    }
}

impl<B: Blocks> BufRead for BlockReader<B> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at >= self.block.len() {
            self.at = 0;
            let more = self.blocks.next_block(&mut self.block);
            if !matches!(more, Ok(true)) {
                self.block.clear();
                return more.map(|_| Default::default()).map_err(io::Error::from);
            }
        }
        Ok(self.block.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount).min(self.block.len());
    }
}

impl<B: Blocks> Read for BlockReader<B> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}
