//! Asks a running server over its admin socket.

use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::Failure;
use crate::admin::api::Problem;
use crate::data_dir;

/// Largest answer that is read.
const ANSWER_MAX: usize = 64 << 20;
/// `log verify` reads everything; the rest answers at once.
const DEADLINE: Duration = Duration::from_secs(3600);

/// One request, one answer.
pub fn ask<Q: Serialize, A: DeserializeOwned>(
    dir: &Path,
    method: Method,
    path: &str,
    body: Option<&Q>,
) -> Result<A, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Refused(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        tokio::time::timeout(DEADLINE, exchange(dir, method, path, body))
            .await
            .map_err(|_| Failure::NoServer("the server did not answer".to_owned()))?
    })
}

/// A question without a body.
pub fn get<A: DeserializeOwned>(dir: &Path, path: &str) -> Result<A, Failure> {
    ask::<(), A>(dir, Method::GET, path, None)
}

async fn exchange<Q: Serialize, A: DeserializeOwned>(
    dir: &Path,
    method: Method,
    path: &str,
    body: Option<&Q>,
) -> Result<A, Failure> {
    let no_server = |why: &dyn std::fmt::Display| {
        Failure::NoServer(format!(
            "no server answers in {}: {why}\nnext: start one with kastellan up --data {0}, or name its directory with --data DIR",
            dir.display()
        ))
    };
    let (_dir, socket) = data_dir::socket_path(dir).map_err(|error| no_server(&error))?;
    let stream = UnixStream::connect(&socket)
        .await
        .map_err(|error| no_server(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| no_server(&error))?;
    let driver = tokio::spawn(connection);
    let bytes = match body {
        Some(body) => {
            serde_json::to_vec(body).map_err(|error| Failure::Refused(error.to_string()))?
        }
        None => Vec::new(),
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(bytes)))
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| no_server(&error))?;
    let status = answer.status();
    let bytes = Limited::new(answer.into_body(), ANSWER_MAX)
        .collect()
        .await
        .map_err(|error| no_server(&error))?
        .to_bytes();
    driver.abort();
    read_answer(status, &bytes)
}

fn read_answer<A: DeserializeOwned>(status: StatusCode, bytes: &[u8]) -> Result<A, Failure> {
    if status.is_success() {
        return serde_json::from_slice(bytes).map_err(|error| {
            Failure::Refused(format!("the server's answer is not understood: {error}"))
        });
    }
    let text = match serde_json::from_slice::<Problem>(bytes) {
        Ok(Problem {
            error,
            next: Some(next),
        }) => format!("{error}\nnext: {next}"),
        Ok(Problem { error, next: None }) => error,
        Err(_) => format!("the server answered {status}"),
    };
    if status == StatusCode::BAD_REQUEST {
        Err(Failure::Usage(text))
    } else {
        Err(Failure::Refused(text))
    }
}

/// A name as one segment of a path.
pub fn segment(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_segment() {
        assert_eq!(segment("a/b ?%"), "a%2Fb%20%3F%25");
    }

    #[test]
    fn missing_server_is_told_apart() {
        let answer: Result<(), Failure> = get(Path::new("/nonexistent-directory"), "/v1/status");
        assert!(matches!(answer, Err(Failure::NoServer(_))));
    }
}
