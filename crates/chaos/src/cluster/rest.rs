//! A client of the REST API: as much HTTP as one request on one connection needs.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// No answer is longer.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// The REST API of a JobManager.
pub struct Rest {
    address: String,
}

impl Rest {
    /// The API at host and port.
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned() }
    }

    /// `GET`.
    ///
    /// # Errors
    /// When there is no answer, or not the one hoped for.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, "")
    }

    /// `PUT`.
    ///
    /// # Errors
    /// As [`Rest::get`].
    pub fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.call("PUT", path, &body.to_string())
    }

    /// Id of the only job that has not ended.
    ///
    /// # Errors
    /// When there is none, or another.
    pub fn job(&self) -> Result<String> {
        let overview = self.get("/jobs/overview")?;
        let jobs = overview["jobs"].as_array().context("a list of jobs")?;
        let ended = |job: &&Value| matches!(job["state"].as_str(), Some("FINISHED" | "CANCELED" | "FAILED"));
        let ids: Vec<_> = jobs.iter().filter(|job| !ended(job)).filter_map(|job| job["jid"].as_str()).collect();
        match ids[..] {
            [id] => Ok(id.to_owned()),
            _ => bail!("expected one job that runs, found {ids:?}"),
        }
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        let answer =
            self.exchange(method, path, body).with_context(|| format!("{method} {path} at {}", self.address))?;
        if answer.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&answer)?) }
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut bytes = vec![];
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes)?;
        let text = String::from_utf8(bytes)?;
        let (head, answer) = text.split_once("\r\n\r\n").context("an answer without a head")?;
        let status = head.split_whitespace().nth(1).unwrap_or_default();
        ensure!(status.starts_with('2'), "it was answered with {status}: {answer}");
        ensure!(!head.to_ascii_lowercase().contains("transfer-encoding"), "an answer in chunks was not expected");
        Ok(answer.to_owned())
    }
}
