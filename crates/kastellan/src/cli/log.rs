//! `kastellan log ..`

use std::path::Path;

use hyper::Method;

use super::args::LogCommand;
use super::client::{ask, get};
use super::show::{self, Output, say};
use super::{Failure, Outcome, repair};
use crate::admin::api::{ExportRequest, Exported, RootKey, RootVersion, Verified};

pub fn log(data: &Path, out: Output, command: LogCommand) -> Outcome {
    match command {
        LogCommand::Verify => {
            say("reading every byte of the log ..");
            let verified: Verified = ask::<(), _>(data, Method::POST, "/v1/log/verify", None)?;
            out.data(&verified, |verified| {
                let mut text = format!(
                    "{} files, {} frames, {} bytes: {}\n",
                    verified.files,
                    verified.frames,
                    verified.bytes,
                    if verified.damage.is_empty() {
                        "no damage"
                    } else {
                        "DAMAGE"
                    }
                );
                for line in &verified.damage {
                    text.push_str(&format!("{line}\n"));
                }
                text
            });
            if verified.damage.is_empty() {
                Ok(())
            } else {
                Err(Failure::Silent(1))
            }
        }
        LogCommand::Export {
            topic,
            partition,
            plain: _,
            out: file,
        } => {
            let file =
                std::path::absolute(&file).map_err(|error| Failure::Usage(error.to_string()))?;
            let request = ExportRequest {
                topic,
                partition,
                out: file.to_string_lossy().into_owned(),
            };
            let exported: Exported = ask(data, Method::POST, "/v1/log/export", Some(&request))?;
            out.data(&exported, |exported| {
                format!(
                    "{} batches, {} bytes, in clear: {}",
                    exported.batches,
                    exported.bytes,
                    file.display()
                )
            });
            Ok(())
        }
        LogCommand::RotateRoot => {
            let made: RootVersion = ask::<(), _>(data, Method::POST, "/v1/log/rotate-root", None)?;
            out.data(&made, |made| {
                format!("root key {}: new files use it", made.version)
            });
            Ok(())
        }
        LogCommand::ForgetRoot { version } => {
            let wanted = RootVersion { version };
            let gone: RootVersion = ask(data, Method::POST, "/v1/log/forget-root", Some(&wanted))?;
            out.data(&gone, |gone| {
                format!("root key {} is forgotten", gone.version)
            });
            Ok(())
        }
        LogCommand::Repair {
            topic,
            partition,
            accept_loss_from,
            offline,
        } => repair::partition(data, out, &topic, partition, accept_loss_from, &offline),
        LogCommand::RepairJournal {
            journal,
            accept_loss,
            offline,
        } => repair::journal(data, out, journal, accept_loss, &offline),
        LogCommand::Keys => {
            let keys: Vec<RootKey> = get(data, "/v1/log/keys")?;
            out.data(&keys, |keys| {
                let heading = ["VERSION", "STATE", "CREATED", "FILES"]
                    .map(str::to_owned)
                    .to_vec();
                let rows = keys.iter().map(|key| {
                    vec![
                        key.version.to_string(),
                        key.state.clone(),
                        key.created.clone(),
                        key.files.to_string(),
                    ]
                });
                show::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
            });
            Ok(())
        }
    }
}
