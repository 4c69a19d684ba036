//! The data directory: made once with mode 0700, owned by one process at a time.
//!
//! ```text
//! kastellan.lock   held while a server runs          ca/          our own CA and certificates
//! VERSION          marks the directory as ours       store.db     users and rules
//! master.key       wraps the log's root keys         log/         the sealed log
//! admin.sock       management, owner only            trail/       the record
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const MARK: &str = "VERSION";
const MARK_TEXT: &str = "kastellan data 1\n";
const LOCK: &str = "kastellan.lock";
pub const SOCKET: &str = "admin.sock";

#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error(
        "{path}: {error}\nnext: give another directory with --data DIR, or make this one writable"
    )]
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error(
        "{path}: holds files that are not Kastellan's\nnext: give an empty or a new directory with --data DIR"
    )]
    Foreign { path: PathBuf },
    #[error("{path}: was written by another version of Kastellan ({found:?})")]
    Version { path: PathBuf, found: String },
    #[error("{path}: other users can enter it (mode {mode:04o})\nnext: chmod 700 {path}")]
    Mode { path: PathBuf, mode: u32 },
    #[error(
        "{path}: another server is running on it\nnext: stop that one, or give another directory with --data DIR"
    )]
    Busy { path: PathBuf },
}

/// An opened data directory. The lock is released when it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Nothing was in it before.
    pub is_new: bool,
    _lock: File,
}

impl DataDir {
    /// Opens the directory for a server; makes it when it is missing or empty.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let io = |error| DataDirError::Io {
            path: path.to_owned(),
            error,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(io)?;
        let path = fs::canonicalize(path).map_err(io)?;
        let is_new = Self::check(&path)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join(LOCK))
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataDirError::Busy { path }),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        if is_new {
            write_new(&path.join(MARK), MARK_TEXT.as_bytes()).map_err(io)?;
        }
        Ok(Self {
            path,
            is_new,
            _lock: lock,
        })
    }

    /// Whether the directory is new; an error when it is somebody else's.
    fn check(path: &Path) -> Result<bool, DataDirError> {
        let io = |error| DataDirError::Io {
            path: path.to_owned(),
            error,
        };
        let mark = path.join(MARK);
        if mark.exists() {
            let found = fs::read_to_string(&mark).map_err(io)?;
            if found != MARK_TEXT {
                return Err(DataDirError::Version {
                    path: path.to_owned(),
                    found: found.trim().to_owned(),
                });
            }
        } else {
            let mut names = fs::read_dir(path)
                .map_err(io)?
                .filter_map(Result::ok)
                .map(|entry| entry.file_name());
            if names.any(|name| name != LOCK) {
                return Err(DataDirError::Foreign {
                    path: path.to_owned(),
                });
            }
            // A directory that an operator made for us, empty, gets our mode.
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(io)?;
            return Ok(true);
        }
        let mode = fs::metadata(path).map_err(io)?.mode();
        if mode & 0o077 != 0 {
            return Err(DataDirError::Mode {
                path: path.to_owned(),
                mode: mode & 0o7777,
            });
        }
        Ok(false)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Writes a file that must not exist yet: mode 0600, synced.
pub fn write_new(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Replaces a file: temporary file, sync, rename, sync of the directory. Mode 0600.
pub fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = parent.join(format!(".{name}.{}", std::process::id()));
    let _ = fs::remove_file(&temporary);
    write_new(&temporary, content)?;
    fs::rename(&temporary, path)?;
    File::open(parent)?.sync_all()
}

/// A path to the admin socket that fits the kernel's 108 bytes however deep the directory lies. The file keeps it
/// valid.
pub fn socket_path(dir: &Path) -> std::io::Result<(File, PathBuf)> {
    let handle = File::open(dir)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", handle.as_raw_fd()));
    Ok((handle, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temp(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("kastellan-dir-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        dir
    }

    #[test]
    fn makes_a_private_directory_and_takes_it_again() {
        let path = temp("new");
        let first = DataDir::open(&path).unwrap();
        assert!(first.is_new);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o700);
        assert!(
            matches!(DataDir::open(&path), Err(DataDirError::Busy { .. })),
            "one server at a time"
        );
        drop(first);
        assert!(!DataDir::open(&path).unwrap().is_new);
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn refuses_a_directory_with_foreign_files() {
        let path = temp("foreign");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("thesis.tex"), "x").unwrap();
        assert!(matches!(
            DataDir::open(&path),
            Err(DataDirError::Foreign { .. })
        ));
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn refuses_a_directory_that_others_can_enter() {
        let path = temp("mode");
        drop(DataDir::open(&path).unwrap());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(
            DataDir::open(&path),
            Err(DataDirError::Mode { mode: 0o755, .. })
        ));
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn replaces_a_file_whole() {
        let path = temp("replace");
        fs::create_dir_all(&path).unwrap();
        let file = path.join("f");
        replace(&file, b"one").unwrap();
        replace(&file, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
        fs::remove_dir_all(path).unwrap();
    }
}
