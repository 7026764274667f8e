//! TaskManagers that are about to end: their jobs take a checkpoint, so that little has to be done again, and go on
//! elsewhere.

use super::Core;
use crate::job::{Request, RequestKind, Stored};
use crate::task_managers::SessionId;
use headwater_types::Result;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

/// How long the checkpoints may take before the tasks go on without.
const CHECKPOINT_MS_MAX: i64 = 5_000;
/// Pause between looks whether the checkpoints are complete.
const LOOK_MS: i64 = 10;

/// A TaskManager that is about to end.
pub(super) struct Leaving {
    session: SessionId,
    until_ms: i64,
    pub(super) look_ms: i64,
    /// The checkpoints of its jobs.
    awaits: Vec<Receiver<Result<Stored>>>,
}

impl Leaving {
    /// Whether there is nothing to wait for any more.
    fn may_go(&mut self, now_ms: i64) -> bool {
        self.awaits.retain(|answer| matches!(answer.try_recv(), Err(TryRecvError::Empty)));
        self.awaits.is_empty() || self.until_ms <= now_ms
    }
}

impl Core {
    /// A TaskManager is about to end. Jobs that cannot take a checkpoint restart from the last one.
    pub(super) fn task_manager_leaves(&mut self, session: SessionId) {
        let now_ms = self.options.env.now_ms();
        let mut awaits = vec![];
        for job in self.task_managers.leave(session) {
            let (reply, answer) = sync_channel(1);
            let request = Request { kind: RequestKind::Checkpoint, reply };
            self.with_job(job, |job| {
                if job.is_checkpointed() {
                    job.request(request);
                    awaits.push(answer);
                }
            });
        }
        let until_ms = now_ms.saturating_add(CHECKPOINT_MS_MAX);
        self.leaving.push(Leaving { session, until_ms, look_ms: now_ms, awaits });
        self.let_go(now_ms);
    }

    /// Lets TaskManagers go whose jobs have taken their checkpoints.
    pub(super) fn let_go(&mut self, now_ms: i64) {
        let gone: Vec<SessionId> =
            self.leaving.extract_if(.., |leaving| leaving.may_go(now_ms)).map(|leaving| leaving.session).collect();
        self.leaving.iter_mut().for_each(|leaving| leaving.look_ms = now_ms.saturating_add(LOOK_MS));
        gone.into_iter().for_each(|session| self.task_manager_lost(session, "it was told to end"));
    }
}
