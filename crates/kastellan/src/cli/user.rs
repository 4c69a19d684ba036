//! `kastellan user ..` and `kastellan client ..`

use std::io::Read;
use std::path::{Path, PathBuf};

use hyper::Method;

use super::args::{ClientCommand, UserCommand};
use super::client::{ask, get, segment};
use super::show::{self, Output, print, say};
use super::{Failure, Outcome};
use crate::admin::api::{AddClient, AddUser, Bundle, Changed, SetPassword, User};
use crate::data_dir;

/// Bytes of a password file, at most.
const PASSWORD_MAX: u64 = 1024;

pub fn user(data: &Path, out: Output, command: UserCommand) -> Outcome {
    match command {
        UserCommand::Add {
            name,
            password_file,
        } => {
            let password = password_file.as_deref().map(read_password).transpose()?;
            let added: Changed = ask(
                data,
                Method::POST,
                "/v1/users",
                Some(&AddUser { name, password }),
            )?;
            told_once(out, &added, "added");
            Ok(())
        }
        UserCommand::List => {
            let users: Vec<User> = get(data, "/v1/users?kind=person")?;
            out.data(&users, |users| {
                list(users, "no users yet: kastellan user add NAME")
            });
            Ok(())
        }
        UserCommand::Show { name } => show_one(data, out, &name),
        UserCommand::Disable { name } => act(
            data,
            out,
            &name,
            "disable",
            "disabled; its sessions are cut",
        ),
        UserCommand::Enable { name } => act(data, out, &name, "enable", "enabled"),
        UserCommand::Delete { name } => delete(data, out, &name),
        UserCommand::Password {
            name,
            password_file,
        } => {
            let password = password_file.as_deref().map(read_password).transpose()?;
            let path = format!("/v1/users/{}/password", segment(&name));
            let changed: Changed = ask(data, Method::POST, &path, Some(&SetPassword { password }))?;
            told_once(
                out,
                &changed,
                "has a new password; sessions with the old one are cut",
            );
            Ok(())
        }
    }
}

pub fn client(data: &Path, out: Output, command: ClientCommand) -> Outcome {
    match command {
        ClientCommand::Add {
            name,
            kafka: _,
            out: folder,
        } => {
            let folder = target(&name, folder)?;
            let bundle: Bundle = ask(data, Method::POST, "/v1/clients", Some(&AddClient { name }))?;
            write_bundle(out, &folder, &bundle)
        }
        ClientCommand::Rotate { name, out: folder } => {
            let folder = match folder {
                Some(folder) => folder,
                None => PathBuf::from(&name),
            };
            let path = format!("/v1/clients/{}/rotate", segment(&name));
            let bundle: Bundle = ask::<(), _>(data, Method::POST, &path, None)?;
            write_bundle(out, &folder, &bundle)
        }
        ClientCommand::List => {
            let users: Vec<User> = get(data, "/v1/users?kind=service")?;
            out.data(&users, |users| {
                list(users, "no clients yet: kastellan client add NAME --kafka")
            });
            Ok(())
        }
        ClientCommand::Show { name } => show_one(data, out, &name),
        ClientCommand::Delete { name } => delete(data, out, &name),
    }
}

/// The folder must not hold an older bundle by accident: it would be lost before the new one is safe.
fn target(name: &str, folder: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let folder = folder.unwrap_or_else(|| PathBuf::from(name));
    if folder.join("client.properties").exists() {
        return Err(Failure::Usage(format!(
            "{} already holds a client's files\nnext: give another folder with --out DIR, or use kastellan client rotate {name}",
            folder.display()
        )));
    }
    Ok(folder)
}

fn write_bundle(out: Output, folder: &Path, bundle: &Bundle) -> Outcome {
    let failed = |error: std::io::Error| {
        Failure::Refused(format!(
            "{}: {error}\nnext: the client exists; write its files with kastellan client rotate {} --out DIR",
            folder.display(),
            bundle.name
        ))
    };
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    for (name, content) in &bundle.files {
        // Names come from the server; a path in one would be a surprise.
        if name.contains('/') || name.starts_with('.') {
            return Err(Failure::Refused(format!(
                "the server named a file {name:?}"
            )));
        }
        data_dir::replace(&folder.join(name), content.as_bytes()).map_err(failed)?;
    }
    let names: Vec<&str> = bundle.files.keys().map(String::as_str).collect();
    let written = serde_json::json!({ "name": bundle.name, "folder": folder, "files": names });
    out.data(&written, |_| {
        names
            .iter()
            .map(|name| folder.join(name).display().to_string() + "\n")
            .collect()
    });
    say(&format!(
        "client {name} is ready. It may do nothing yet; for example:\n  kastellan rule add allow User:{name} Read,Write topic:orders",
        name = bundle.name
    ));
    Ok(())
}

/// Reads a password: one trailing line break is not part of it.
pub fn read_password(path: &Path) -> Result<String, Failure> {
    let wrong = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(PASSWORD_MAX + 2)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(PASSWORD_MAX + 2).read_to_string(&mut text))
    };
    read.map_err(|error| wrong(error.to_string()))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(wrong("holds no password".to_owned()));
    }
    if password.len() as u64 > PASSWORD_MAX {
        return Err(wrong(format!(
            "a password has at most {PASSWORD_MAX} bytes"
        )));
    }
    Ok(password.to_owned())
}

fn told_once(out: Output, changed: &Changed, what: &str) {
    say(&format!("user {} {what}", changed.name));
    match &changed.password {
        Some(password) if !out.json => {
            say("the password, shown this once:");
            print(password);
        }
        _ => out.data(changed, |_| String::new()),
    }
}

fn act(data: &Path, out: Output, name: &str, verb: &str, done: &str) -> Outcome {
    let path = format!("/v1/users/{}/{verb}", segment(name));
    let changed: Changed = ask::<(), _>(data, Method::POST, &path, None)?;
    out.data(&changed, |changed| format!("{} {done}", changed.name));
    Ok(())
}

fn delete(data: &Path, out: Output, name: &str) -> Outcome {
    let path = format!("/v1/users/{}", segment(name));
    let changed: Changed = ask::<(), _>(data, Method::DELETE, &path, None)?;
    out.data(&changed, |changed| {
        format!(
            "{} deleted; its sessions are cut, its rules stay",
            changed.name
        )
    });
    Ok(())
}

fn show_one(data: &Path, out: Output, name: &str) -> Outcome {
    let user: User = get(data, &format!("/v1/users/{}", segment(name)))?;
    out.data(&user, |user| list(std::slice::from_ref(user), ""));
    Ok(())
}

fn list(users: &[User], empty: &str) -> String {
    if users.is_empty() {
        return empty.to_owned();
    }
    let heading = ["NAME", "KIND", "STATE", "MECHANISMS", "CREATED"]
        .map(str::to_owned)
        .to_vec();
    let rows = users.iter().map(|user| {
        vec![
            user.name.clone(),
            user.kind.clone(),
            if user.disabled { "disabled" } else { "enabled" }.to_owned(),
            user.mechanisms.join(" "),
            user.created.clone(),
        ]
    });
    show::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}
