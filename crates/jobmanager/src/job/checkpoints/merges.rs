//! Keeping the chain of runs short, in the background and never on the way of a checkpoint.

use super::{Checkpoints, lock};
use crate::job::Job;
use crate::task_managers::SessionId;
use headwater_checkpoint::compact::choose;
use headwater_checkpoint::garbage::Roots;
use headwater_checkpoint::{Run, layout};
use headwater_taskmanager::{TaskError, ToTaskManager};
use headwater_types::ids::SubtaskId;
use headwater_types::key_group::owned_range;
use std::collections::BTreeMap;

/// Merges of a job that may be under way at once.
const MERGES_MAX: usize = 2;

/// The merges of a job.
#[derive(Default)]
pub(super) struct Merges {
    under_way: BTreeMap<u64, UnderWay>,
    next: u64,
    /// Results that arrived while a manifest was being written, which does not know them.
    late: Vec<(u64, Result<Run, TaskError>)>,
}

/// A merge under way.
struct UnderWay {
    operator: String,
    table: String,
    /// First key group of the slice.
    slice: u32,
    since: Option<u64>,
    file: String,
    /// Who does it.
    session: SessionId,
}

impl Merges {
    fn is_under_way(&self, operator: &str, table: &str, slice: u32) -> bool {
        self.under_way.values().any(|m| m.operator == operator && m.table == table && m.slice == slice)
    }

    /// What a TaskManager was doing will not be done.
    pub(super) fn session_lost(&mut self, session: SessionId, roots: &mut Roots) {
        for (_, lost) in self.under_way.extract_if(.., |_, merge| merge.session == session) {
            roots.merged.remove(&lost.file);
        }
    }

    /// The job starts again from a manifest: what was merged since is garbage.
    pub(super) fn forget(&mut self, roots: &mut Roots) {
        self.under_way.clear();
        self.late.clear();
        roots.merged.clear();
    }
}

impl Checkpoints {
    /// Runs were merged, or could not be, which only means that they stay.
    fn merged(&mut self, request: u64, outcome: Result<Run, TaskError>) {
        if self.storing {
            self.merges.late.push((request, outcome));
            return;
        }
        let Some(merge) = self.merges.under_way.remove(&request) else { return };
        let replaced = match outcome {
            Ok(run) => self.chain.replace(&merge.operator, &merge.table, merge.since, run),
            Err(error) => {
                tracing::warn!(table = merge.table, error = error.message(), "runs were not merged");
                false
            }
        };
        if !replaced {
            lock(&self.roots).merged.remove(&merge.file);
        }
    }
}

impl Checkpoints {
    /// The manifest is written, or could not be.
    pub(super) fn apply_late_merges(&mut self) {
        for (request, outcome) in std::mem::take(&mut self.merges.late) {
            self.merged(request, outcome);
        }
    }
}

impl Job {
    /// Runs were merged, or could not be. What comes after the job's end is garbage.
    pub(in crate::job) fn merged(&mut self, request: u64, outcome: Result<Run, TaskError>) {
        match outcome {
            Ok(run) if self.execution.state().is_final() => {
                let store = self.checkpoints.store.clone();
                self.env.spawn_blocking("delete", move || drop(store.storage.delete(&run.place.file)));
            }
            outcome => self.checkpoints.merged(request, outcome),
        }
    }

    /// Starts the merges that the tables need most.
    pub(super) fn start_merges(&mut self) {
        let checkpoints = &mut self.checkpoints;
        if let Some(latest) = &checkpoints.latest {
            let named = latest.files();
            lock(&checkpoints.roots).merged.retain(|file| !named.contains(file.as_str()));
        }
        let mut wanted = vec![];
        for vertex in &checkpoints.vertices {
            let slices =
                (0..vertex.parallelism).map(|i| owned_range(i, vertex.parallelism, self.graph.max_parallelism));
            let slices: Vec<_> = slices.collect();
            for operator in &vertex.operators {
                for (name, table) in checkpoints.chain.tables(&operator.key) {
                    for (index, slice) in (0..).zip(&slices) {
                        if checkpoints.merges.is_under_way(&operator.key, name, slice.start) {
                            continue;
                        }
                        if let Some(merge) = choose(&table.runs, slice) {
                            let owner = SubtaskId { vertex: vertex.id, index };
                            wanted.push((operator.key.clone(), name.clone(), slice.start, owner, merge));
                        }
                    }
                }
            }
        }
        wanted.sort_by_key(|(.., merge)| std::cmp::Reverse(merge.runs.len()));
        wanted.truncate(MERGES_MAX.saturating_sub(checkpoints.merges.under_way.len()));
        let sessions: Vec<SessionId> = self.placement.sessions().iter().copied().collect();
        for (operator, table, slice, owner, merge) in wanted {
            let request = checkpoints.merges.next;
            checkpoints.merges.next += 1;
            // Who owns the keys may keep a copy of them.
            let any = || sessions.get(request as usize % sessions.len().max(1)).copied();
            let Some(session) = self.placement.of(owner).or_else(any) else { return };
            let file = layout::merged_file(merge.checkpoint, self.env.random_u64());
            let under_way = UnderWay { operator, table, slice, since: merge.since, file: file.clone(), session };
            let message = ToTaskManager::MergeRuns { job: self.id, request, merge, file: file.clone() };
            if self.task_managers.send(session, message).is_ok() {
                lock(&checkpoints.roots).merged.insert(file);
                checkpoints.merges.under_way.insert(request, under_way);
            }
        }
    }
}
