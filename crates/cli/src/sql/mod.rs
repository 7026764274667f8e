//! `headwater sql`.

mod background;
mod client;
mod gateway;
mod interrupts;
mod jobs;
mod rest;
mod runner;
mod script;

pub use client::Client;
pub use script::{Script, read as read_script};

use crate::args::SqlArgs;
use crate::cluster::{self, Remote, logging};
use gateway::Gateway;
use headwater_sql_gateway::catalog_store::CatalogStore;
use headwater_types::Result;
use headwater_types::config::Configuration;
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
    let remote = match logging::start_client(&config).and_then(|()| remote(args, &config)) {
        Ok(remote) => remote,
        Err(error) => {
            crate::complain(format_args!("[ERROR] {error}"));
            return ExitCode::FAILURE;
        }
    };
    let mut client = Client::new(config.clone(), args.format, args.progress);
    if let Some(remote) = &remote {
        client.submit_to(remote.handle.clone());
    }
    if let Err(error) = connect(&mut client, args, &config) {
        crate::complain(format_args!("[ERROR] {error}"));
        return ExitCode::FAILURE;
    }
    let _server = match rest::start(args.rest, remote.is_some(), &mut client, &config) {
        Ok(server) => server,
        Err(error) => {
            crate::complain(format_args!("[ERROR] {error}"));
            return ExitCode::FAILURE;
        }
    };
    if let Some(code) = run_scripts(&mut client, args) {
        return code;
    }
    if args.files.is_empty() && args.execute.is_empty() {
        return crate::prompt::run(&mut client, args.history.as_deref());
    }
    if remote.is_some() {
        // Its jobs are the cluster's.
        return ExitCode::SUCCESS;
    }
    stop(client.wait_for_jobs()).unwrap_or(ExitCode::SUCCESS)
}

/// Gives the client the gateway that it is to ask, else the store of its catalogs.
fn connect(client: &mut Client, args: &SqlArgs, config: &Configuration) -> Result<()> {
    match &args.gateway {
        Some(address) => client.ask(Gateway::open(address, config, &args.config.define)?),
        None => CatalogStore::from_config(config)?.into_iter().for_each(|store| client.keep(store)),
    }
    Ok(())
}

/// The cluster that the jobs are meant for, if it is not this process.
fn remote(args: &SqlArgs, config: &Configuration) -> Result<Option<Remote>> {
    let target = cluster::target(args.jobmanager.as_deref(), config)?;
    target.map(|leader| Remote::connect(leader, config)).transpose()
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
