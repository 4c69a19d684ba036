//! The bytes of one file: what a reader sees, and what a power cut leaves of it.

use std::collections::BTreeMap;

use super::dice::Dice;

const BLOCK: usize = 4096;
/// Contents of a block, between two syncs, that may be the one that survives.
const VERSIONS: usize = 12;

#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    /// What a reader sees.
    pub cache: Vec<u8>,
    /// What survives for sure.
    disk: Vec<u8>,
    /// What each block was since the last sync: the kernel may have written any of it.
    dirty: BTreeMap<usize, Vec<Vec<u8>>>,
    /// Lengths the file had since the last sync.
    lens: Vec<usize>,
}

impl Inode {
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        Self {
            cache: bytes.clone(),
            disk: bytes,
            ..Self::default()
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8], position: usize) {
        let end = position + bytes.len();
        if self.cache.len() < end {
            self.cache.resize(end, 0);
        }
        self.cache[position..end].copy_from_slice(bytes);
        for block in position / BLOCK..end.div_ceil(BLOCK) {
            let range = block * BLOCK..self.cache.len().min((block + 1) * BLOCK);
            let versions = self.dirty.entry(block).or_default();
            if versions.len() == VERSIONS {
                versions.remove(0);
            }
            versions.push(self.cache[range].to_vec());
        }
        self.lens.push(self.cache.len());
    }

    pub(super) fn set_len(&mut self, len: usize) {
        self.cache.resize(len, 0);
        self.lens.push(len);
    }

    /// `all`: a shorter length is durable too.
    pub(super) fn sync(&mut self, all: bool) {
        let shorter = self.cache.len() < self.disk.len();
        for block in std::mem::take(&mut self.dirty).into_keys() {
            let range = block * BLOCK..self.cache.len().min((block + 1) * BLOCK);
            if !range.is_empty() {
                put(&mut self.disk, block, &self.cache[range]);
            }
        }
        self.lens.clear();
        if all || !shorter {
            self.disk.resize(self.cache.len(), 0);
        } else {
            self.lens.push(self.cache.len());
        }
    }

    /// The pages are clean now, and only those that the dice choose are on the disk. No later sync writes the others.
    pub(super) fn lose(&mut self, dice: Option<&mut Dice>) {
        let lost = std::mem::take(&mut self.dirty);
        let Some(dice) = dice else { return };
        for (block, versions) in lost {
            if let Some(newest) = versions.last().filter(|_| dice.coin()) {
                let len = self.disk.len();
                put(&mut self.disk, block, newest);
                if !dice.coin() {
                    self.disk.truncate(len);
                }
            }
        }
    }

    pub(super) fn after_power_loss(&self, dice: &mut Dice) -> Self {
        let mut disk = self.disk.clone();
        let pick = dice.roll(self.lens.len() + 1);
        let len = self.lens.get(pick).copied().unwrap_or(self.disk.len());
        for (block, versions) in &self.dirty {
            if dice.coin() {
                continue;
            }
            let newest = versions.len() - 1;
            let which = if dice.coin() {
                newest
            } else {
                dice.roll(versions.len())
            };
            put(&mut disk, *block, &versions[which]);
        }
        disk.resize(len, 0);
        Self::durable(disk)
    }
}

fn put(disk: &mut Vec<u8>, block: usize, bytes: &[u8]) {
    let start = block * BLOCK;
    let end = start + bytes.len();
    if disk.len() < end {
        disk.resize(end, 0);
    }
    disk[start..end].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that may be left of a file, by many dice.
    fn left(inode: &Inode) -> Vec<Vec<u8>> {
        let mut left: Vec<_> = (0..400)
            .map(|seed| inode.after_power_loss(&mut Dice::new(seed)).cache)
            .collect();
        left.sort();
        left.dedup();
        left
    }

    #[test]
    fn what_was_synced_is_left_whatever_happens_later() {
        let mut inode = Inode::default();
        inode.write(b"durable", 0);
        inode.sync(false);
        assert_eq!(left(&inode), [b"durable"]);
        inode.write(b"later", 7);
        for left in left(&inode) {
            assert!(left.starts_with(b"durable"), "{left:?}");
        }
    }

    #[test]
    fn blocks_and_length_survive_each_on_its_own_and_as_they_were_at_any_time() {
        let mut inode = Inode::default();
        inode.write(b"a", 0);
        inode.write(b"b", 1);
        let expected: [&[u8]; 5] = [b"", b"\0", b"\0\0", b"a", b"a\0"];
        let found = left(&inode);
        for one in expected.into_iter().chain([b"ab".as_slice()]) {
            assert!(found.contains(&one.to_vec()), "{one:?} of {found:?}");
        }
        assert_eq!(found.len(), 6);
    }

    #[test]
    fn cut_that_is_not_synced_as_a_whole_may_come_back() {
        let mut inode = Inode::durable(b"long".to_vec());
        inode.set_len(1);
        assert_eq!(left(&inode), [b"l".to_vec(), b"long".to_vec()]);
        inode.sync(false);
        assert_eq!(left(&inode).len(), 2, "data alone does not shorten a file");
        inode.sync(true);
        assert_eq!(left(&inode), [b"l"]);
    }

    #[test]
    fn pages_that_a_failed_sync_lost_stay_lost() {
        let mut inode = Inode::default();
        inode.write(b"lost", 0);
        inode.lose(None);
        inode.sync(true);
        assert_eq!(inode.cache, b"lost");
        assert_eq!(left(&inode), [[0; 4]]);
    }
}
