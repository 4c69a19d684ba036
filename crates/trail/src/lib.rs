//! The trail: who did what, on what, by which rule, with which outcome. Written once, chained, never changed.
//!
//! In: events. Out: segment files whose entries are bound to one another by a hash chain, so that a change, a cut or a
//! removal inside is found by [`verify`]. One thread owns the files; whoever records waits only as long as the class of
//! the event asks for. What the chain cannot show: entries taken off the very end, and a history written anew as a
//! whole. Both need a copy of the newest hash in other hands.
#![forbid(unsafe_code)]

mod chain;
mod entry;
mod segment;

mod files;
mod flood;
mod handle;
mod undecided;
mod writer;

mod read;

pub use entry::Entry;
pub use files::OpenError;
pub use handle::Trail;
pub use read::{Damage, Report, newest, read, verify};
