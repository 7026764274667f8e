//! The command line.

use crate::cluster_client::args::{CheckpointArgs, InfoArgs, JobArgs, ListArgs, RunArgs, SavepointArgs, StopArgs};
use crate::lineage::args::LineageCommand;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// Stateful stream and batch processing that speaks Flink SQL, in one binary.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run Flink SQL: scripts, single statements, or an interactive prompt.
    Sql(SqlArgs),
    /// Run SQL test cases and compare their results.
    Test(TestArgs),
    /// Take a savepoint of a job of a cluster, or remove one; look into checkpoints and savepoints.
    Savepoint(SavepointArgs),
    /// Run the INSERT statements of a script as jobs of a cluster: planned here.
    Run(RunArgs),
    /// Run the INSERT statements of a script as jobs of a cluster: planned there.
    RunApplication(RunArgs),
    /// Show the plans of a script's jobs, without running any.
    Info(InfoArgs),
    /// Say why a job has no output.
    Diagnose(JobArgs),
    /// Show where the columns of a job come from.
    #[command(subcommand)]
    Lineage(LineageCommand),
    /// List the jobs of a cluster.
    List(ListArgs),
    /// End a job of a cluster, without output.
    Cancel(JobArgs),
    /// End a job of a cluster behind a savepoint.
    Stop(StopArgs),
    /// Take a checkpoint of a job of a cluster.
    Checkpoint(CheckpointArgs),
    /// Run a JobManager: it takes jobs and has TaskManagers run them. Listens on the loopback interface unless
    /// 'jobmanager.bind-host' says otherwise.
    Jobmanager(ConfigArgs),
    /// Run a TaskManager: it offers slots to the JobManager at 'jobmanager.rpc.address'.
    Taskmanager(ConfigArgs),
    /// Start and stop a cluster of processes on this machine.
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Serve Flink's SQL gateway REST API: sessions and statements for SQL clients, notebooks and JDBC drivers. Only this
    /// machine can connect unless 'sql-gateway.endpoint.rest.bind-address' says otherwise.
    SqlGateway(SqlGatewayArgs),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page (roff).
    Man,
}

/// What to do with a cluster on this machine.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Start a JobManager and TaskManagers in the background.
    Start(ClusterStartArgs),
    /// Stop what `start` started.
    Stop(ClusterStopArgs),
}

/// Options of `headwater cluster start`.
#[derive(Debug, Args)]
pub struct ClusterStartArgs {
    /// How many JobManagers. Of several one leads; they share a directory, by default below that of the logs, and have
    /// consecutive ports.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16))]
    pub jobmanagers: u16,
    /// How many TaskManagers.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub taskmanagers: u32,
    /// Where process ids and logs go; by default 'env.pid.dir', else below the directory for temporary files.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Options of `headwater cluster stop`.
#[derive(Debug, Args)]
pub struct ClusterStopArgs {
    /// The directory that `start` was given.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

impl ClusterCommand {
    /// Where its configuration comes from.
    pub fn config(&self) -> &ConfigArgs {
        match self {
            Self::Start(args) => &args.config,
            Self::Stop(args) => &args.config,
        }
    }
}

/// Options of `headwater sql`.
#[derive(Debug, Args)]
pub struct SqlArgs {
    /// Run the statements of a file; may be repeated. Stops at the first error.
    #[arg(short, long = "file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Run statements; may be repeated. They come after those of -f.
    #[arg(short, long = "execute", value_name = "STATEMENT")]
    pub execute: Vec<String>,
    /// Run a file of CREATE, USE and SET statements first, then go on.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub init: Vec<PathBuf>,
    /// Run the jobs on the cluster of this JobManager instead of in this process; of several any may be named, or all
    /// of them, separated by commas. So does 'execution.target' = 'remote', with 'jobmanager.rpc.address'.
    #[arg(long, value_name = "HOST:PORT")]
    pub jobmanager: Option<String>,
    /// Run the statements in a session of the SQL gateway at this URL, or host and port.
    #[arg(long, value_name = "URL", conflicts_with_all = ["jobmanager", "rest"])]
    pub gateway: Option<String>,
    /// Serve Flink's REST API for the jobs in this process, at this port or at 'rest.port'. Only this machine can
    /// connect unless 'rest.bind-address' says otherwise.
    #[arg(long, value_name = "PORT", conflicts_with = "jobmanager")]
    pub rest: Option<Option<u16>>,
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How results are written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Show a live line about long jobs on stderr even when it is no terminal.
    #[arg(long)]
    pub progress: bool,
    /// Where the prompt keeps its history.
    #[arg(long = "history", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub history: Option<PathBuf>,
}

/// Options of `headwater sql-gateway`.
#[derive(Debug, Args)]
pub struct SqlGatewayArgs {
    /// Listen at this address instead of 'sql-gateway.endpoint.rest.bind-address'.
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
    /// Listen at this port instead of 'sql-gateway.endpoint.rest.port', 8083 by default.
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Run the jobs on the cluster of this JobManager instead of in this process; of several any may be named, or all
    /// of them, separated by commas. So does 'execution.target' = 'remote', with 'jobmanager.rpc.address'.
    #[arg(long, value_name = "HOST:PORT")]
    pub jobmanager: Option<String>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Where the configuration comes from.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Set a configuration key, over config.yaml; may be repeated.
    #[arg(short = 'D', value_name = "KEY=VALUE", value_parser = key_value)]
    pub define: Vec<(String, String)>,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table with borders; streaming results have an `op` column.
    Table,
    /// A table of changes, always with an `op` column, each row as it comes.
    Changelog,
    /// Comma-separated values with a header line.
    Csv,
    /// One JSON object a line.
    Json,
}

/// Options of `headwater test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Case files, or directories of them.
    #[arg(required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// One JSON object a line: id, status, reason.
    #[arg(long)]
    pub json: bool,
    /// Run only cases whose id contains this text.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// What to do with a checkpoint or savepoint.
#[derive(Debug, Subcommand)]
pub enum SavepointCommand {
    /// Show what a checkpoint or savepoint holds.
    Inspect(InspectArgs),
    /// Show what the jobs of a script would keep of a checkpoint or savepoint. Fails when state would be lost.
    Check(CheckArgs),
}

/// Options of `headwater savepoint inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Its directory, its _metadata, or a directory of such: the newest is meant.
    pub path: String,
    /// Read every file, compare checksums, and name what is damaged.
    #[arg(long)]
    pub verify: bool,
    /// Print CREATE TABLE statements for the keyed state instead, to query it with `headwater sql`.
    #[arg(long, conflicts_with = "format")]
    pub sql: bool,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Options of `headwater savepoint check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Its directory, its _metadata, or a directory of such: the newest is meant.
    pub path: String,
    /// A script whose INSERT statements are the jobs; may be repeated. Nothing of it is run.
    #[arg(short, long = "file", value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    #[command(flatten)]
    pub config: ConfigArgs,
}

impl SavepointCommand {
    /// Where its configuration comes from.
    pub fn config(&self) -> &ConfigArgs {
        match self {
            Self::Inspect(args) => &args.config,
            Self::Check(args) => &args.config,
        }
    }
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_string(), value.trim().to_string())),
        _ => Err("expected KEY=VALUE".to_string()),
    }
}
