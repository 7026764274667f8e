//! `headwater`: SQL client, engine and test runner in one binary.
//!
//! This crate joins the parts and talks to people: arguments, configuration, terminal, exit codes. It holds no
//! engine logic. `anyhow`-style errors end here as sentences on stderr.

mod args;
mod cluster;
mod cluster_client;
mod config;
mod lineage;
mod output;
mod progress;
mod prompt;
mod rest;
mod savepoint;
mod signals;
mod sql;
mod test;

use args::{Cli, Command, ConfigArgs};
use clap::{CommandFactory, Parser};
use headwater_types::config::Configuration;
use std::io::Write;
use std::process::ExitCode;

/// State comes and goes in large amounts on many threads: this allocator gives what is free back to the system.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Within a second, and by a thread of its own: the memory of a process has a limit, and what was freed counts.
#[unsafe(export_name = "_rjem_malloc_conf")]
static ALLOCATOR_OPTIONS: &[u8; 60] = b"dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:true\0";

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Sql(args) => run(&args.config, |config| sql::run(&args, config)),
        Command::Test(args) => run(&args.config, |config| test::run(&args, config)),
        Command::Savepoint(args) => match &args.command {
            Some(command) => run(command.config(), |config| savepoint::run(command, config)),
            None => run(&args.cluster.config, |config| cluster_client::savepoint(&args, &config)),
        },
        Command::Run(args) => run(&args.cluster.config, |config| cluster_client::run(&args, &config)),
        Command::RunApplication(args) => {
            run(&args.cluster.config, |config| cluster_client::run_application(&args, &config))
        }
        Command::Info(args) => run(&args.config, |config| cluster_client::info(&args, &config)),
        Command::Diagnose(args) => run(&args.cluster.config, |config| cluster_client::diagnose(&args, &config)),
        Command::Lineage(command) => run(command.config(), |config| lineage::run(&command, config)),
        Command::List(args) => run(&args.cluster.config, |config| cluster_client::list(&args, &config)),
        Command::Cancel(args) => run(&args.cluster.config, |config| cluster_client::cancel(&args, &config)),
        Command::Stop(args) => run(&args.job.cluster.config, |config| cluster_client::stop(&args, &config)),
        Command::Checkpoint(args) => run(&args.job.cluster.config, |config| cluster_client::checkpoint(&args, &config)),
        Command::Jobmanager(args) => run(&args, cluster::run_job_manager),
        Command::Taskmanager(args) => run(&args, |config| cluster::run_task_manager(&config)),
        Command::Cluster(command) => run(command.config(), |config| cluster::run_local(&command, &config)),
        Command::SqlGateway(args) => run(&args.config, |config| cluster::run_sql_gateway(&args, config)),
        Command::Completions { shell } => {
            let mut script = vec![];
            clap_complete::generate(shell, &mut Cli::command(), "headwater", &mut script);
            print(&script)
        }
        Command::Man => man(),
    }
}

/// Loads the configuration, warns about what is odd in it, and runs a verb.
fn run(args: &ConfigArgs, verb: impl FnOnce(Configuration) -> ExitCode) -> ExitCode {
    match config::load(&args.define) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                complain(format_args!("[WARNING] {warning}"));
            }
            verb(loaded.config)
        }
        Err(error) => {
            complain(format_args!("[ERROR] {error}"));
            ExitCode::FAILURE
        }
    }
}

fn man() -> ExitCode {
    let mut page = vec![];
    match clap_mangen::Man::new(Cli::command()).render(&mut page) {
        Ok(()) => print(&page),
        Err(error) => failed(&error),
    }
}

fn print(bytes: &[u8]) -> ExitCode {
    match std::io::stdout().write_all(bytes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// The exit code of output that could not be written: a reader that went away is no failure.
pub(crate) fn failed(error: &std::io::Error) -> ExitCode {
    if output::is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    complain(format_args!("[ERROR] cannot write the output: {error}"));
    ExitCode::FAILURE
}

/// Writes a line to stderr; nobody is left to tell when that fails.
pub(crate) fn complain(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
