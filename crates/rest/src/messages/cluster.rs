//! Documents about the cluster.

use serde::Serialize;
use std::collections::BTreeMap;

/// `/overview`. Blocked TaskManagers are left out, as in Flink where there are none.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Overview {
    /// TaskManagers.
    pub taskmanagers: u64,
    /// Slots of all.
    pub slots_total: u64,
    /// Slots without a task.
    pub slots_available: u64,
    /// Jobs that have not ended.
    pub jobs_running: u64,
    /// Jobs that finished.
    pub jobs_finished: u64,
    /// Jobs that were cancelled.
    pub jobs_cancelled: u64,
    /// Jobs that failed.
    pub jobs_failed: u64,
    /// The version of Flink's API.
    pub flink_version: String,
    /// The version of Headwater.
    pub flink_commit: String,
}

/// `/config`: what the dashboard needs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DashboardConfig {
    /// Milliseconds between refreshes.
    pub refresh_interval: u64,
    /// Time zone of the server.
    pub timezone_name: String,
    /// Its offset, milliseconds.
    pub timezone_offset: i64,
    /// The version of Flink's API.
    pub flink_version: String,
    /// The version of Headwater.
    pub flink_revision: String,
    /// What the dashboard offers.
    pub features: Features,
}

/// What the dashboard offers.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Features {
    /// Submitting jars.
    pub web_submit: bool,
    /// Cancelling jobs.
    pub web_cancel: bool,
    /// Changing their parallelism.
    pub web_rescale: bool,
    /// Whether this is a history server.
    pub web_history: bool,
}

/// A configuration value.
#[derive(Debug, Clone, Serialize)]
pub struct ConfigEntry {
    /// Its key.
    pub key: String,
    /// The value, hidden when it is a secret.
    pub value: String,
}

/// `/jobmanager/environment`.
#[derive(Debug, Clone, Serialize)]
pub struct Environment {
    /// What runs in place of a JVM.
    pub jvm: Jvm,
    /// Always empty.
    pub classpath: Vec<String>,
}

/// What runs in place of a JVM.
#[derive(Debug, Clone, Serialize)]
pub struct Jvm {
    /// Headwater's version.
    pub version: String,
    /// Architecture of the processor.
    pub arch: String,
    /// Arguments of the process are not shown: they may hold secrets.
    pub options: Vec<String>,
}

/// Log files.
#[derive(Debug, Clone, Serialize)]
pub struct Logs {
    /// The files.
    pub logs: Vec<Log>,
}

/// A log file.
#[derive(Debug, Clone, Serialize)]
pub struct Log {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written last.
    pub mtime: i64,
}

/// Where a log is shown.
#[derive(Debug, Clone, Serialize)]
pub struct LogUrl {
    /// The address.
    pub url: String,
}

/// `/jars`.
#[derive(Debug, Clone, Serialize)]
pub struct Jars {
    /// The address of this server.
    pub address: String,
    /// The scripts.
    pub files: Vec<Jar>,
}

/// A script, where Flink has a jar.
#[derive(Debug, Clone, Serialize)]
pub struct Jar {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it came, milliseconds since the epoch.
    pub uploaded: i64,
    /// One: the script.
    pub entry: Vec<JarEntry>,
}

/// What can be run of it.
#[derive(Debug, Clone, Serialize)]
pub struct JarEntry {
    /// What it is.
    pub name: String,
    /// Always null.
    pub description: Option<String>,
}

/// `POST /jars/upload`.
#[derive(Debug, Clone, Serialize)]
pub struct JarUpload {
    /// The id, behind a slash, as clients cut it off.
    pub filename: String,
    /// Always `success`.
    pub status: &'static str,
}

/// `POST /jars/:jarid/run`.
#[derive(Debug, Clone, Serialize)]
pub struct JarRun {
    /// The first job.
    pub jobid: String,
    /// The same.
    #[serde(rename = "applicationId")]
    pub application_id: String,
}

/// `POST /jars/:jarid/run-application`.
#[derive(Debug, Clone, Serialize)]
pub struct JarRunApplication {
    /// The first job.
    pub applicationid: String,
}

/// `/datasets`.
#[derive(Debug, Clone, Serialize)]
pub struct DataSets {
    /// Always empty.
    #[serde(rename = "dataSets")]
    pub data_sets: Vec<String>,
}

/// Threads of a process.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadDump {
    /// The threads.
    pub thread_infos: Vec<ThreadInfo>,
}

/// A thread.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadInfo {
    /// Its name.
    pub thread_name: String,
    /// What it does.
    pub stringified_thread_info: String,
}

/// `/applications/overview`.
#[derive(Debug, Clone, Serialize)]
pub struct Applications {
    /// The applications: one for every job.
    pub applications: Vec<Application>,
}

/// An application in a list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Application {
    /// Its id: that of its job.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was started.
    pub start_time: i64,
    /// When it ended; -1 while it runs.
    pub end_time: i64,
    /// How long it took so far.
    pub duration: i64,
    /// Its state.
    pub status: &'static str,
    /// How many of its jobs are in which state.
    pub jobs: BTreeMap<String, u64>,
}

/// `/applications/:id`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ApplicationDetails {
    /// Its id: that of its job.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub status: &'static str,
    /// When it was started.
    pub start_time: i64,
    /// When it ended; -1 while it runs.
    pub end_time: i64,
    /// How long it took so far.
    pub duration: i64,
    /// When it came into which state; 0 when it never did.
    pub timestamps: BTreeMap<&'static str, i64>,
    /// Its jobs.
    pub jobs: Vec<super::job::JobRow>,
}

/// `/applications/:id/exceptions`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationExceptions {
    /// Its failures.
    pub exception_history: ApplicationFailures,
}

/// Failures of an application.
#[derive(Debug, Clone, Serialize)]
pub struct ApplicationFailures {
    /// The failures.
    pub entries: Vec<ApplicationFailure>,
}

/// A failure of an application.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationFailure {
    /// The kind of failure.
    pub exception_name: String,
    /// The message.
    pub stacktrace: String,
    /// When.
    pub timestamp: i64,
    /// The job.
    pub job_id: String,
}
