//! Remembers every sealed frame: a number of a file key must never seal two contents.

use std::collections::HashMap;
use std::sync::Mutex;

/// Where frames begin in a file.
const FRAMES: u64 = 256;

#[derive(Default)]
pub(super) struct Recorder {
    frames: Mutex<Frames>,
}

#[derive(Default)]
struct Frames {
    /// (file id, frame number): what was sealed with it.
    sealed: HashMap<([u8; 16], u32), Vec<u8>>,
    wrong: Option<String>,
}

impl Recorder {
    /// Takes a write to a file that looks like this so far.
    pub(super) fn note(&self, file: &[u8], mut bytes: &[u8], position: u64) {
        if position < FRAMES || file.get(..8) != Some(b"KSTLLOG1") {
            return;
        }
        let mut frames = self.frames.lock().unwrap();
        let id: [u8; 16] = file[16..32].try_into().unwrap();
        while bytes.len() >= 48 {
            let len = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
            let number = u32::from_be_bytes(bytes[4..8].try_into().unwrap());
            let frame = bytes[..len].to_vec();
            let before = frames.sealed.insert((id, number), frame);
            if before.is_some_and(|before| before != bytes[..len]) {
                frames.wrong = Some(format!("frame number {number} was used twice"));
            }
            bytes = &bytes[len..];
        }
        if !bytes.is_empty() {
            frames.wrong = Some("a write ends in the middle of a frame".to_owned());
        }
    }

    pub(super) fn check(&self) {
        let wrong = self.frames.lock().unwrap().wrong.clone();
        assert_eq!(wrong, None);
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check();
        }
    }
}
