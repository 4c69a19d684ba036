//! Listeners as they are now: opened, changed and closed while the gateway runs.
//!
//! A connection takes what its listener is when it is accepted; what clients are told to connect to is always the
//! newest. A closed door lets nobody in, and those inside finish what is in flight.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{HostPort, Listener};
use crate::gateway::Core;
use crate::listen;

/// One listener, which may change.
pub struct Door {
    pub name: Arc<str>,
    now: ArcSwap<Listener>,
}

impl Door {
    pub fn new(listener: Listener) -> Arc<Self> {
        Arc::new(Self {
            name: listener.name.clone(),
            now: ArcSwap::from_pointee(listener),
        })
    }

    pub fn now(&self) -> Arc<Listener> {
        self.now.load_full()
    }

    pub fn advertised(&self) -> HostPort {
        self.now.load().advertised.clone()
    }
}

struct Open {
    door: Arc<Door>,
    address: SocketAddr,
    closing: watch::Sender<bool>,
}

/// Every listener, and the tasks behind it.
#[derive(Default)]
pub struct Doors {
    open: Mutex<BTreeMap<Arc<str>, Open>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Doors {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Open>> {
        self.open.lock().expect("nobody panics while holding it")
    }

    /// Runs beside the listeners, and is ended with them.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().expect("nobody panics while holding it");
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Begins to accept. One of the same name is closed.
    pub fn open(
        &self,
        core: &Arc<Core>,
        listener: Listener,
        socket: TcpListener,
    ) -> std::io::Result<()> {
        let address = socket.local_addr()?;
        let door = Door::new(listener);
        let (closing, closes) = watch::channel(false);
        self.spawn(listen::run(core.clone(), door.clone(), socket, closes));
        let open = Open {
            door: door.clone(),
            address,
            closing,
        };
        if let Some(before) = self.lock().insert(door.name.clone(), open) {
            let _ = before.closing.send(true);
        }
        Ok(())
    }

    /// What the listener of this name is from now on; `false`: there is none.
    pub fn change(&self, listener: Listener) -> bool {
        let open = self.lock();
        let Some(one) = open.get(&listener.name) else {
            return false;
        };
        one.door.now.store(Arc::new(listener));
        true
    }

    /// Stops accepting; connections finish what is in flight.
    pub fn close(&self, name: &str) {
        if let Some(open) = self.lock().remove(name) {
            let _ = open.closing.send(true);
        }
    }

    pub fn addresses(&self) -> Vec<(Arc<str>, SocketAddr)> {
        let open = self.lock();
        let all = open.iter();
        all.map(|(name, one)| (name.clone(), one.address)).collect()
    }

    /// Closes all. What is left after `limit` is cut.
    pub async fn drain(&self, limit: Duration) {
        for open in std::mem::take(&mut *self.lock()).into_values() {
            let _ = open.closing.send(true);
        }
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().expect("nobody panics while holding it"));
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("Connections were cut at the end of the drain time");
        }
        tasks.abort_all();
    }
}
