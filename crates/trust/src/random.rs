//! Random bytes.

use aws_lc_rs::rand;

/// The system has no randomness: nothing secret can be made.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no randomness")]
pub struct NoRandomness;

/// `N` bytes from the system's generator, fit for keys.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut out = [0; N];
    rand::fill(&mut out).map_err(|_| NoRandomness)?;
    Ok(out)
}

/// Makes the library gather its entropy, so that nobody waits for it later. Whoever needs bytes meanwhile waits for this.
pub fn prepare() {
    let _ = bytes::<1>();
}
