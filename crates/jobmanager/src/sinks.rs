//! The committers of a job's sinks, and what their writers staged.
//!
//! With checkpoints, what was staged is committed checkpoint by checkpoint in rising order; without, all of it when
//! the job has finished.

use headwater_connector_api::{Committable, Committer, Registry};
use headwater_env::Env;
use headwater_plan::{JobGraph, OperatorSpec, SinkSpec};
use headwater_types::ids::{JobId, SubtaskId, VertexId};
use headwater_types::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a commit is tried before the job fails.
const COMMIT_ATTEMPTS: u32 = 5;
/// Pause before the second attempt; doubles from attempt to attempt.
const COMMIT_BACKOFF: Duration = Duration::from_millis(100);

/// One sink with a committer.
struct SinkCommit {
    committer: Box<dyn Committer>,
    name: String,
    /// By subtask, so that the order does not depend on who was first.
    staged: BTreeMap<u32, Vec<Committable>>,
}

/// The sinks of a job that have committers.
pub(crate) struct Sinks {
    env: Env,
    commits: BTreeMap<VertexId, SinkCommit>,
}

impl Sinks {
    /// No sinks at all.
    pub(crate) fn none(env: &Env) -> Self {
        Self { env: env.clone(), commits: BTreeMap::new() }
    }

    /// Makes the committers of all sinks of a job.
    pub(crate) fn new(job: JobId, graph: &JobGraph, registry: &Registry, env: &Env) -> Result<Self> {
        let mut commits = BTreeMap::new();
        for vertex in &graph.vertices {
            let Some(node) = vertex.chain.last() else { continue };
            let OperatorSpec::Sink(write) = &node.spec else { continue };
            if let Some(mut committer) = committer(write, registry)? {
                committer.start(&job.to_string());
                let commit = SinkCommit { committer, name: node.name.clone(), staged: BTreeMap::new() };
                commits.insert(vertex.id, commit);
            }
        }
        Ok(Self { env: env.clone(), commits })
    }

    /// Keeps what a sink subtask staged.
    pub(crate) fn stage(&mut self, subtask: SubtaskId, committables: Vec<Vec<u8>>) -> Result<()> {
        let Some(commit) = self.commits.get_mut(&subtask.vertex) else {
            return Err(Error::internal(format!("subtask {subtask} stages rows, but its sink has no committer")));
        };
        commit.staged.entry(subtask.index).or_default().extend(committables.into_iter().map(Committable));
        Ok(())
    }

    /// Forgets what subtasks staged that will run again.
    pub(crate) fn unstage(&mut self, subtasks: &[SubtaskId]) {
        for subtask in subtasks {
            if let Some(commit) = self.commits.get_mut(&subtask.vertex) {
                commit.staged.remove(&subtask.index);
            }
        }
    }

    /// Commits what a sink staged for a checkpoint. May take long.
    pub(crate) fn commit_checkpoint(&mut self, sink: VertexId, checkpoint: u64, items: &[Committable]) -> Result<()> {
        match self.commits.get_mut(&sink) {
            Some(commit) => commit.commit(checkpoint, items, &self.env),
            None => Ok(()),
        }
    }

    /// Commits what was staged without a checkpoint, when `staged`; tells the committers that there will be no more,
    /// when `ended`. May take long.
    pub(crate) fn finish(&mut self, staged: bool, ended: bool) -> Result<()> {
        self.commits.values_mut().try_for_each(|commit| commit.finish(staged, ended, &self.env))
    }

    /// Removes what is staged and not committed. May take long. A failure leaves litter, not wrong results,
    /// so the first one is returned after all were tried.
    pub(crate) fn abort(&mut self) -> Result<()> {
        let aborts: Vec<_> = self.commits.values_mut().map(|commit| commit.committer.abort()).collect();
        aborts.into_iter().collect()
    }
}

impl SinkCommit {
    fn commit(&mut self, checkpoint: u64, items: &[Committable], env: &Env) -> Result<()> {
        let committed = retry(env, || self.committer.commit(checkpoint, items));
        committed.map_err(|error| error.context(format_args!("committing '{}'", self.name)))
    }

    fn finish(&mut self, staged: bool, ended: bool, env: &Env) -> Result<()> {
        if staged {
            let items: Vec<_> = std::mem::take(&mut self.staged).into_values().flatten().collect();
            self.commit(0, &items, env)?;
        }
        let finished = if ended { retry(env, || self.committer.finish()) } else { Ok(()) };
        finished.map_err(|error| error.context(format_args!("committing '{}'", self.name)))
    }
}

fn retry(env: &Env, mut action: impl FnMut() -> Result<()>) -> Result<()> {
    let mut pause = COMMIT_BACKOFF;
    for _ in 1..COMMIT_ATTEMPTS {
        match action() {
            Err(error) if error.kind() == ErrorKind::Retryable => env.clock().pause(pause),
            other => return other,
        }
        pause *= 2;
    }
    action()
}

fn committer(write: &SinkSpec, registry: &Registry) -> Result<Option<Box<dyn Committer>>> {
    let name = write.table.options.get("connector").map(String::as_str).unwrap_or_default();
    let sink = registry.get(name)?.sink(write)?;
    let path = write.table.path.join(".");
    sink.ok_or_else(|| {
        Error::user("connector-direction", format!("the {name} connector cannot write the table {path}"))
    })?
    .committer()
}
