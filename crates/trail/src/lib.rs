//! The trail: who did what, on what, by which rule, with which outcome. Written once, chained, never changed.
//!
//! In: events. Out: segment files whose entries are bound to one another by a hash chain, so that a change, a cut or a
//! removal inside is found by [`verify`]. One thread owns the files; whoever records waits only as long as the class of
//! the event asks for.
#![forbid(unsafe_code)]

mod chain;
mod entry;
mod flood;
mod read;
mod segment;
mod writer;

pub use entry::Entry;
pub use read::{Damage, Report, read, verify};
pub use writer::{OpenError, Trail};
