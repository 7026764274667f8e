//! Who operates the job: submits it, stops it with savepoints, and submits it again when its process has died.
//!
//! After a death the operator starts the job from the newest complete checkpoint, or from the savepoint that it was
//! stopped with. A job that had completed newer checkpoints than those that are there has finished: jobs delete
//! their checkpoints then. Savepoints of jobs that went on are never started from.

use crate::storage::{ObjectStore, ROOT};
use headwater_checkpoint::manifest::decode;
use headwater_env::Storage;
use headwater_jobmanager::{Handle, JobHandle, JobResult, JobState, Pending, RequestKind, Stored};
use headwater_plan::JobGraph;
use headwater_types::ids::JobId;
use headwater_types::{Error, ErrorKind, Result};

/// Directory of savepoints that jobs were stopped with.
const STOPS: &str = "stops";
/// Milliseconds until something that failed is tried again.
const AGAIN_MS: i64 = 50;

/// The operator.
pub(super) struct Operator {
    phase: Phase,
    /// Submissions so far.
    submissions: usize,
    violation: Option<String>,
}

enum Phase {
    /// The job is to be submitted, not before this time.
    Absent {
        again_ms: i64,
    },
    Submitting(Pending<Result<JobId>>),
    Running(Box<Running>),
    Done,
}

struct Running {
    job: JobHandle,
    result: Pending<JobResult>,
    /// The savepoint that is to end the job.
    stop: Option<Pending<Result<Stored>>>,
    stopped: bool,
}

impl Operator {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Absent { again_ms: i64::MIN }, submissions: 0, violation: None }
    }

    /// Whether the job has finished, or something is wrong.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done) || self.violation.is_some()
    }

    /// What went wrong.
    pub(super) fn take_violation(&mut self) -> Option<String> {
        self.violation.take()
    }

    /// When the operator tries again what failed.
    pub(super) fn again_ms(&self) -> Option<i64> {
        match self.phase {
            Phase::Absent { again_ms } if again_ms > i64::MIN => Some(again_ms),
            _ => None,
        }
    }

    /// Whether the job is to be submitted now.
    pub(super) fn wants_to_submit(&self, now_ms: i64) -> bool {
        matches!(self.phase, Phase::Absent { again_ms } if again_ms <= now_ms)
    }

    /// How often the job was submitted.
    pub(super) fn submissions(&self) -> usize {
        self.submissions
    }

    /// The process has died, and the job with it.
    pub(super) fn process_died(&mut self) {
        if !self.is_done() {
            self.phase = Phase::Absent { again_ms: i64::MIN };
        }
    }

    /// Submits the job, from where it has to go on.
    pub(super) fn submit(&mut self, handle: &Handle, mut graph: JobGraph, store: &ObjectStore) {
        let newest = match newest(store) {
            Ok(newest) => newest,
            Err(error) => return self.violation = Some(format!("a manifest cannot be read: {error}")),
        };
        let reached = store.newest_manifest();
        if newest.as_ref().map_or(0, |(number, _)| *number) < reached {
            self.phase = Phase::Done;
            return;
        }
        if let Some((_, path)) = newest {
            graph.config.set("execution.state-recovery.path", path);
        }
        self.submissions += 1;
        match handle.request_submit(&graph) {
            Ok(pending) => self.phase = Phase::Submitting(pending),
            Err(error) => self.violation = Some(format!("the job is refused: {error}")),
        }
    }

    /// Looks what has become of the job.
    pub(super) fn look(&mut self, handle: &Handle, name: &str, now_ms: i64) {
        let seen = match &mut self.phase {
            Phase::Submitting(pending) => {
                pending.take().map(|answer| answer.map(|id| submitted(id, handle, name, now_ms)))
            }
            Phase::Running(running) => running.look(now_ms).map(|phase| phase.map(Ok)),
            Phase::Absent { .. } | Phase::Done => Ok(None),
        };
        match seen {
            Ok(None) => {}
            Ok(Some(Ok(phase))) => self.phase = phase,
            Ok(Some(Err(error))) | Err(error) => self.violation = Some(format!("the job failed: {error:?}")),
        }
    }

    /// Asks for a checkpoint or savepoint; nobody waits for the answer.
    pub(super) fn ask(&self, kind: RequestKind) {
        if let Phase::Running(running) = &self.phase {
            let _ = running.job.request_checkpoint(kind);
        }
    }

    /// Stops the job with a savepoint, unless that is being done.
    pub(super) fn stop(&mut self) {
        if let Phase::Running(running) = &mut self.phase
            && running.stop.is_none()
        {
            let directory = Some(format!("{ROOT}/{STOPS}"));
            running.stop = running.job.request_checkpoint(RequestKind::Stop { directory, drain: false }).ok();
        }
    }
}

fn submitted(id: Result<JobId>, handle: &Handle, name: &str, now_ms: i64) -> Result<Phase> {
    match id {
        Ok(id) => {
            let job = handle.job(id, name);
            let result = job.request_result()?;
            Ok(Phase::Running(Box::new(Running { job, result, stop: None, stopped: false })))
        }
        Err(error) if error.kind() == ErrorKind::Retryable => Ok(Phase::Absent { again_ms: now_ms + AGAIN_MS }),
        Err(error) => Err(error.context("the job is refused")),
    }
}

impl Running {
    /// What follows, when something does.
    fn look(&mut self, now_ms: i64) -> Result<Option<Phase>> {
        if let Some(answer) = self.stop.as_ref().map(Pending::take).transpose()?.flatten() {
            self.stop = None;
            self.stopped |= answer.is_ok();
        }
        let again = Phase::Absent { again_ms: now_ms };
        match self.result.take()? {
            None => Ok(None),
            Some(result) if result.state == JobState::Finished && !self.stopped => Ok(Some(Phase::Done)),
            // It goes on from its savepoint, however it ended.
            Some(_) if self.stopped => Ok(Some(again)),
            Some(result) => Err(result.error.unwrap_or_else(|| Error::internal(format!("it ended {}", result.state)))),
        }
    }
}

/// The newest checkpoint to start from: its number and where it is.
fn newest(store: &ObjectStore) -> Result<Option<(u64, String)>> {
    let mut found: Option<(u64, String)> = None;
    for object in store.objects().list("")? {
        let Some(directory) = object.path.strip_suffix("/_metadata") else { continue };
        if directory.starts_with("savepoints/") {
            continue;
        }
        let content = store.objects().get(&object.path)?.unwrap_or_default();
        let number = decode(&object.path, &content)?.checkpoint;
        if found.as_ref().is_none_or(|(newest, _)| number > *newest) {
            found = Some((number, format!("{ROOT}/{directory}")));
        }
    }
    Ok(found)
}
