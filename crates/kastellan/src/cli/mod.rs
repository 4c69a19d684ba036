//! The command line: words in, exit status out. Data goes to standard output, talk to standard error.
//!
//! | status | meaning |
//! |---|---|
//! | 0 | done; `explain`: allowed |
//! | 1 | refused or failed; `explain`: refused; `log verify`: damage found |
//! | 2 | wrong usage or configuration |
//! | 3 | no server answers for this data directory |
//! | 74 | the log could not be made durable (`up`, `gateway`) |

mod args;
mod client;
mod config;
mod log;
mod repair;
mod rule;
mod server;
mod show;
mod user;

use std::process::ExitCode;

pub use show::print;

use clap::Parser;

use args::{Args, Command};

/// Why a command failed, and with which status it ends.
#[derive(Debug)]
pub enum Failure {
    /// The answer is no, or the work could not be done.
    Refused(String),
    /// The words or the configuration are wrong.
    Usage(String),
    /// Nobody listens on the admin socket.
    NoServer(String),
    /// The log failed to sync.
    LogFailed(String),
    /// Said already; only the status is left.
    Silent(u8),
}

impl Failure {
    fn status(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::NoServer(_) => 3,
            Self::LogFailed(_) => 74,
            Self::Silent(status) => *status,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Refused(text)
            | Self::Usage(text)
            | Self::NoServer(text)
            | Self::LogFailed(text) => Some(text),
            Self::Silent(_) => None,
        }
    }
}

pub type Outcome = Result<(), Failure>;

/// Parses the arguments, runs the command, turns the outcome into an exit status.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version go to standard output with status 0, everything else to standard error with 2.
            let status = u8::try_from(error.exit_code()).unwrap_or(2);
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    match dispatch(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(text) = failure.text() {
                show::complain(text);
            }
            ExitCode::from(failure.status())
        }
    }
}

fn dispatch(args: Args) -> Outcome {
    let data = args.data_dir();
    let out = show::Output { json: args.json };
    match args.command {
        Command::Up(up) => server::up(&data, &up),
        Command::Gateway(gateway) => server::gateway(&data, &gateway),
        Command::User(command) => user::user(&data, out, command),
        Command::Client(command) => user::client(&data, out, command),
        Command::Rule(command) => rule::rule(&data, out, command),
        Command::Explain(question) => rule::explain(&data, out, &question),
        Command::Config(command) => config::config(&data, out, command),
        Command::Log(command) => log::log(&data, out, command),
        Command::Reload => server::reload(&data, out),
        Command::Status => server::status(&data, out),
    }
}
