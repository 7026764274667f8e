//! Arguments of the verbs for clusters, as Flink's.

use crate::args::{ConfigArgs, SavepointCommand};
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// Which cluster, and for whom the output is.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// Where the cluster's REST API is; by default 'rest.address' and 'rest.port'. Of several JobManagers any may be
    /// named, or all of them, separated by commas: the first that can be reached is asked.
    #[arg(short = 'm', long = "jobmanager", value_name = "HOST:PORT")]
    pub jobmanager: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// A script whose INSERT statements are jobs.
#[derive(Debug, Args)]
pub struct ScriptArgs {
    /// The script; '-' is stdin. SELECT statements have nobody who reads their rows here. A file whose name ends with
    /// '.plan' is a job that 'headwater info --output' has written.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// Options of `headwater run` and `headwater run-application`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub script: ScriptArgs,
    /// Return when the jobs are submitted.
    #[arg(short, long)]
    pub detached: bool,
    /// Subtasks of operators that set none; over 'parallelism.default'.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub parallelism: Option<u32>,
    /// Start from a savepoint or a retained checkpoint.
    #[arg(short = 's', long = "fromSavepoint", alias = "from-savepoint", value_name = "PATH")]
    pub from_savepoint: Option<String>,
    /// Leave state of the savepoint that nothing in the job takes.
    #[arg(short = 'n', long = "allowNonRestoredState", alias = "allow-non-restored-state")]
    pub allow_non_restored_state: bool,
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Options of `headwater info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    #[command(flatten)]
    pub script: ScriptArgs,
    /// Subtasks of operators that set none.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub parallelism: Option<u32>,
    /// Write the plan of the script's only job to a file, for 'headwater run' and for '/jars/upload'. Its name has to end
    /// with '.plan'.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Options of `headwater list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Jobs that have ended, too.
    #[arg(short, long)]
    pub all: bool,
    /// Only jobs that run.
    #[arg(short, long)]
    pub running: bool,
    /// Only jobs that wait to run.
    #[arg(short, long)]
    pub scheduled: bool,
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// A job of a cluster.
#[derive(Debug, Args)]
pub struct JobArgs {
    /// Id of the job.
    #[arg(value_name = "JOB")]
    pub job: String,
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Options of `headwater stop`.
#[derive(Debug, Args)]
pub struct StopArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// Below which directory the savepoint goes; by default the configured one.
    #[arg(short = 'p', long = "savepointPath", alias = "savepoint-path", value_name = "DIR")]
    pub savepoint_path: Option<String>,
    /// End the sources first and let all windows fire: for jobs that will not go on.
    #[arg(short, long)]
    pub drain: bool,
}

/// Options of `headwater checkpoint`.
#[derive(Debug, Args)]
pub struct CheckpointArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// A full one; every checkpoint is complete, so that this changes nothing here.
    #[arg(long)]
    pub full: bool,
}

/// Options of `headwater savepoint`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct SavepointArgs {
    /// What to do without a cluster.
    #[command(subcommand)]
    pub command: Option<SavepointCommand>,
    /// Id of the job of which to take a savepoint.
    #[arg(value_name = "JOB", required_unless_present = "dispose")]
    pub job: Option<String>,
    /// Below which directory; by default the configured one.
    #[arg(value_name = "DIR")]
    pub directory: Option<String>,
    /// Remove a savepoint instead.
    #[arg(short, long, value_name = "PATH", conflicts_with = "job")]
    pub dispose: Option<String>,
    #[command(flatten)]
    pub cluster: ClusterArgs,
}
