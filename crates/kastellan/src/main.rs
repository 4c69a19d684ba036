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
mod process;
mod run;

use std::io::Write;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Err(error) = process::protect() {
        let _ = writeln!(
            std::io::stderr(),
            "kastellan: core dumps cannot be switched off: {error}"
        );
        return ExitCode::FAILURE;
    }
    trust::provider::install();
    cli::main()
}
