//! The processes of the cluster.

use super::limit::Limit;
use super::network::{self, Host};
use super::rest::Rest;
use super::{pause, text};
use anyhow::{Context, Result, bail};
use headwater_env::Env;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Subtasks of a vertex that a TaskManager runs at once. Two of three TaskManagers can run the job.
const SLOTS: u32 = 4;
/// How long a process may take to come up.
const PATIENCE_MS: i64 = 60_000;

/// What a cluster consists of.
#[derive(Clone, Copy)]
pub struct Layout<'a> {
    /// JobManagers, of which one leads.
    pub job_managers: u32,
    /// TaskManagers.
    pub task_managers: u32,
    /// Subtasks of a vertex that a TaskManager runs at once.
    pub slots: u32,
    /// Where the last TaskManager runs, if not here.
    pub host: Option<&'a Host>,
    /// Further settings of every process.
    pub settings: &'a [(&'a str, String)],
}

/// Running processes; killed when dropped.
pub struct Cluster {
    headwater: PathBuf,
    work: PathBuf,
    /// Where everybody listens.
    address: String,
    slots: u32,
    settings: Vec<(String, String)>,
    processes: BTreeMap<String, Child>,
    /// JobManagers by their addresses.
    job_managers: BTreeMap<String, JobManager>,
    env: Env,
}

/// A JobManager.
struct JobManager {
    name: String,
    /// Where its REST API is while it leads.
    rest: String,
}

/// The object of the lease.
#[derive(Deserialize)]
struct Lease {
    address: String,
}

impl Cluster {
    /// Starts two JobManagers and three TaskManagers, one of them on `host`.
    pub fn start(headwater: &Path, work: &Path, host: Option<&Host>, env: &Env) -> Result<Self> {
        let layout = Layout { job_managers: 2, task_managers: 3, slots: SLOTS, host, settings: &[] };
        Self::launch(headwater, work, layout, env)
    }

    /// Starts a cluster whose files are below `work`.
    pub fn launch(headwater: &Path, work: &Path, layout: Layout<'_>, env: &Env) -> Result<Self> {
        let address = if layout.host.is_some() { network::OUTER } else { "127.0.0.1" }.to_owned();
        let settings = layout.settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let mut cluster = Self {
            headwater: headwater.to_path_buf(),
            work: work.to_path_buf(),
            address,
            slots: layout.slots,
            settings,
            processes: BTreeMap::new(),
            job_managers: BTreeMap::new(),
            env: env.clone(),
        };
        for number in 1..=layout.job_managers {
            cluster.start_job_manager(&format!("jobmanager-{number}"))?;
        }
        cluster.leader()?;
        for number in 1..=layout.task_managers {
            let host = layout.host.filter(|_| number == layout.task_managers);
            cluster.start_task_manager(&format!("taskmanager-{number}"), host)?;
        }
        Ok(cluster)
    }

    /// Starts a JobManager; returns when it listens.
    pub fn start_job_manager(&mut self, name: &str) -> Result<()> {
        let (address, rest) = (self.free_port()?, self.free_port()?);
        let mut command = self.command(None);
        command.arg("jobmanager");
        self.define(&mut command)?;
        set(&mut command, "jobmanager.rpc.address", &self.address);
        set(&mut command, "jobmanager.bind-host", &self.address);
        set(&mut command, "jobmanager.rpc.port", &address.port().to_string());
        set(&mut command, "rest.bind-address", &self.address);
        set(&mut command, "rest.port", &rest.port().to_string());
        self.spawn(name, command)?;
        let job_manager = JobManager { name: name.to_owned(), rest: rest.to_string() };
        self.job_managers.insert(address.to_string(), job_manager);
        self.wait_for_port(name, address)
    }

    /// Starts a TaskManager, on a host of its own if there is one.
    pub fn start_task_manager(&mut self, name: &str, host: Option<&Host>) -> Result<()> {
        let command = self.command(host);
        self.start_task_manager_by(name, command, host)
    }

    /// Starts a TaskManager that cannot use more memory than a limit says.
    pub fn start_limited_task_manager(&mut self, name: &str, limit: &Limit) -> Result<()> {
        let mut command = limit.command(&self.headwater);
        without_configuration(&mut command);
        self.start_task_manager_by(name, command, None)
    }

    fn start_task_manager_by(&mut self, name: &str, mut command: Command, host: Option<&Host>) -> Result<()> {
        command.arg("taskmanager");
        self.define(&mut command)?;
        let address = host.map_or(self.address.as_str(), |_| network::INNER).to_owned();
        set(&mut command, "taskmanager.host", &address);
        set(&mut command, "taskmanager.resource-id", name);
        set(&mut command, "taskmanager.numberOfTaskSlots", &self.slots.to_string());
        self.spawn(name, command)
    }

    /// A client that runs a script on whichever JobManager leads.
    pub fn client(&self, script: &Path, log: &Path) -> Result<Child> {
        let mut command = self.command(None);
        command.arg("sql").arg("-f").arg(script);
        self.define(&mut command)?;
        set(&mut command, "execution.target", "remote");
        let log = File::create(log)?;
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
        child.with_context(|| format!("{} does not start", self.headwater.display()))
    }

    /// The JobManager that leads.
    pub fn leader(&self) -> Result<String> {
        self.leading().map(|job_manager| job_manager.name.clone())
    }

    /// The REST API of the JobManager that leads.
    pub fn rest(&self) -> Result<Rest> {
        self.leading().map(|job_manager| Rest::new(&job_manager.rest))
    }

    fn leading(&self) -> Result<&JobManager> {
        let start_ms = self.env.now_ms();
        while self.env.now_ms() - start_ms < PATIENCE_MS {
            if let Some(found) = self.lease().and_then(|lease| self.job_managers.get(&lease.address)) {
                return Ok(found);
            }
            pause(20);
        }
        bail!("nobody leads")
    }

    /// The processes that run.
    pub fn names(&self) -> Vec<String> {
        self.processes.keys().cloned().collect()
    }

    /// Process id of a process that runs.
    pub fn process_id(&self, name: &str) -> Option<u32> {
        self.processes.get(name).map(Child::id)
    }

    fn free_port(&self) -> Result<SocketAddr> {
        Ok(TcpListener::bind((self.address.as_str(), 0))?.local_addr()?)
    }

    fn lease(&self) -> Option<Lease> {
        let directory = std::fs::read_dir(self.work.join("ha/chaos/leader")).ok()?;
        let newest = directory.flatten().map(|entry| entry.path()).filter(|path| !is_hidden(path)).max()?;
        serde_json::from_slice(&std::fs::read(newest).ok()?).ok()
    }

    /// A TaskManager that runs on this host.
    pub fn any_task_manager(&self) -> String {
        let mut names =
            self.processes.keys().filter(|name| name.starts_with("taskmanager") && *name != "taskmanager-3");
        names.next().cloned().unwrap_or_default()
    }

    /// `kill -9`.
    pub fn kill(&mut self, name: &str) -> Result<()> {
        let mut child = self.processes.remove(name).with_context(|| format!("there is no {name}"))?;
        self.job_managers.retain(|_, other| other.name != name);
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Copies the logs to where they outlive the experiment.
    pub fn keep_logs(&self) -> PathBuf {
        let kept = std::env::temp_dir().join("headwater-chaos-cluster");
        let _ = std::fs::create_dir_all(&kept);
        for entry in std::fs::read_dir(&self.work).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "log") {
                let _ = std::fs::copy(entry.path(), kept.join(entry.file_name()));
            }
        }
        kept
    }

    fn command(&self, host: Option<&Host>) -> Command {
        let mut command = match host {
            Some(host) => host.command(&self.headwater),
            None => Command::new(&self.headwater),
        };
        without_configuration(&mut command);
        command
    }

    /// What all processes are told.
    fn define(&self, command: &mut Command) -> Result<()> {
        set(command, "high-availability.type", "storage");
        set(command, "high-availability.storageDir", text(&self.work.join("ha"))?);
        set(command, "high-availability.cluster-id", "chaos");
        set(command, "high-availability.lease-duration", "800 ms");
        set(command, "high-availability.retry-period", "100 ms");
        set(command, "heartbeat.interval", "200 ms");
        set(command, "heartbeat.timeout", "1 s");
        set(command, "execution.checkpointing.dir", text(&self.work.join("checkpoints"))?);
        self.settings.iter().for_each(|(key, value)| set(command, key, value));
        Ok(())
    }

    fn spawn(&mut self, name: &str, mut command: Command) -> Result<()> {
        let log = File::create(self.work.join(format!("{name}.log")))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        self.processes.insert(name.to_owned(), child.with_context(|| format!("{name} does not start"))?);
        Ok(())
    }

    fn wait_for_port(&mut self, name: &str, address: SocketAddr) -> Result<()> {
        let start_ms = self.env.now_ms();
        while self.env.now_ms() - start_ms < PATIENCE_MS {
            if TcpStream::connect(address).is_ok() {
                return Ok(());
            }
            if let Some(child) = self.processes.get_mut(name)
                && let Some(status) = child.try_wait()?
            {
                bail!("{name} ended with {status}");
            }
            pause(10);
        }
        bail!("{name} does not listen on {address}")
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

/// What the environment configures does not count.
fn without_configuration(command: &mut Command) {
    command.env_remove("HEADWATER_CONF_DIR").env_remove("FLINK_CONF_DIR");
}

fn set(command: &mut Command, key: &str, value: &str) {
    command.arg("-D").arg(format!("{key}={value}"));
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'))
}
