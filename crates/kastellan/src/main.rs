//! The `kastellan` program: command line, configuration, and the wiring of the products. The only place that reads
//! the environment and configuration files.
#![forbid(unsafe_code)]

mod admin;
mod bundle;
mod cli;
mod config;
mod data_dir;
mod logging;
mod ops;
mod run;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trust::provider::install();
    cli::main()
}
