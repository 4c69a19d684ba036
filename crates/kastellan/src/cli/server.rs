//! `kastellan up`, `gateway`, `reload`, `status`

use std::path::Path;

use hyper::Method;

use super::args::{GatewayArgs, UpArgs};
use super::client::{ask, get};
use super::show::Output;
use super::user::read_password;
use super::{Failure, Outcome};
use crate::admin::api::{Reloaded, Status};
use crate::config::Config;
use crate::run::{self, Overrides, Start};

pub fn up(data: &Path, args: &UpArgs) -> Outcome {
    let mut config = load(args.config.as_deref())?;
    let overrides = Overrides {
        kafka: args.bind_kafka,
        kafka_mtls: args.bind_kafka_mtls,
        ops: args.bind_ops,
    };
    overrides.apply(&mut config).map_err(Failure::Usage)?;
    let admin_password = args
        .admin_password_file
        .as_deref()
        .map(read_password)
        .transpose()?;
    run::run(Start {
        data: data.to_owned(),
        config_file: args.config.clone(),
        config,
        overrides,
        admin_password,
        ready_file: args.ready_file.clone(),
    })
}

pub fn gateway(data: &Path, args: &GatewayArgs) -> Outcome {
    let config = load(Some(&args.config))?;
    if config.gateway.upstream.is_none() {
        return Err(Failure::Usage(format!(
            "{}: gateway.upstream is missing: name the cluster, or use kastellan up for the embedded log",
            args.config.display()
        )));
    }
    let admin_password = args
        .admin_password_file
        .as_deref()
        .map(read_password)
        .transpose()?;
    run::run(Start {
        data: data.to_owned(),
        config_file: Some(args.config.clone()),
        config,
        overrides: Overrides::default(),
        admin_password,
        ready_file: args.ready_file.clone(),
    })
}

fn load(file: Option<&Path>) -> Result<Config, Failure> {
    match file {
        Some(file) => Config::load(file).map_err(|problems| Failure::Usage(problems.to_string())),
        None => Ok(Config::defaults()),
    }
}

pub fn reload(data: &Path, out: Output) -> Outcome {
    let reloaded: Reloaded = ask::<(), _>(data, Method::POST, "/v1/reload", None)?;
    out.data(&reloaded, |reloaded| reloaded.reloaded.join("\n"));
    Ok(())
}

pub fn status(data: &Path, out: Output) -> Outcome {
    let status: Status = get(data, "/v1/status")?;
    out.data(&status, |status| {
        let mut lines = vec![
            format!("version      {}", status.version),
            format!(
                "ready        {}",
                if status.ready {
                    "yes".to_owned()
                } else {
                    status.waiting_for.join(", ")
                }
            ),
            format!("uptime       {} s", status.uptime_seconds),
            format!("upstream     {}", status.upstream),
            format!(
                "connections  {} ({} logged in)",
                status.connections, status.sessions
            ),
            format!("users        {}", status.users),
            format!("rules        {}", status.rules),
        ];
        for (name, address) in [
            ("kafka", &status.addresses.kafka),
            ("kafka mtls", &status.addresses.kafka_mtls),
        ] {
            if let Some(address) = address {
                lines.push(format!("{name:<12} {address}"));
            }
        }
        lines.push(format!("ops          {}", status.addresses.ops));
        lines.join("\n")
    });
    Ok(())
}
