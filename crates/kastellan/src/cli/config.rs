//! `kastellan config ..`

use std::path::Path;

use super::args::ConfigCommand;
use super::client::get;
use super::show::{Output, print, say};
use super::{Failure, Outcome};
use crate::config::{Config, reference};

pub fn config(data: &Path, out: Output, command: ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Check { file } => match Config::load(&file) {
            Ok(_) => {
                say(&format!("{}: no problems", file.display()));
                Ok(())
            }
            Err(problems) if out.json => {
                let list: Vec<_> = problems
                    .list
                    .iter()
                    .map(|problem| serde_json::json!({ "line": problem.line, "key": problem.key, "message": problem.message }))
                    .collect();
                out.data(&list, |_| String::new());
                Err(Failure::Silent(2))
            }
            Err(problems) => Err(Failure::Usage(format!("{problems}"))),
        },
        ConfigCommand::Show { file: Some(file) } => {
            let config =
                Config::load(&file).map_err(|problems| Failure::Usage(format!("{problems}")))?;
            print(&config.show());
            Ok(())
        }
        ConfigCommand::Show { file: None } => {
            let shown: String = get(data, "/v1/config")?;
            out.data(&shown, String::clone);
            Ok(())
        }
        ConfigCommand::Reference => {
            print(&reference::page());
            Ok(())
        }
    }
}
