//! The words of the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// Secures Apache Kafka: a gateway with TLS, logins, rules and a record of who did what, over a sealed log.
#[derive(Debug, Parser)]
#[command(name = "kastellan", version, about, max_term_width = 100)]
pub struct Args {
    /// Data directory of the server.
    #[arg(
        long,
        global = true,
        env = "KASTELLAN_DATA",
        default_value = "kastellan-data",
        value_name = "DIR"
    )]
    data: PathBuf,

    /// Print data as JSON.
    #[arg(long, global = true)]
    pub json: bool,

    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    pub fn data_dir(&self) -> PathBuf {
        self.data.clone()
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything in one process: gateway, embedded log, users and rules.
    Up(UpArgs),
    /// Run the gateway in front of an Apache Kafka node.
    Gateway(GatewayArgs),
    /// People and their passwords.
    #[command(subcommand)]
    User(UserCommand),
    /// Services and their ready-made configuration.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Who may do what.
    #[command(subcommand)]
    Rule(RuleCommand),
    /// Say whether a principal may do something, and why. Status 0: allowed, 1: refused.
    Explain(ExplainArgs),
    /// Check or print the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// The embedded log: verify, export, keys, repair.
    #[command(subcommand)]
    Log(LogCommand),
    /// Read certificates, revocation lists and configuration again, without dropping a connection.
    Reload,
    /// Addresses, connections, health.
    Status,
}

#[derive(Debug, ClapArgs)]
pub struct UpArgs {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address of the SASL listener. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    pub bind_kafka: Option<SocketAddr>,
    /// Address of the client-certificate listener.
    #[arg(long, value_name = "ADDR")]
    pub bind_kafka_mtls: Option<SocketAddr>,
    /// Address for metrics and health.
    #[arg(long, value_name = "ADDR")]
    pub bind_ops: Option<SocketAddr>,
    /// Password of the `admin` account, for the first start. Without it one is made and printed once.
    #[arg(long, value_name = "FILE")]
    pub admin_password_file: Option<PathBuf>,
    /// Written, as JSON, when the first login would succeed.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct GatewayArgs {
    /// Configuration file; names the cluster under [gateway.upstream].
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Password of the `admin` account, for the first start.
    #[arg(long, value_name = "FILE")]
    pub admin_password_file: Option<PathBuf>,
    /// Written, as JSON, when the first login would succeed.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a person. Without a password file a password is made and printed once.
    Add {
        name: String,
        /// File with the password, `-` for standard input. One line break at its end is not part of it.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    List,
    Show {
        name: String,
    },
    /// Refuse logins and cut open sessions.
    Disable {
        name: String,
    },
    Enable {
        name: String,
    },
    Delete {
        name: String,
    },
    /// Set a new password; sessions opened with the old one are cut.
    Password {
        name: String,
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Add a service and write its configuration for every client library.
    Add {
        name: String,
        /// It uses Kafka.
        #[arg(long, required = true)]
        kafka: bool,
        /// Where to write; default: a folder with the name of the client.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    List,
    Show {
        name: String,
    },
    /// Make a new secret and certificate, and write the configuration again. The old ones end at once.
    Rotate {
        name: String,
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    Delete {
        name: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EffectArg {
    Allow,
    Deny,
}

#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// Add rules: one for each operation and resource.
    Add {
        effect: EffectArg,
        /// `User:alice`, or `User:*` for everybody.
        principal: String,
        /// One or more of Read, Write, Create, Describe, Delete, Alter, .., All; with commas between.
        #[arg(required = true, num_args = 1, action = clap::ArgAction::Set, value_delimiter = ',')]
        operations: Vec<String>,
        /// `topic:orders`, `topic:orders.*` (prefix), `topic:*`, `group:..`, `txn:..`, `cluster`.
        #[arg(required = true, num_args = 1.., value_name = "RESOURCE")]
        resources: Vec<String>,
        /// Only from this address or CIDR block.
        #[arg(long, default_value = "*")]
        host: String,
    },
    List {
        /// Only rules of this principal.
        #[arg(long)]
        principal: Option<String>,
    },
    /// Remove rules by their numbers.
    Remove {
        #[arg(required = true)]
        ids: Vec<i64>,
    },
}

#[derive(Debug, ClapArgs)]
pub struct ExplainArgs {
    /// `User:alice`
    pub principal: String,
    pub operation: String,
    /// `topic:orders`, `group:g`, `txn:t`, `cluster`
    pub resource: String,
    /// As from this address.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Name every problem of a file, with its line.
    Check { file: PathBuf },
    /// Print what is in force, or what a file would put in force.
    Show { file: Option<PathBuf> },
    /// Print the reference page.
    #[command(hide = true)]
    Reference,
}

#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Read and authenticate every byte.
    Verify,
    /// Write one partition as an ordinary Kafka segment, in clear.
    Export {
        topic: String,
        partition: u32,
        /// Says that the output is not sealed.
        #[arg(long, required = true)]
        plain: bool,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Root keys, and how many files still name each.
    Keys,
    /// Make a new root key for new files; older files open with theirs.
    RotateRoot,
    /// Forget a retired root key that no file names.
    ForgetRoot { version: u32 },
    /// Of a stopped server: say what is damaged in a partition, and give up records only where that is accepted.
    Repair {
        topic: String,
        partition: u32,
        /// Give up every record from this offset on, and serve the partition again. Files go to quarantine.
        #[arg(long, value_name = "OFFSET")]
        accept_loss_from: Option<i64>,
        #[command(flatten)]
        offline: OfflineArgs,
    },
    /// Of a stopped server: say what is damaged in a journal, and give up entries only where that is accepted.
    RepairJournal {
        journal: JournalArg,
        /// Give up every entry behind the damage.
        #[arg(long)]
        accept_loss: bool,
        #[command(flatten)]
        offline: OfflineArgs,
    },
}

#[derive(Debug, ClapArgs)]
pub struct OfflineArgs {
    /// Key file that wraps the root keys; default: `master.key` in the data directory.
    #[arg(long, value_name = "FILE")]
    pub master_key: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum JournalArg {
    Catalog,
    Groups,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn data_directory_is_taken_before_and_after_the_verb() {
        for words in [
            ["kastellan", "--data", "d", "status"],
            ["kastellan", "status", "--data", "d"],
        ] {
            assert_eq!(Args::parse_from(words).data_dir(), PathBuf::from("d"));
        }
    }

    #[test]
    fn rule_takes_operations_with_commas_and_many_resources() {
        let args = Args::parse_from([
            "kastellan",
            "rule",
            "add",
            "allow",
            "User:a",
            "Read,Write",
            "topic:a",
            "group:*",
        ]);
        let Command::Rule(RuleCommand::Add {
            operations,
            resources,
            ..
        }) = args.command
        else {
            panic!("not a rule")
        };
        assert_eq!((operations.len(), resources.len()), (2, 2));
    }
}
