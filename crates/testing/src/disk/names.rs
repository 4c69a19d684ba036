//! Names in directories: changed at once, durable when their directory is synced.

use std::collections::BTreeMap;

use super::dice::Dice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Dir,
    /// Number of the file.
    File(usize),
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Made(String, Node),
    Renamed(String, String, Node),
    Removed(String),
}

type Map = BTreeMap<String, Node>;

#[derive(Clone, Default)]
pub(super) struct Names {
    /// As a process sees them.
    pub now: Map,
    durable: Map,
    /// Not durable yet, in order.
    pending: Vec<Change>,
}

impl Names {
    pub(super) fn change(&mut self, change: Change) {
        apply(&mut self.now, &change);
        self.pending.push(change);
    }

    /// A name that is there and durable.
    pub(super) fn put(&mut self, path: &str, node: Node) {
        let mut dir = parent(path);
        while !dir.is_empty() {
            self.now.insert(dir.to_owned(), Node::Dir);
            self.durable.insert(dir.to_owned(), Node::Dir);
            dir = parent(dir);
        }
        self.now.insert(path.to_owned(), node);
        self.durable.insert(path.to_owned(), node);
    }

    /// Gone, durably.
    pub(super) fn take(&mut self, path: &str) -> Option<Node> {
        self.durable.remove(path);
        self.now.remove(path)
    }

    pub(super) fn sync(&mut self, dir: &str) {
        let touches = |change: &Change| match change {
            Change::Made(name, _) | Change::Removed(name) => parent(name) == dir,
            Change::Renamed(from, to, _) => parent(from) == dir || parent(to) == dir,
        };
        let (synced, pending): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(touches);
        for change in &synced {
            apply(&mut self.durable, change);
        }
        self.pending = pending;
    }

    /// Changes that were not synced are lost or kept, one by one.
    pub(super) fn after_power_loss(&self, dice: &mut Dice) -> Self {
        let mut names = self.durable.clone();
        for change in &self.pending {
            if dice.coin() {
                apply(&mut names, change);
            }
        }
        // What lies in a directory that was lost is lost.
        let mut kept = Map::new();
        for (path, node) in &names {
            if parent(path).is_empty() || kept.get(parent(path)) == Some(&Node::Dir) {
                kept.insert(path.clone(), *node);
            }
        }
        Self {
            now: kept.clone(),
            durable: kept,
            pending: Vec::new(),
        }
    }
}

pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn apply(names: &mut Map, change: &Change) {
    match change {
        Change::Made(path, node) => {
            names.insert(path.clone(), *node);
        }
        Change::Removed(path) => {
            names.remove(path);
        }
        Change::Renamed(from, to, node) => {
            let under = format!("{from}/");
            let moved: Vec<_> = names
                .keys()
                .filter(|name| name.starts_with(&under))
                .cloned()
                .collect();
            for name in moved {
                if let Some(node) = names.remove(&name) {
                    names.insert(format!("{to}/{}", &name[under.len()..]), node);
                }
            }
            names.remove(from);
            names.insert(to.clone(), *node);
        }
    }
}
