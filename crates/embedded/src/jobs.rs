//! The jobs that a process has started, and those of a cluster, for whoever lists and stops them.

use headwater_jobmanager::{Handle, JobHandle, JobState};
use headwater_types::config::nearest;
use headwater_types::{Error, Result};
use std::collections::VecDeque;
use std::time::Duration;

/// Ended jobs that are remembered.
const ENDED_MAX: usize = 64;

/// How long a cluster may take to list its jobs.
const PATIENCE: Duration = Duration::from_secs(10);

/// A job that was started, here or by other clients of the cluster.
#[derive(Clone)]
pub struct StartedJob {
    /// Follows it.
    pub handle: JobHandle,
    /// When it was started, milliseconds since the epoch.
    pub started_ms: i64,
    /// Its last known state.
    pub state: JobState,
}

/// All jobs that were started, in that order; of those that have ended only the last ones.
#[derive(Default)]
pub(crate) struct Jobs {
    started: VecDeque<StartedJob>,
}

impl Jobs {
    pub(crate) fn add(&mut self, handle: JobHandle, started_ms: i64) {
        self.refresh();
        let ended = self.started.iter().filter(|job| job.state.is_final()).count();
        if ended >= ENDED_MAX
            && let Some(oldest) = self.started.iter().position(|job| job.state.is_final())
        {
            self.started.remove(oldest);
        }
        self.started.push_back(StartedJob { handle, started_ms, state: JobState::Created });
    }

    /// The jobs with their present states.
    pub(crate) fn list(&mut self) -> Vec<StartedJob> {
        self.refresh();
        self.started.iter().cloned().collect()
    }

    /// A job that the cluster has forgotten keeps the state that it had last.
    fn refresh(&mut self) {
        for job in self.started.iter_mut().filter(|job| !job.state.is_final()) {
            if let Ok(status) = job.handle.status() {
                job.state = status.state;
            }
        }
    }
}

/// All jobs of a cluster, whoever started them, in the order in which they were submitted; of those that have ended the
/// ones that it remembers.
///
/// # Errors
/// When the cluster does not answer.
pub fn of_cluster(cluster: &Handle) -> Result<Vec<StartedJob>> {
    let listed = cluster.list()?.wait(PATIENCE)?;
    let started = listed.into_iter().map(|listed| StartedJob {
        handle: cluster.job(listed.job, &listed.name),
        started_ms: listed.started_ms,
        state: listed.state,
    });
    Ok(started.collect())
}

/// The job of this id among these, which are those of `place`.
///
/// # Errors
/// When there is none.
pub fn find(jobs: Vec<StartedJob>, id: &str, place: &str) -> Result<StartedJob> {
    let ids: Vec<String> = jobs.iter().map(|job| job.handle.id().to_string()).collect();
    let at = ids.iter().position(|known| known == id.trim());
    at.and_then(|at| jobs.into_iter().nth(at)).ok_or_else(|| {
        let hint = match nearest(id, ids.iter().map(String::as_str)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("SHOW JOBS lists those {place}"),
        };
        Error::user("unknown-job", format!("there is no job '{id}'; {hint}"))
    })
}
