//! The hash chain: `chain_n = SHA-256("kastellan-chain-1", chain_(n-1), seq_n, leaf_n)`, `leaf = SHA-256(0x00, body)`
//! (RFC 6962, section 2.1), `chain_0 = SHA-256("kastellan-log", log id)`.

use aws_lc_rs::digest::{Context, SHA256};

pub(crate) type Hash = [u8; 32];

fn finish(context: Context) -> Hash {
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

pub(crate) fn start(log: &[u8; 8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(b"kastellan-log");
    context.update(log);
    finish(context)
}

pub(crate) fn next(before: &Hash, seq: u64, body: &[u8]) -> Hash {
    let mut leaf = Context::new(&SHA256);
    leaf.update(&[0]);
    leaf.update(body);
    let mut context = Context::new(&SHA256);
    context.update(b"kastellan-chain-1");
    context.update(before);
    context.update(&seq.to_be_bytes());
    context.update(&finish(leaf));
    finish(context)
}
