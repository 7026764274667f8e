//! The jobs that a process has started, for whoever lists and stops them.

use headwater_jobmanager::{JobHandle, JobState};
use headwater_types::config::nearest;
use headwater_types::{Error, Result};
use std::collections::VecDeque;

/// Ended jobs that are remembered.
const ENDED_MAX: usize = 64;

/// A job that was started here.
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

    /// The job of this id.
    pub(crate) fn find(&mut self, id: &str) -> Result<StartedJob> {
        self.refresh();
        let ids: Vec<String> = self.started.iter().map(|job| job.handle.id().to_string()).collect();
        if let Some(at) = ids.iter().position(|known| *known == id.trim()) {
            return Ok(self.started[at].clone());
        }
        let hint = match nearest(id, ids.iter().map(String::as_str)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "SHOW JOBS lists those that were started here".to_owned(),
        };
        Err(Error::user("unknown-job", format!("there is no job '{id}'; {hint}")))
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
