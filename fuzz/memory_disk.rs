//! A log directory in memory, and a key: what the targets about files share.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};

use broker::disk::{Disk, DiskFile, DiskSpace, Entry};
use broker::log::{Append, Log, LogOptions, NewTopic, OpenError, Opened};
use broker::offsets::Place;
use kastellan_core::secret::Secret;
use kastellan_core::time::{Clock, Timestamp};
use seal::master::LocalKey;
use wire::record::{BatchBuilder, Encoding};

type Content = Arc<Mutex<Vec<u8>>>;

/// Cheap to clone: both see the same files.
#[derive(Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<BTreeMap<String, Content>>>);

impl MemoryDisk {
    /// The same files, to be changed apart from these.
    pub fn copy(&self) -> Self {
        let files = self.0.lock().unwrap();
        let copied = files.iter().map(|(path, content)| {
            let bytes = content.lock().unwrap().clone();
            (path.clone(), Arc::new(Mutex::new(bytes)))
        });
        Self(Arc::new(Mutex::new(copied.collect())))
    }

    pub fn paths(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    pub fn edit(&self, path: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let content = self.0.lock().unwrap().get(path).cloned();
        if let Some(content) = content {
            edit(&mut content.lock().unwrap());
        }
    }
}

impl Disk for MemoryDisk {
    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let content = Content::default();
        let before = self
            .0
            .lock()
            .unwrap()
            .insert(path.to_owned(), content.clone());
        match before {
            Some(_) => Err(ErrorKind::AlreadyExists.into()),
            None => Ok(Arc::new(MemoryFile(content))),
        }
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let content = self.0.lock().unwrap().get(path).cloned();
        Ok(Arc::new(MemoryFile(content.ok_or(ErrorKind::NotFound)?)))
    }

    fn exists(&self, path: &str) -> bool {
        self.0.lock().unwrap().contains_key(path)
    }

    fn make_dir(&self, _path: &str) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        let under = format!("{path}/");
        let files = self.0.lock().unwrap();
        let mut entries: Vec<Entry> = files
            .keys()
            .filter_map(|name| name.strip_prefix(&under))
            .map(|rest| match rest.split_once('/') {
                Some((dir, _)) => Entry {
                    name: dir.to_owned(),
                    is_dir: true,
                },
                None => Entry {
                    name: rest.to_owned(),
                    is_dir: false,
                },
            })
            .collect();
        entries.dedup();
        Ok(entries)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let under = format!("{from}/");
        let mut files = self.0.lock().unwrap();
        let moved: Vec<String> = files
            .keys()
            .filter(|name| *name == from || name.starts_with(&under))
            .cloned()
            .collect();
        for name in moved {
            if let Some(content) = files.remove(&name) {
                files.insert(format!("{to}{}", &name[from.len()..]), content);
            }
        }
        Ok(())
    }

    fn remove_file(&self, path: &str) -> io::Result<()> {
        let removed = self.0.lock().unwrap().remove(path);
        removed.map(drop).ok_or(ErrorKind::NotFound.into())
    }

    fn remove_dir_all(&self, path: &str) -> io::Result<()> {
        let under = format!("{path}/");
        let mut files = self.0.lock().unwrap();
        files.retain(|name, _| !name.starts_with(&under));
        Ok(())
    }

    fn sync_dir(&self, _path: &str) -> io::Result<()> {
        Ok(())
    }

    fn space(&self) -> io::Result<DiskSpace> {
        // Too small for a reserve.
        Ok(DiskSpace {
            total: 1 << 20,
            free: 1 << 20,
        })
    }
}

struct MemoryFile(Content);

impl DiskFile for MemoryFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let content = self.0.lock().unwrap();
        let rest = content.get(position as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut content = self.0.lock().unwrap();
        let end = position as usize + bytes.len();
        if content.len() < end {
            content.resize(end, 0);
        }
        content[position as usize..end].copy_from_slice(bytes);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.lock().unwrap().resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }

    fn allocate(&self, _len: u64) -> io::Result<()> {
        Ok(())
    }
}

pub fn key() -> Arc<LocalKey> {
    Arc::new(LocalKey::new(&Secret::new(vec![7; 32])).unwrap())
}

pub fn clock() -> Clock {
    Clock::manual(Timestamp(1_767_225_600_000))
}

pub fn options() -> LogOptions {
    LogOptions {
        append_threads: 1,
        sync_threads: 1,
        min_free: Some(0),
        ..LogOptions::default()
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

pub async fn open(disk: &MemoryDisk) -> Result<Opened, OpenError> {
    Log::open(options(), key(), Arc::new(disk.clone()), clock()).await
}

/// The values of the records that a log is made with.
pub fn values() -> Vec<String> {
    (0..6)
        .map(|number| number.to_string().repeat(100))
        .collect()
}

/// A log with two topics, files that rolled, groups, and either a clean stop or none.
pub async fn make(stops: bool) -> (MemoryDisk, Place) {
    let disk = MemoryDisk::default();
    let log = open(&disk).await.unwrap().log;
    let mut place = None;
    for name in ["first", "second"] {
        let topic = NewTopic {
            name: name.to_owned(),
            partitions: 1,
            settings: vec![("segment.bytes".to_owned(), "900".to_owned())],
        };
        let topic = log.create_topic(topic).await.unwrap();
        let at = Place {
            topic,
            partition: 0,
        };
        place.get_or_insert(at);
        for value in values() {
            let mut builder = BatchBuilder::new(Encoding::None);
            builder.append(1_767_225_600_000, Some(b"k"), Some(value.as_bytes()), &[]);
            let append = Append {
                place: at,
                records: Some(builder.build().unwrap().bytes().clone()),
                produce_version: 9,
                acks: -1,
            };
            let appended = log.append(append).await.unwrap();
            appended.durable.durable().await.unwrap();
        }
        let entry = (2, bytes::Bytes::from_static(b"\0\x05group"));
        let ticket = log.groups_journal().append(&[entry]).unwrap();
        ticket.durable().await.unwrap();
    }
    let killed = disk.copy();
    if !stops {
        return (killed, place.unwrap());
    }
    log.stop().await.unwrap();
    (disk.copy(), place.unwrap())
}

/// Everything that can be read of a partition, from the start of the log.
#[allow(dead_code, reason = "not every target reads")]
pub async fn read_all(log: &Log, place: Place) -> Option<Vec<String>> {
    let view = log.view(place)?;
    let (mut offset, mut found) = (view.log_start, Vec::new());
    while offset < view.high_watermark {
        let batches = log.read(place, offset, 1 << 20, true).await.ok()?;
        assert!(!batches.is_empty(), "a read of what is there gives nothing");
        for bytes in batches {
            let batch = wire::record::Batch::parse(&bytes).unwrap();
            offset = batch.header().last_offset() + 1;
            let caps = wire::record::ExpansionCaps::default();
            for record in wire::record::records(&batch, &caps).unwrap() {
                let value = record.unwrap().value.unwrap();
                found.push(String::from_utf8(value.to_vec()).unwrap());
            }
        }
    }
    Some(found)
}

/// Changes to a file: each is a position (3 bytes), what to do, and a byte.
pub fn change(bytes: &mut Vec<u8>, changes: &[u8]) {
    for change in changes.chunks_exact(5).take(8) {
        let position =
            usize::from(change[0]) << 16 | usize::from(change[1]) << 8 | usize::from(change[2]);
        let position = position % (bytes.len() + 1);
        let byte = change[4];
        match change[3] % 6 {
            0 => bytes.truncate(position),
            1 => bytes.insert(position, byte),
            2 => {
                if position < bytes.len() {
                    bytes.remove(position);
                }
            }
            3 => {
                // A part of it once more.
                let part = bytes.get(position..).unwrap_or_default();
                let part = part.get(..usize::from(byte) * 16).unwrap_or(part).to_vec();
                bytes.extend_from_slice(&part);
            }
            4 => bytes.extend_from_slice(&changes[..changes.len().min(usize::from(byte))]),
            _ => {
                if let Some(one) = bytes.get_mut(position) {
                    *one ^= byte;
                }
            }
        }
    }
}
