//! A cluster of processes on loopback, of which some are killed.

mod common;

use common::{headwater, stderr};
use headwater_env::Env;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// Rows of the job, and how many come in a second.
const ROWS: (usize, usize) = (30_000, 5_000);

/// Running processes; killed when dropped.
struct Cluster {
    directory: tempfile::TempDir,
    processes: BTreeMap<String, Child>,
    /// JobManagers by their addresses.
    job_managers: BTreeMap<String, String>,
}

impl Cluster {
    fn new(job_managers: &[&str], task_managers: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut cluster = Self { directory, processes: BTreeMap::new(), job_managers: BTreeMap::new() };
        job_managers.iter().for_each(|name| cluster.start_job_manager(name));
        task_managers.iter().for_each(|name| cluster.start_task_manager(name));
        cluster
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn start_job_manager(&mut self, name: &str) {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        self.spawn(name, &["jobmanager", "-D", &format!("jobmanager.rpc.port={}", free.port())]);
        self.job_managers.insert(format!("localhost:{}", free.port()), name.to_owned());
        wait_until(|| TcpStream::connect(free).is_ok());
    }

    fn start_task_manager(&mut self, name: &str) {
        self.spawn(name, &["taskmanager", "-D", "taskmanager.numberOfTaskSlots=4"]);
    }

    fn spawn(&mut self, name: &str, args: &[&str]) {
        let log = std::fs::File::create(self.path(&format!("{name}.log"))).expect("a log");
        let child = self.command(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        self.processes.insert(name.to_owned(), child.expect("the binary runs"));
    }

    /// The program, told where the others are.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        command.args(args).env_remove("HEADWATER_CONF_DIR").env_remove("FLINK_CONF_DIR");
        let storage = format!("high-availability.storageDir={}", self.path("ha").display());
        let settings = [
            "high-availability.type=storage",
            &storage,
            "high-availability.lease-duration=1 s",
            "high-availability.retry-period=100 ms",
        ];
        settings.iter().for_each(|setting| _ = command.args(["-D", setting]));
        command
    }

    /// The JobManager that leads: the cluster's lease says it.
    fn leader(&self) -> String {
        let mut leader = None;
        wait_until(|| {
            let names = std::fs::read_dir(self.path("ha/default/leader")).into_iter().flatten().flatten();
            let newest = names.map(|entry| entry.path()).filter(|path| !is_hidden(path)).max();
            let lease = newest.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
            let known = |address: &&String| lease.contains(&format!("\"{address}\""));
            leader = self.job_managers.keys().find(known).map(|address| self.job_managers[address].clone());
            leader.is_some()
        });
        leader.unwrap_or_default()
    }

    fn kill(&mut self, name: &str) {
        let mut child = self.processes.remove(name).expect("it runs");
        self.job_managers.retain(|_, other| other != name);
        child.kill().and_then(|()| child.wait()).expect("it ends");
    }

    /// Ends a process as an operator does; how it ended.
    fn terminate(&mut self, name: &str) -> Option<i32> {
        let mut child = self.processes.remove(name).expect("it runs");
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        child.wait().expect("it ends").code()
    }

    /// A job that writes each row once, with a client that waits for it.
    fn submit(&self) -> Child {
        let (rows, rate) = ROWS;
        let path = self.directory.path().display();
        let script = format!(
            "SET 'table.dml-sync' = 'true'; SET 'parallelism.default' = '4';
             SET 'execution.checkpointing.interval' = '200 ms';
             SET 'execution.checkpointing.dir' = '{path}/checkpoints';
             SET 'restart-strategy.exponential-delay.initial-backoff' = '50 ms';
             CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}',
               'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{rows}');
             CREATE TABLE o (id BIGINT, k BIGINT) WITH ('connector' = 'filesystem', 'path' = '{path}/out',
               'format' = 'csv', 'sink.rolling-policy.rollover-interval' = '100 ms',
               'sink.rolling-policy.check-interval' = '100 ms');
             INSERT INTO o SELECT DISTINCT id, id % 7 FROM n;"
        );
        let mut command = self.command(&["sql", "-D", "execution.target=remote", "-e", &script]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
    }

    /// A query whose rows are shown when they are in a checkpoint.
    fn query(&self) -> Child {
        let (rows, rate) = ROWS;
        let path = self.directory.path().display();
        let script = format!(
            "SET 'parallelism.default' = '2'; SET 'execution.checkpointing.interval' = '200 ms';
             SET 'execution.checkpointing.dir' = '{path}/checkpoints';
             SET 'restart-strategy.exponential-delay.initial-backoff' = '50 ms';
             CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}',
               'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{rows}');
             SELECT id, id % 7 AS k FROM (SELECT DISTINCT id FROM n);"
        );
        let mut command = self.command(&["sql", "-D", "execution.target=remote", "--format", "json", "-e", &script]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
    }

    /// How often each id was written so far.
    fn written(&self) -> BTreeMap<i64, usize> {
        let mut ids = BTreeMap::new();
        for entry in std::fs::read_dir(self.path("out")).into_iter().flatten().flatten() {
            if is_hidden(&entry.path()) {
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            for line in text.lines() {
                let id = line.split(',').next().and_then(|id| id.parse().ok()).expect("a number comes first");
                *ids.entry(id).or_default() += 1;
            }
        }
        ids
    }

    fn wait_for_output(&self) {
        let before = self.written().len();
        wait_until(|| self.written().len() > before);
    }

    fn assert_finished(&self, client: Child) {
        let ended = client.wait_with_output().expect("the client ends");
        assert!(ended.status.success(), "{}", stderr(&ended));
        let written = self.written();
        assert_eq!(written.len(), ROWS.0);
        assert!(written.values().all(|times| *times == 1), "a row was written twice");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.processes.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Files that are being written.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_none_or(|name| name.to_string_lossy().starts_with(['.', '_']))
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let (_sender, nothing) = sync_channel::<()>(1);
    let env = Env::real();
    let until_ms = env.now_ms() + 120_000;
    while !done() {
        assert!(env.now_ms() < until_ms, "it does not happen");
        let _ = nothing.recv_timeout(Duration::from_millis(10));
    }
}

#[test]
fn a_job_survives_killed_task_managers_and_leaders_exactly_once() {
    let mut cluster = Cluster::new(&["jobmanager-1", "jobmanager-2"], &["taskmanager-1", "taskmanager-2"]);
    let client = cluster.submit();
    cluster.wait_for_output();
    cluster.kill("taskmanager-1");
    cluster.wait_for_output();
    cluster.kill(&cluster.leader());
    cluster.wait_for_output();
    cluster.start_task_manager("taskmanager-3");
    assert_eq!(cluster.terminate("taskmanager-2"), Some(0), "SIGTERM hands the tasks over");
    cluster.assert_finished(client);
}

#[test]
fn rows_of_a_query_come_once_though_processes_are_killed() {
    let mut cluster = Cluster::new(&["jobmanager-1", "jobmanager-2"], &["taskmanager-1", "taskmanager-2"]);
    let mut client = cluster.query();
    let mut lines = BufReader::new(client.stdout.take().expect("it is a pipe")).lines().map_while(Result::ok);
    let mut shown: Vec<String> = lines.by_ref().take(ROWS.0 / 10).collect();
    cluster.kill("taskmanager-1");
    shown.extend(lines.by_ref().take(ROWS.0 / 5));
    cluster.kill(&cluster.leader());
    shown.extend(lines);
    let ended = client.wait_with_output().expect("the client ends");
    assert!(ended.status.success(), "{}", stderr(&ended));
    assert_eq!(shown.len(), ROWS.0);
    assert_eq!(shown.into_iter().collect::<BTreeSet<_>>().len(), ROWS.0, "a row was shown twice");
}

#[test]
fn a_cluster_that_is_not_there_is_named() {
    let refused = headwater(&["sql", "--jobmanager", "127.0.0.1:1", "-e", "SHOW TABLES"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("'127.0.0.1:1': it cannot be reached"), "{}", stderr(&refused));
}
