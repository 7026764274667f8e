//! From a plan to a job that runs: checks, the checkpoint to start from, connectors.

use super::{Core, Inbound};
use crate::autoscaler::Scaler;
use crate::execution::Execution;
use crate::guard::guarded;
use crate::ha::{JobRecord, Records};
use crate::job::{Job, NewJob, SLOT_REQUEST_TIMEOUT, Start, vertices};
use crate::limits;
use crate::locate::{Origin, locate};
use crate::regions::regions;
use crate::rescale::Policy;
use crate::restart::RestartStrategy;
use crate::sinks::Sinks;
use crate::splits::Splits;
use crate::store::Store;
use headwater_checkpoint::restore::check;
use headwater_checkpoint::{Recovery, Settings};
use headwater_plan::JobGraph;
use headwater_storage::join;
use headwater_types::Result;
use headwater_types::config::{CHECKPOINTING_INTERVAL, MAX_PARALLELISM, RUNTIME_MODE};
use headwater_types::ids::JobId;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// Attempts of a job within a term, and terms until the numbers begin again.
const ATTEMPTS_MAX: u64 = 1 << 16;
const TERMS_MAX: u64 = 1 << 16;

/// A job on its way to being started.
pub(crate) struct Submission {
    job: JobId,
    graph: JobGraph,
    settings: Settings,
    recovery: Recovery,
    /// When the job was submitted: its run begins then, whoever leads.
    submitted_ms: i64,
    asker: Asker,
}

/// Who wants a job to be started.
enum Asker {
    Client(SyncSender<Result<JobId>>),
    /// It ran before, under an earlier JobManager.
    Cluster(JobRecord),
}

impl Submission {
    /// A job of an earlier JobManager.
    pub(super) fn of(core: &Core, record: &JobRecord) -> Result<Self> {
        let (graph, settings, mut recovery) = core.checked(&record.plan)?;
        if let Some(latest) = &record.latest {
            recovery = Recovery { path: Some(latest.path.clone()), start_empty: vec![], ..recovery };
        }
        let (job, submitted_ms, asker) = (record.job, record.submitted_ms, Asker::Cluster(record.clone()));
        Ok(Self { job, graph, settings, recovery, submitted_ms, asker })
    }

    /// URI of the directory for the job's checkpoints.
    fn directory(&self) -> String {
        match &self.settings.directory {
            Some(directory) => join(directory, &self.job.to_string()),
            None => format!("memory://{}", self.job),
        }
    }

    /// Where the slots of the job were when it completed its last checkpoint.
    fn places(&self) -> Vec<(u32, String)> {
        match &self.asker {
            Asker::Cluster(JobRecord { latest: Some(latest), .. }) => latest.places.clone(),
            Asker::Cluster(_) | Asker::Client(_) => vec![],
        }
    }

    /// Whether the job starts from a checkpoint that it took itself.
    fn goes_on_from(&self, origin: &Origin) -> bool {
        let has_latest = matches!(&self.asker, Asker::Cluster(JobRecord { latest: Some(_), .. }));
        has_latest && origin.root == self.directory()
    }
}

impl Core {
    /// Starts a job, or begins to: to record it, to look for its checkpoint.
    pub(super) fn submit(&mut self, plan: &[u8], reply: SyncSender<Result<JobId>>) {
        let (graph, settings, recovery) = match self.checked(plan) {
            Ok(checked) => checked,
            Err(error) => return drop(reply.try_send(Err(error))),
        };
        let env = &self.options.env;
        let job = JobId(u128::from(env.random_u64()) << 64 | u128::from(env.random_u64()));
        let (submitted_ms, asker) = (env.now_ms(), Asker::Client(reply));
        let submission = Submission { job, graph, settings, recovery, submitted_ms, asker };
        match self.options.records.clone() {
            None => self.locate(submission),
            Some(records) => self.accept(records, submission),
        }
    }

    /// Sees to it that the job outlives this JobManager.
    fn accept(&self, records: Records, submission: Submission) {
        let inbox = self.inbox.clone();
        self.options.env.spawn_blocking("accept", move || {
            let (job, graph, submitted_ms) = (submission.job, &submission.graph, submission.submitted_ms);
            let recorded = || records.accept(job, &graph.name, &headwater_plan::encode(graph)?, submitted_ms);
            let outcome = guarded(recorded).map_err(|error| error.context("recording the job for other JobManagers"));
            let _ = inbox.send(Inbound::Accepted { submission: Box::new(submission), outcome });
        });
    }

    /// A job was recorded, or could not be.
    pub(super) fn accepted(&mut self, submission: Submission, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.locate(submission),
            Err(error) => self.started(submission.job, submission.asker, Err(error)),
        }
    }

    /// Looks for the checkpoint that a job starts from, if there is one.
    pub(super) fn locate(&mut self, submission: Submission) {
        let Some(path) = submission.recovery.path.clone() else {
            return self.start_from(submission, None);
        };
        let (provider, inbox) = (self.options.storage.clone(), self.inbox.clone());
        self.options.env.spawn_blocking("locate", move || {
            let outcome = guarded(|| locate(provider.as_ref(), &path, &submission.graph.config));
            let _ = inbox.send(Inbound::Located { submission: Box::new(submission), outcome });
        });
    }

    /// The checkpoint that a job starts from was found, or was not.
    pub(super) fn located(&mut self, submission: Submission, outcome: Result<Origin>) {
        match outcome {
            Ok(origin) => self.start_from(submission, Some(origin)),
            Err(error) => self.started(submission.job, submission.asker, Err(error)),
        }
    }

    fn start_from(&mut self, submission: Submission, origin: Option<Origin>) {
        let own = origin.as_ref().is_some_and(|origin| submission.goes_on_from(origin));
        let uri = submission.directory();
        let places = submission.places();
        let Submission { job, mut graph, settings, recovery, submitted_ms, asker } = submission;
        let start = || match origin {
            None => self.start(Accepted { job, graph, settings, uri, places, submitted_ms }, None),
            Some(origin) => {
                let origin = without(Origin { claim: recovery.claim, ..origin }, &recovery.start_empty);
                take_max_parallelism(&mut graph, &origin);
                let (vertices, ignore) = (vertices(&graph), recovery.ignore_unclaimed);
                check(&origin.path, &origin.manifest, &vertices, graph.max_parallelism, ignore)?;
                let start = if own { Start::Own(origin) } else { Start::Other(origin) };
                self.start(Accepted { job, graph, settings, uri, places, submitted_ms }, Some(start))
            }
        };
        let started = start();
        self.started(job, asker, started);
    }

    /// A job was started, or could not be.
    fn started(&mut self, job: JobId, asker: Asker, started: Result<JobId>) {
        match asker {
            Asker::Cluster(record) => self.gone_on(record, started),
            Asker::Client(reply) => {
                if started.is_err() {
                    self.forget(job);
                }
                let _ = reply.try_send(started);
            }
        }
    }

    fn checked(&self, plan: &[u8]) -> Result<(JobGraph, Settings, Recovery)> {
        let mut graph = headwater_plan::decode(plan)?;
        limits::check(&graph)?;
        let mut config = self.options.config.clone();
        config.merge(&graph.config);
        graph.config = config;
        if graph.config.text(RUNTIME_MODE).trim().eq_ignore_ascii_case("BATCH") {
            // Batch jobs take no checkpoints, whatever the session was told.
            graph.config.set(CHECKPOINTING_INTERVAL.name, CHECKPOINTING_INTERVAL.default);
        }
        let mut settings = Settings::from_config(&graph.config)?;
        if let (None, Some(records)) = (&settings.directory, &self.options.records) {
            settings.directory = Some(records.checkpoint_directory());
        }
        let recovery = Recovery::from_config(&graph.config)?;
        Ok((graph, settings, recovery))
    }

    fn start(&mut self, accepted: Accepted, from: Option<Start>) -> Result<JobId> {
        let Accepted { job: id, graph, settings, uri, places, submitted_ms } = accepted;
        let slot_timeout = graph.config.duration(SLOT_REQUEST_TIMEOUT)?;
        let (registry, env, provider) = (&self.options.registry, &self.options.env, &self.options.storage);
        let store = Store { storage: provider.open(&uri, &graph.config)?, uri };
        let strategy = RestartStrategy::from_config(&graph.config, settings.interval_ms.is_some())?;
        let new = NewJob {
            id,
            plan: headwater_plan::encode(&graph)?,
            execution: Execution::new(regions(&graph), strategy, first_attempt(self.options.records.as_ref())),
            settings,
            store,
            from,
            records: self.options.records.clone(),
            policy: Policy::from_config(&graph.config)?,
            places,
            submitted_ms,
            autoscaler: Scaler::from_config(&graph.config)?,
            splits: guarded(|| Splits::new(&graph, registry, env))?,
            sinks: guarded(|| Sinks::new(id, &graph, registry, env))?,
            graph,
            env: env.clone(),
            registry: registry.clone(),
            provider: provider.clone(),
            task_managers: self.task_managers.clone(),
            slot_timeout_ms: i64::try_from(slot_timeout.as_millis()).unwrap_or(i64::MAX),
            inbox: self.inbox.clone(),
        };
        self.jobs.insert(id, Job::start(new));
        self.remember(id);
        Ok(id)
    }
}

/// A job that nothing speaks against.
struct Accepted {
    job: JobId,
    graph: JobGraph,
    settings: Settings,
    /// Where its checkpoints go.
    uri: String,
    /// Where its slots were.
    places: Vec<(u32, String)>,
    submitted_ms: i64,
}

/// The first attempt of jobs in a term: higher than all of earlier terms, so that tasks and files of those, which may
/// still be around, are never taken for theirs.
fn first_attempt(records: Option<&Records>) -> u32 {
    let term = records.map_or(0, |records| records.generation() % TERMS_MAX);
    u32::try_from(term * ATTEMPTS_MAX).unwrap_or(0)
}

/// A checkpoint without the state of some operators.
fn without(mut origin: Origin, start_empty: &[String]) -> Origin {
    if !start_empty.is_empty() {
        Arc::make_mut(&mut origin.manifest).operators.retain(|operator| !start_empty.contains(&operator.key));
    }
    origin
}

/// A job that does not say how many key groups it has takes those of its checkpoint.
fn take_max_parallelism(graph: &mut JobGraph, origin: &Origin) {
    let said = graph.config.text(MAX_PARALLELISM).trim();
    if said.is_empty() || said == MAX_PARALLELISM.default {
        graph.max_parallelism = origin.manifest.max_parallelism;
    }
}
