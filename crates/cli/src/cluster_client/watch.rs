//! Following a job of a cluster until it ends.

use super::Api;
use crate::progress::duration;
use crate::signals;
use headwater_env::Env;
use headwater_types::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Looks between two lines where stderr is no terminal.
const LINE_EVERY: u32 = 40;
/// Looks in a row that may fail: the JobManager may be replaced meanwhile.
const FAILURES_MAX: u32 = 120;

/// Follows a job.
pub struct Watch<'a> {
    api: &'a Api,
    job: &'a str,
    is_shown: bool,
    is_terminal: bool,
    looks: u32,
}

/// A job that has ended.
pub struct Ended {
    /// Whether it finished.
    pub is_success: bool,
    /// How it ended, for people.
    pub line: String,
    /// How it ended, for programs.
    pub document: Value,
}

impl<'a> Watch<'a> {
    /// Of this job; `is_shown` says how it goes on, on stderr.
    pub fn new(api: &'a Api, job: &'a str, is_shown: bool) -> Self {
        Self { api, job, is_shown, is_terminal: std::io::stderr().is_terminal(), looks: 0 }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When the cluster cannot be reached for long, or the user interrupts.
    pub fn wait(mut self) -> Result<Ended> {
        signals::watch();
        let env = Env::real();
        let mut failures = 0;
        loop {
            match self.api.get(&format!("/jobs/{}", self.job)) {
                Ok(details) if is_final(&details) => {
                    self.clear();
                    return self.ended(&details);
                }
                Ok(details) => {
                    failures = 0;
                    self.line(&details);
                }
                Err(error) if error.kind() == ErrorKind::Retryable && failures < FAILURES_MAX => failures += 1,
                Err(error) => return Err(error),
            }
            if signals::take() {
                self.clear();
                let message = format!("the job goes on; end it by 'headwater cancel {}' or 'headwater stop'", self.job);
                return Err(Error::new(ErrorKind::Cancelled, "interrupted", message));
            }
            env.clock().pause(LOOK_EVERY);
        }
    }

    fn line(&mut self, details: &Value) {
        self.looks += 1;
        if !self.is_shown || !self.is_terminal && !self.looks.is_multiple_of(LINE_EVERY) {
            return;
        }
        let took = Duration::from_millis(details["duration"].as_u64().unwrap_or(0));
        let state = details["state"].as_str().unwrap_or("?");
        let counts =
            rows(details).map_or_else(String::new, |(rows_in, rows_out)| format!("  in {rows_in}  out {rows_out}"));
        let line = format!("{} {state}{counts}", duration(took));
        let mut stderr = std::io::stderr().lock();
        let _ = match self.is_terminal {
            true => write!(stderr, "\r\x1b[K{line}"),
            false => writeln!(stderr, "{line}"),
        };
        let _ = stderr.flush();
    }

    fn clear(&self) {
        if self.is_shown && self.is_terminal && self.looks > 0 {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }

    fn ended(&self, details: &Value) -> Result<Ended> {
        let state = details["state"].as_str().unwrap_or("?");
        let took_ms = details["duration"].as_u64().unwrap_or(0);
        let result = self.api.get(&format!("/jobs/{}/execution-result", self.job))?;
        let why = result["job-execution-result"]["failure-cause"]["stack-trace"].as_str();
        let because = why.map_or_else(String::new, |why| format!(": {why}"));
        let rows = rows(details);
        let counts =
            rows.map_or_else(String::new, |(rows_in, rows_out)| format!(", {rows_in} rows in, {rows_out} rows out"));
        let line =
            format!("Job {} is {state} after {}{counts}{because}", self.job, duration(Duration::from_millis(took_ms)));
        let document = json!({
            "job": self.job, "state": state, "duration-ms": took_ms, "rows-in": rows.map(|rows| rows.0), "rows-out": rows.map(|rows| rows.1),
            "failure": why,
        });
        Ok(Ended { is_success: state == "FINISHED", line, document })
    }
}

fn is_final(details: &Value) -> bool {
    matches!(details["state"].as_str(), Some("FINISHED" | "CANCELED" | "FAILED"))
}

/// Rows that the vertices without inputs have sent, and that those nobody receives from have received. Of a job that is
/// one chain nothing is known: Flink's API counts what is exchanged.
fn rows(details: &Value) -> Option<(u64, u64)> {
    let nodes = details["plan"]["nodes"].as_array().map_or(&[][..], Vec::as_slice);
    let inputs = |node: &Value| node["inputs"].as_array().cloned().unwrap_or_default();
    let senders: Vec<Value> = nodes.iter().flat_map(inputs).map(|input| input["id"].clone()).collect();
    let sources: Vec<&Value> = nodes.iter().filter(|node| inputs(node).is_empty()).map(|node| &node["id"]).collect();
    if senders.is_empty() {
        return None;
    }
    let vertices = details["vertices"].as_array().map_or(&[][..], Vec::as_slice);
    let sum = |is: &dyn Fn(&Value) -> bool, field: &str| {
        let rows = vertices.iter().filter(|vertex| is(&vertex["id"])).map(|vertex| vertex["metrics"][field].as_u64());
        rows.map(|rows| rows.unwrap_or(0)).sum()
    };
    Some((sum(&|id| sources.contains(&id), "write-records"), sum(&|id| !senders.contains(id), "read-records")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_at_the_ends_of_the_plan() {
        let details = json!({
            "plan": { "nodes": [
                { "id": "a", "inputs": [] },
                { "id": "b", "inputs": [{ "id": "a" }] },
                { "id": "c", "inputs": [{ "id": "b" }] },
            ] },
            "vertices": [
                { "id": "a", "metrics": { "read-records": 0, "write-records": 5 } },
                { "id": "b", "metrics": { "read-records": 5, "write-records": 3 } },
                { "id": "c", "metrics": { "read-records": 3, "write-records": 0 } },
            ],
        });
        assert_eq!(rows(&details), Some((5, 3)));
        assert_eq!(rows(&Value::Null), None);
    }
}
