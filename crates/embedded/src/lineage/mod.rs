//! Lineage events of the jobs of a JobManager.
//!
//! A job carries its lineage with it ([`attach`]), so whoever runs it can tell it: this process, or the one it is submitted
//! to. A [`Reporter`] watches a JobManager from a thread of its own, by asking as any client does; nothing of a job waits
//! for it, and a job without lineage, or without a configured transport, costs nothing.
//!
//! ```text
//! JobManager <--asks-- Reporter -- Watch (per job) -- due? -- observe --> event --> Client (queue, worker)
//! ```

mod due;
mod observe;
mod positions;
mod watch;

use headwater_connector_api::Registry;
use headwater_env::Env;
use headwater_jobmanager::Handle;
use headwater_lineage::{JobLineage, run_id};
use headwater_lineage_client::{Client, Settings, Surroundings};
use headwater_plan::JobGraph;
use headwater_types::config::{Configuration, JOB_LINEAGE};
use headwater_types::ids::JobId;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use watch::Watch;

/// How often a reporter looks at jobs.
const TURN: Duration = Duration::from_millis(250);
/// Longest wait for an answer of the JobManager.
const ANSWER: Duration = Duration::from_secs(5);
/// How long before a reporter began a job may have ended that it tells: whoever ran it may not have come to it.
const UNTOLD_MS: i64 = 60_000;
/// Transports that one process uses at most.
const CLIENTS_MAX: usize = 16;

/// Puts a job's lineage into its configuration.
pub fn attach(graph: &mut JobGraph, lineage: &JobLineage) {
    graph.config.set(JOB_LINEAGE, lineage.to_json());
}

/// The lineage of a job, if it carries one.
pub fn attached(graph: &JobGraph) -> Option<JobLineage> {
    JobLineage::from_json(graph.config.get(JOB_LINEAGE)?).ok()
}

/// What a reporter knows of its process.
#[derive(Clone)]
pub struct ReporterOptions {
    /// Asks brokers for topics, and reads positions of splits.
    pub registry: Registry,
    /// The clock.
    pub env: Env,
    /// Configuration of the process, below that of every job.
    pub config: Configuration,
    /// Environment and directories of the process.
    pub surroundings: Surroundings,
    /// Whether jobs that still run end with the reporter: nobody takes them over.
    pub jobs_end_with_it: bool,
}

impl ReporterOptions {
    /// Those of this process.
    pub fn of_process(registry: &Registry, env: &Env, config: &Configuration) -> Self {
        let surroundings = Surroundings::of_process();
        let (registry, env, config) = (registry.clone(), env.clone(), config.clone());
        Self { registry, env, config, surroundings, jobs_end_with_it: false }
    }

    /// What is configured for a job.
    pub fn settings(&self, job: &Configuration) -> Settings {
        let mut config = self.config.clone();
        config.merge(job);
        Settings::load(&config, &self.surroundings)
    }
}

/// Watches the jobs of a JobManager and tells their lineage. Dropping it tells what is left and ends its thread; it must
/// be dropped before the JobManager.
pub struct Reporter {
    wake: SyncSender<Wake>,
    thread: Option<JoinHandle<()>>,
}

enum Wake {
    Look,
    Stop,
}

impl Reporter {
    /// Starts watching.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(manager: Handle, options: ReporterOptions) -> Result<Self> {
        let (wake, signals) = sync_channel(16);
        let since_ms = options.env.now_ms();
        let watcher = Watcher { manager, options, since_ms, jobs: BTreeMap::new(), clients: BTreeMap::new() };
        let thread = std::thread::Builder::new()
            .name("lineage-watch".to_owned())
            .spawn(move || watcher.run(&signals))
            .map_err(|e| Error::retryable("no-thread", "lineage reporting could not be started").with_source(e))?;
        Ok(Self { wake, thread: Some(thread) })
    }

    /// Something has happened that is worth a look.
    pub fn look(&self) {
        let _ = self.wake.try_send(Wake::Look);
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        let _ = self.wake.send(Wake::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread's state.
struct Watcher {
    manager: Handle,
    options: ReporterOptions,
    /// When the watching began.
    since_ms: i64,
    /// Jobs that are known; `None` for those that have nothing to tell.
    jobs: BTreeMap<JobId, Option<Watch>>,
    /// Clients by the options of their transports.
    clients: BTreeMap<String, Arc<Client>>,
}

impl Watcher {
    fn run(mut self, signals: &Receiver<Wake>) {
        loop {
            let last = match signals.recv_timeout(TURN) {
                Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => true,
                Ok(Wake::Look) | Err(RecvTimeoutError::Timeout) => false,
            };
            match self.look() {
                // An answer may only be late.
                Err(error) if error.code() == "jobmanager-gone" => return,
                Err(error) => tracing::debug!(%error, "jobs could not be looked at for their lineage"),
                Ok(()) => {}
            }
            if last {
                if self.options.jobs_end_with_it
                    && let Err(error) = self.abandon()
                {
                    tracing::debug!(%error, "the end of jobs could not be told");
                }
                return;
            }
        }
    }

    /// Tells the end of jobs that have none of their own.
    fn abandon(&mut self) -> Result<()> {
        for summary in self.manager.jobs()?.wait(ANSWER)? {
            if let Some(Some(watch)) = self.jobs.get_mut(&summary.job) {
                watch.abandon(summary, &self.manager, &self.options);
            }
        }
        Ok(())
    }

    fn look(&mut self) -> Result<()> {
        let summaries = self.manager.jobs()?.wait(ANSWER)?;
        self.jobs.retain(|job, _| summaries.iter().any(|summary| summary.job == *job));
        for summary in &summaries {
            if !self.jobs.contains_key(&summary.job) {
                let watch = self.admit(summary);
                self.jobs.insert(summary.job, watch);
            }
            if let Some(Some(watch)) = self.jobs.get_mut(&summary.job) {
                watch.look(summary, &self.manager, &self.options);
            }
        }
        Ok(())
    }

    /// A job that is new here. Those that ended long before are the history of an earlier JobManager, which told them.
    fn admit(&mut self, summary: &headwater_jobmanager::JobSummary) -> Option<Watch> {
        if summary.ended_ms.is_some_and(|ended_ms| ended_ms < self.since_ms.saturating_sub(UNTOLD_MS)) {
            return None;
        }
        let lineage = attached(&summary.graph)?;
        let settings = self.options.settings(&summary.graph.config);
        for warning in &settings.warnings {
            tracing::warn!("{warning}");
        }
        let client = self.client(&settings)?;
        let origin = |job: JobId| self.jobs.get(&job).and_then(Option::as_ref).map(Watch::identity);
        let id = run_id(summary.job.0, summary.started_ms);
        Some(Watch::new(id, lineage, settings, client, summary, &self.options, &origin))
    }

    fn client(&mut self, settings: &Settings) -> Option<Arc<Client>> {
        let transport = settings.transport.as_ref()?;
        let key = transport.to_string();
        if let Some(client) = self.clients.get(&key) {
            return Some(client.clone());
        }
        // Those that no job uses any more make room.
        if self.clients.len() >= CLIENTS_MAX {
            self.clients.retain(|_, client| Arc::strong_count(client) > 1);
        }
        match Client::start(transport, settings.limits.clone(), &self.options.env) {
            Ok(client) => Some(self.clients.entry(key).or_insert(Arc::new(client)).clone()),
            Err(error) => {
                tracing::warn!(%error, "lineage is not sent");
                None
            }
        }
    }
}
