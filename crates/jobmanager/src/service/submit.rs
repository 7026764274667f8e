//! From a plan to a job that runs: checks, the checkpoint to start from, connectors.

use super::{Core, Inbound};
use crate::execution::Execution;
use crate::guard::guarded;
use crate::job::{Job, NewJob, SLOT_REQUEST_TIMEOUT, vertices};
use crate::limits;
use crate::locate::{Origin, locate};
use crate::regions::regions;
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

/// A job that waits for the checkpoint it starts from.
pub(crate) struct Submission {
    graph: JobGraph,
    settings: Settings,
    recovery: Recovery,
    reply: SyncSender<Result<JobId>>,
}

impl Core {
    /// Starts a job, or begins to look for its checkpoint.
    pub(super) fn submit(&mut self, plan: &[u8], reply: SyncSender<Result<JobId>>) {
        let checked = self.checked(plan);
        let (graph, settings, recovery) = match checked {
            Ok(checked) => checked,
            Err(error) => return drop(reply.try_send(Err(error))),
        };
        let submission = Submission { graph, settings, recovery, reply };
        match submission.recovery.path.clone() {
            None => {
                let started = self.start(submission.graph, submission.settings, None);
                let _ = submission.reply.try_send(started);
            }
            Some(path) => {
                let (provider, inbox) = (self.options.storage.clone(), self.inbox.clone());
                self.options.env.spawn_blocking("locate", move || {
                    let outcome = guarded(|| locate(provider.as_ref(), &path, &submission.graph.config));
                    let _ = inbox.send(Inbound::Located { submission: Box::new(submission), outcome });
                });
            }
        }
    }

    /// The checkpoint that a job starts from was found, or was not.
    pub(super) fn located(&mut self, submission: Submission, outcome: Result<Origin>) {
        let Submission { mut graph, settings, recovery, reply } = submission;
        let claim = recovery.claim;
        let origin =
            outcome.map(|origin| without(Origin { claim, ..origin }, &recovery.start_empty)).and_then(|origin| {
                take_max_parallelism(&mut graph, &origin);
                let vertices = vertices(&graph);
                let ignore = recovery.ignore_unclaimed;
                check(&origin.path, &origin.manifest, &vertices, graph.max_parallelism, ignore)?;
                Ok(origin)
            });
        let started = origin.and_then(|origin| self.start(graph, settings, Some(origin)));
        let _ = reply.try_send(started);
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
        let settings = Settings::from_config(&graph.config)?;
        let recovery = Recovery::from_config(&graph.config)?;
        Ok((graph, settings, recovery))
    }

    fn start(&mut self, graph: JobGraph, settings: Settings, origin: Option<Origin>) -> Result<JobId> {
        let slot_timeout = graph.config.duration(SLOT_REQUEST_TIMEOUT)?;
        let (registry, env, provider) = (&self.options.registry, &self.options.env, &self.options.storage);
        let id = JobId(u128::from(env.random_u64()) << 64 | u128::from(env.random_u64()));
        let uri = match &settings.directory {
            Some(directory) => join(directory, &id.to_string()),
            None => format!("memory://{id}"),
        };
        let store = Store { storage: provider.open(&uri, &graph.config)?, uri };
        let strategy = RestartStrategy::from_config(&graph.config, settings.interval_ms.is_some())?;
        let new = NewJob {
            id,
            plan: headwater_plan::encode(&graph)?,
            execution: Execution::new(regions(&graph), strategy),
            settings,
            store,
            origin,
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
