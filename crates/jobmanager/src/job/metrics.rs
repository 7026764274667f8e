//! The counters of a job: those its TaskManagers report, and the final ones of tasks that have ended.

use super::{Job, Reply};
use crate::task_managers::SessionId;
use headwater_runtime::OperatorSnapshot;
use headwater_taskmanager::ToTaskManager;
use std::collections::BTreeSet;

/// Somebody waits for the answers of all TaskManagers.
pub(super) struct Gathering {
    reply: Reply<Vec<OperatorSnapshot>>,
    awaits: BTreeSet<SessionId>,
    gathered: Vec<OperatorSnapshot>,
}

impl Job {
    /// Replies with the counters: the final ones, or those the TaskManagers report.
    pub(crate) fn metrics(&mut self, reply: Reply<Vec<OperatorSnapshot>>) {
        let request = self.next_request;
        self.next_request += 1;
        let mut awaits = BTreeSet::new();
        for session in self.placement.sessions().iter().filter(|_| !self.complete) {
            let report = ToTaskManager::ReportMetrics { job: self.id, request, session: session.0 };
            if self.task_managers.send(*session, report).is_ok() {
                awaits.insert(*session);
            }
        }
        self.gatherings.insert(request, Gathering { reply, awaits, gathered: vec![] });
        self.reply_metrics();
    }

    /// A TaskManager reports. Of a task that ran there before, it knows the past only.
    pub(super) fn gather_metrics(&mut self, request: u64, session: SessionId, metrics: Vec<OperatorSnapshot>) {
        if let Some(gathering) = self.gatherings.get_mut(&request)
            && gathering.awaits.remove(&session)
        {
            let placement = &self.placement;
            let present = metrics.into_iter().filter(|metric| placement.of(metric.subtask) == Some(session));
            gathering.gathered.extend(present);
        }
        self.reply_metrics();
    }

    /// A TaskManager will not report.
    pub(super) fn metrics_lost(&mut self, session: SessionId) {
        for gathering in self.gatherings.values_mut() {
            gathering.awaits.remove(&session);
        }
        self.reply_metrics();
    }

    /// Replies where all have reported.
    fn reply_metrics(&mut self) {
        for (_, gathering) in self.gatherings.extract_if(.., |_, gathering| gathering.awaits.is_empty()) {
            let mut all = gathering.gathered;
            let live: BTreeSet<_> = all.iter().map(|metric| metric.subtask).collect();
            let ended = self.ended.iter().filter(|(subtask, _)| !live.contains(subtask));
            all.extend(ended.flat_map(|(_, metrics)| metrics.iter().cloned()));
            all.sort_by_key(|metric| (metric.subtask, metric.position));
            let _ = gathering.reply.try_send(all);
        }
    }

    /// The job has ended: everybody gets the final counters.
    pub(super) fn finish_metrics(&mut self) {
        self.gatherings.values_mut().for_each(|gathering| {
            gathering.awaits.clear();
            gathering.gathered.clear();
        });
        self.reply_metrics();
    }
}
