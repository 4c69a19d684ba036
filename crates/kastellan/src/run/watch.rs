//! Notices changed files: a look every five seconds, by content.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Weak;
use std::time::Duration;

use super::Server;

const EVERY: Duration = Duration::from_secs(5);
/// Revocation list and server certificate of our own CA are looked after this often.
const UPKEEP: u32 = 720;
/// What is not safe is said again this often.
const DAY: u32 = 17_280;

/// What watched files held at one time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seen(u64);

impl Seen {
    pub fn now(server: &Server) -> Self {
        Self(fingerprint(&server.watched_files()))
    }
}

/// Reloads when watched files hold something else than at the start, or than at the last look; ends with the server.
pub async fn run(server: Weak<Server>, mut known: Seen) {
    let mut rounds = 0_u32;
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(server) = server.upgrade() else {
            return;
        };
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(UPKEEP) {
            server.renew_certificates().await;
        }
        if rounds.is_multiple_of(DAY) {
            server.remind();
        }
        let now = Seen::now(&server);
        if known != now {
            let _ = server.reload().await;
        }
        known = now;
    }
}

fn fingerprint(paths: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        path.hash(&mut hasher);
        std::fs::read(path).unwrap_or_default().hash(&mut hasher);
    }
    hasher.finish()
}
