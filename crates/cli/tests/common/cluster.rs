//! A cluster of processes on free ports, started and stopped by the binary as users do.
#![allow(dead_code, reason = "every test program uses a part of it")]

use crate::common::{stderr, stdout};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A JobManager with TaskManagers. Dropping it stops them.
pub struct Cluster {
    directory: tempfile::TempDir,
    /// Options that every call gets.
    define: Vec<String>,
    /// Where the REST API is.
    pub rest: String,
    /// Where that of each JobManager is.
    pub rests: Vec<String>,
    /// Where clients that submit plans call.
    pub rpc: String,
    /// Where they call each JobManager.
    pub rpcs: Vec<String>,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// The first of so many free ports in a row.
fn free_ports(count: u16) -> u16 {
    loop {
        let first = free_port();
        let Some(last) = first.checked_add(count - 1) else { continue };
        if (first..=last).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
}

impl Cluster {
    /// With so many TaskManagers of two slots, and these keys besides.
    pub fn start(task_managers: u32, settings: &[(&str, &str)]) -> Self {
        Self::of(1, task_managers, settings)
    }

    /// With so many JobManagers, too.
    pub fn of(job_managers: u16, task_managers: u32, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().display().to_string();
        let (rest, rpc) = (free_ports(job_managers), free_ports(job_managers));
        let mut pairs = vec![
            format!("rest.port={rest}"),
            format!("jobmanager.rpc.port={rpc}"),
            "taskmanager.numberOfTaskSlots=2".to_owned(),
            format!("execution.checkpointing.dir={root}/checkpoints"),
            format!("execution.checkpointing.savepoint-dir={root}/savepoints"),
        ];
        pairs.extend(settings.iter().map(|(key, value)| format!("{key}={value}")));
        let define = pairs.into_iter().flat_map(|pair| ["-D".to_owned(), pair]).collect();
        let all = |host: &str, first: u16| (first..first + job_managers).map(|port| format!("{host}:{port}")).collect();
        let (rests, rpcs): (Vec<String>, Vec<String>) = (all("127.0.0.1", rest), all("localhost", rpc));
        let cluster = Self { directory, define, rest: rests[0].clone(), rests, rpc: rpcs[0].clone(), rpcs };
        let (count, managers) = (task_managers.to_string(), job_managers.to_string());
        let started = cluster.call(&[
            "cluster",
            "start",
            "--taskmanagers",
            &count,
            "--jobmanagers",
            &managers,
            "--directory",
            &cluster.path("cluster"),
        ]);
        assert!(started.status.success(), "{}", stderr(&started));
        cluster
    }

    /// The options that say where the cluster is.
    #[allow(dead_code, reason = "not every test program asks")]
    pub fn define(&self) -> &[String] {
        &self.define
    }

    /// The name of the JobManager that leads, of several: the highest term of their lease says it.
    pub fn leading(&self) -> String {
        let leaders = std::fs::read_dir(self.path("cluster/ha/default/leader")).expect("a lease");
        let newest = leaders.flatten().map(|entry| entry.path()).max().expect("somebody leads");
        let lease = std::fs::read_to_string(newest).expect("the lease can be read");
        let at = self.rpcs.iter().position(|rpc| lease.contains(&format!("\"{rpc}\""))).expect("it is one of them");
        format!("jobmanager-{}", at + 1)
    }

    /// A path below the cluster's directory.
    pub fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// A script in the cluster's directory.
    pub fn script(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the script can be written");
        path
    }

    /// Runs the binary with the cluster's options.
    pub fn call(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the binary runs")
    }

    /// The same, for those who wait themselves.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        command.args(args).args(&self.define).env_remove("HEADWATER_CONF_DIR").stdin(Stdio::null());
        command
    }

    /// What a call prints, which has to succeed.
    pub fn said(&self, args: &[&str]) -> String {
        let output = self.call(args);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        stdout(&output)
    }

    /// The document of a call with `--json`.
    pub fn document(&self, args: &[&str]) -> serde_json::Value {
        let text = self.said(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error} in {text}"))
    }

    /// Asks the REST API.
    pub fn get(&self, path: &str) -> serde_json::Value {
        let url = format!("http://{}{path}", self.rest);
        let answer = reqwest::blocking::get(&url).unwrap_or_else(|error| panic!("{url}: {error}"));
        answer.json().unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    /// Submits the job of a script and waits until all of it runs; its id.
    pub fn submit(&self, script: &str) -> String {
        let submitted = self.document(&["run", "-d", "-f", script]);
        let job = submitted["jobs"][0].as_str().unwrap_or_else(|| panic!("{submitted}")).to_owned();
        // A checkpoint is only complete when all subtasks run.
        while !self.call(&["checkpoint", &job]).status.success() {
            let state = &self.get(&format!("/jobs/{job}"))["state"];
            assert!(matches!(state.as_str(), Some("CREATED" | "INITIALIZING" | "RUNNING")), "{state}");
        }
        job
    }

    /// Waits until a job is in a state.
    pub fn until(&self, job: &str, wanted: &str) {
        loop {
            let details = self.get(&format!("/jobs/{job}"));
            match details["state"].as_str() {
                Some(state) if state == wanted => return,
                Some("FINISHED" | "FAILED" | "CANCELED") => panic!("not {wanted}: {details}"),
                _ => std::thread::yield_now(),
            }
        }
    }

    /// Whether a file is there.
    pub fn has(&self, path: &str) -> bool {
        Path::new(path).exists()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = self.call(&["cluster", "stop", "--directory", &self.path("cluster")]);
        if !std::thread::panicking() {
            assert!(stopped.status.success(), "{}", stderr(&stopped));
        }
    }
}
