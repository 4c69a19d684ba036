//! A trail in memory.

use std::sync::Mutex;

use kastellan_core::event::Event;
use kastellan_core::ports::{Pending, TrailSink, Unavailable};

#[derive(Default)]
pub struct Trail(Mutex<Vec<Event>>);

impl Trail {
    /// Who logged in or was refused, and why not.
    pub fn logins(&self) -> Vec<(Option<String>, Option<String>)> {
        self.told("auth.login")
    }

    /// Principal and reason of the events of one kind.
    pub fn told(&self, kind: &str) -> Vec<(Option<String>, Option<String>)> {
        let events = self.0.lock().unwrap();
        let told = events.iter().filter(|event| event.kind == kind);
        told.map(|event| {
            let name = event.principal.as_ref().map(|actor| actor.name.clone());
            (name, event.why.clone())
        })
        .collect()
    }
}

impl Trail {
    pub fn forget(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Where logins came from.
    pub fn sources(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let peers = events.iter().filter_map(|event| event.peer.as_ref());
        peers.map(|peer| peer.ip.clone()).collect()
    }
}

impl TrailSink for Trail {
    fn record<'a>(&'a self, event: Event) -> Pending<'a, Result<Option<u64>, Unavailable>> {
        self.note(event);
        let number = self.0.lock().unwrap().len() as u64;
        Box::pin(async move { Ok(Some(number)) })
    }

    fn note(&self, event: Event) {
        assert_eq!(kastellan_core::event::types::check(&event), Ok(()));
        self.0.lock().unwrap().push(event);
    }
}
