//! `headwater sql`.

mod background;
mod client;
mod interrupts;
mod jobs;
mod runner;
mod script;

pub use client::Client;
pub use script::read as read_script;

use crate::args::SqlArgs;
use headwater_types::config::Configuration;
use script::Script;
use std::path::Path;
use std::process::ExitCode;

/// How a script, a statement or a session ended.
#[derive(Debug)]
pub enum Ending {
    /// All statements ran.
    Done,
    /// QUIT or EXIT.
    Quit,
    /// The reader of the output went away.
    Closed,
    /// An interrupt ended a query or a job.
    Interrupted,
    /// An error, already shown.
    Failed,
}

/// Runs scripts and statements, or the prompt when there are none.
pub fn run(args: &SqlArgs, config: Configuration) -> ExitCode {
    let mut client = Client::new(config, args.format, args.progress);
    if let Some(code) = run_scripts(&mut client, args) {
        return code;
    }
    if args.files.is_empty() && args.execute.is_empty() {
        return crate::prompt::run(&mut client, args.history.as_deref());
    }
    stop(client.wait_for_jobs()).unwrap_or(ExitCode::SUCCESS)
}

/// Runs what the command line names; the exit code when that ended badly or was told to end here.
fn run_scripts(client: &mut Client, args: &SqlArgs) -> Option<ExitCode> {
    for path in &args.init {
        if let Some(code) = stop(run_file(client, path, true)) {
            return Some(code);
        }
    }
    for path in &args.files {
        if let Some(code) = stop(run_file(client, path, false)) {
            return Some(code);
        }
    }
    for text in &args.execute {
        if let Some(code) = stop(Script::new(text, None).run(client)) {
            return Some(code);
        }
    }
    None
}

fn run_file(client: &mut Client, path: &Path, is_init: bool) -> Ending {
    match script::read(path) {
        Ok(text) if is_init => Script::new(&text, Some(path)).declarations_only().run(client),
        Ok(text) => Script::new(&text, Some(path)).run(client),
        Err(error) => {
            crate::complain(format_args!("[ERROR] {error}"));
            Ending::Failed
        }
    }
}

/// The exit code when nothing more is to be run.
fn stop(ending: Ending) -> Option<ExitCode> {
    match ending {
        Ending::Done => None,
        Ending::Quit | Ending::Closed => Some(ExitCode::SUCCESS),
        Ending::Failed => Some(ExitCode::FAILURE),
        Ending::Interrupted => Some(ExitCode::from(130)),
    }
}
