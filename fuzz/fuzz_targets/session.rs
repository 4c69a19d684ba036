//! A whole connection, both ways: what a client writes, before and after it logged in, and what the upstream answers.
#![no_main]

#[path = "../asks.rs"]
mod asks;
#[path = "../drive.rs"]
mod drive;
#[path = "../login.rs"]
mod login;
#[path = "../world.rs"]
mod world;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    drive::run(data);
});
