//! `headwater list`, `cancel`, `stop`, `checkpoint`, `savepoint`: Flink's verbs against a cluster's REST API.
//!
//! It knows a cluster by its documents only, so that it works with every cluster that speaks the API. It holds no
//! state: what was begun goes on when it is interrupted.

pub mod args;
mod http;
mod list;
mod operations;

use args::{CheckpointArgs, JobArgs, ListArgs, SavepointArgs, StopArgs};
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use http::Api;
use serde_json::Value;
use std::process::ExitCode;

/// `headwater list`.
pub fn list(args: &ListArgs, config: &Configuration) -> ExitCode {
    end(Api::new(args.cluster.jobmanager.as_deref(), config).and_then(|api| list::list(&api, args)))
}

/// `headwater cancel`.
pub fn cancel(args: &JobArgs, config: &Configuration) -> ExitCode {
    end(Api::new(args.cluster.jobmanager.as_deref(), config).and_then(|api| operations::cancel(&api, args)))
}

/// `headwater stop`.
pub fn stop(args: &StopArgs, config: &Configuration) -> ExitCode {
    end(Api::new(args.job.cluster.jobmanager.as_deref(), config).and_then(|api| operations::stop(&api, args)))
}

/// `headwater checkpoint`.
pub fn checkpoint(args: &CheckpointArgs, config: &Configuration) -> ExitCode {
    end(Api::new(args.job.cluster.jobmanager.as_deref(), config).and_then(|api| operations::checkpoint(&api, args)))
}

/// `headwater savepoint JOB` and `headwater savepoint --dispose PATH`.
pub fn savepoint(args: &SavepointArgs, config: &Configuration) -> ExitCode {
    end(Api::new(args.cluster.jobmanager.as_deref(), config).and_then(|api| operations::savepoint(&api, args)))
}

fn end(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::complain(format_args!("[ERROR] {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes lines for people, or a document for programs.
fn show(json: bool, lines: &[String], document: &Value) -> Result<()> {
    let text = match json {
        true => format!("{document}\n"),
        false => lines.iter().map(|line| format!("{line}\n")).collect(),
    };
    match std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()) {
        Err(error) if !crate::output::is_closed_pipe(&error) => {
            Err(Error::user("unwritable-output", format!("cannot write the output: {error}")))
        }
        _ => Ok(()),
    }
}
