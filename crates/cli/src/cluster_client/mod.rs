//! `headwater run`, `run-application`, `info`, `list`, `cancel`, `stop`, `checkpoint`, `savepoint`, `diagnose`: Flink's
//! verbs, and one of our own, against a cluster's REST API.
//!
//! It knows a cluster by its documents only, so that it works with every cluster that speaks the API. It holds no
//! state: what was begun goes on when it is interrupted.

pub mod args;
mod diagnose;
pub(crate) mod http;
mod list;
mod operations;
mod plan_file;
mod run;
mod watch;

use args::{CheckpointArgs, InfoArgs, JobArgs, ListArgs, RunArgs, SavepointArgs, StopArgs};
use headwater_types::config::Configuration;
use headwater_types::{Error, ErrorKind, Result};
pub use http::Api;
pub(crate) use http::secured;
use serde_json::Value;
use std::process::ExitCode;

/// What a shell reports of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// `headwater list`.
pub fn list(args: &ListArgs, config: &Configuration) -> ExitCode {
    end(Api::new(args.cluster.jobmanager.as_deref(), config).and_then(|api| list::list(&api, args)))
}

/// `headwater run`.
pub fn run(args: &RunArgs, config: &Configuration) -> ExitCode {
    let api = Api::new(args.cluster.jobmanager.as_deref(), config);
    end(api.and_then(|api| run::run(&api, args, config)))
}

/// `headwater run-application`.
pub fn run_application(args: &RunArgs, config: &Configuration) -> ExitCode {
    let api = Api::new(args.cluster.jobmanager.as_deref(), config);
    end(api.and_then(|api| run::run_application(&api, args)))
}

/// `headwater info`.
pub fn info(args: &InfoArgs, config: &Configuration) -> ExitCode {
    end(run::info(args, config))
}

/// `headwater diagnose`.
pub fn diagnose(args: &JobArgs, config: &Configuration) -> ExitCode {
    end(Api::new(args.cluster.jobmanager.as_deref(), config).and_then(|api| diagnose::diagnose(&api, args)))
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
        Err(error) if error.kind() == ErrorKind::Cancelled => {
            crate::complain(format_args!("[INFO] {}", error.message()));
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            crate::complain(format_args!("[ERROR] {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Progress is for people.
fn tell(json: bool, line: &str) {
    if !json {
        crate::complain(format_args!("{line}"));
    }
}

/// The id of a job, which becomes part of a path.
fn job(text: &str) -> Result<String> {
    match text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => {
            let message =
                format!("'{text}' is not the id of a job: expected 32 hexadecimal digits, as 'list' shows them");
            Err(Error::user("bad-job-id", message))
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
