//! Checkpoints as a JobManager and a TaskManager would keep them.

use crate::checkpoint::{ChannelState, RestoreSource, RestoredOperator, RestoredSubtask, SubtaskSnapshot};
use headwater_connector_api::{Committable, Split};
use headwater_plan::{JobGraph, Partitioning};
use headwater_state::{Entries, EntryRef, ListSnapshot, Restored, RestoredTable, Snapshot, TableDescriptor};
use headwater_types::ids::{SubtaskId, VertexId};
use headwater_types::{Result, key_group};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

type Table = (TableDescriptor, BTreeMap<(Vec<u8>, Vec<u8>), (u32, Option<Vec<u8>>)>);

/// The sum of the snapshots of one operator instance.
#[derive(Clone, Default)]
pub(super) struct OperatorSum {
    tables: BTreeMap<String, Table>,
    lists: Vec<ListSnapshot>,
}

impl OperatorSum {
    pub(super) fn add(&mut self, snapshot: &Snapshot) {
        for delta in &snapshot.tables {
            let new = || (delta.descriptor.clone(), BTreeMap::new());
            let (_, entries) = self.tables.entry(delta.descriptor.name.clone()).or_insert_with(new);
            for e in delta.iter() {
                entries.insert((e.key.to_vec(), e.map_key.to_vec()), (e.group, e.value.map(<[u8]>::to_vec)));
            }
        }
        self.lists.clone_from(&snapshot.lists);
    }

    /// Adds what another instance has in these key groups, and its lists.
    fn merge(&mut self, other: &Self, groups: &Range<u32>) {
        for (name, (descriptor, entries)) in &other.tables {
            let (_, into) = self.tables.entry(name.clone()).or_insert_with(|| (descriptor.clone(), BTreeMap::new()));
            let owned = entries.iter().filter(|(_, (group, _))| groups.contains(group));
            into.extend(owned.map(|(key, value)| (key.clone(), value.clone())));
        }
        self.lists.extend(other.lists.iter().cloned());
    }
}

/// What a completed checkpoint holds of one subtask.
#[derive(Clone, Default)]
pub(super) struct StoredSubtask {
    pub(super) finished: bool,
    pub(super) splits: Vec<Split>,
    pub(super) operators: BTreeMap<String, (OperatorSum, i64)>,
    pub(super) writer: Vec<Vec<u8>>,
    pub(super) committables: Vec<(u64, Vec<Committable>)>,
    pub(super) channel_state: Vec<ChannelState>,
}

impl StoredSubtask {
    /// The subtask as it is after `snapshot`, when it was `self` after the snapshot before.
    pub(super) fn after(&self, snapshot: SubtaskSnapshot) -> Self {
        let mut operators = BTreeMap::new();
        for state in snapshot.operators {
            let mut sum = self.operators.get(&state.uid).map(|(sum, _)| sum.clone()).unwrap_or_default();
            sum.add(&state.snapshot);
            operators.insert(state.uid, (sum, state.watermark));
        }
        Self {
            finished: snapshot.finished,
            splits: snapshot.splits,
            operators,
            writer: snapshot.writer,
            committables: snapshot.committables,
            channel_state: snapshot.channel_state,
        }
    }
}

/// A completed checkpoint.
#[derive(Clone)]
pub(super) struct Completed {
    pub(super) checkpoint: u64,
    pub(super) subtasks: BTreeMap<SubtaskId, StoredSubtask>,
    pub(super) enumerators: BTreeMap<VertexId, Vec<u8>>,
}

impl Completed {
    fn of_vertex(&self, vertex: VertexId) -> Vec<&StoredSubtask> {
        self.subtasks.iter().filter(|(id, _)| id.vertex == vertex).map(|(_, stored)| stored).collect()
    }
}

/// A completed checkpoint seen from a job that may have another parallelism.
pub(super) struct Restore {
    pub(super) completed: Completed,
    pub(super) graph: Arc<JobGraph>,
}

impl Restore {
    /// What `all` instances had, dealt out in turn.
    fn deal<T: Clone>(all: &[T], index: u32, parallelism: u32) -> Vec<T> {
        all.iter().skip(index as usize).step_by(parallelism as usize).cloned().collect()
    }

    fn channel_state(&self, old: &[&StoredSubtask], subtask: SubtaskId, parallelism: u32) -> Vec<ChannelState> {
        if old.len() == parallelism as usize {
            return old[subtask.index as usize].channel_state.clone();
        }
        let (mut own, mut others) = (vec![], vec![]);
        for state in old.iter().flat_map(|stored| &stored.channel_state) {
            match self.graph.edges[state.edge as usize].partitioning {
                Partitioning::Hash(_) => own.push(state.clone()),
                _ => others.push(state.clone()),
            }
        }
        own.extend(Self::deal(&others, subtask.index, parallelism));
        own
    }

    /// State and watermarks of the operators of a subtask.
    fn operators(
        old: &[&StoredSubtask],
        index: u32,
        parallelism: u32,
        groups: &Range<u32>,
    ) -> BTreeMap<String, (OperatorSum, i64)> {
        let mut merged: BTreeMap<String, (OperatorSum, i64)> = BTreeMap::new();
        for (uid, (sum, watermark)) in old.iter().flat_map(|stored| &stored.operators) {
            let into = merged.entry(uid.clone()).or_insert_with(|| (OperatorSum::default(), *watermark));
            into.1 = into.1.min(*watermark);
            into.0.merge(sum, groups);
        }
        for (sum, _) in merged.values_mut() {
            sum.lists = Self::deal(&sum.lists, index, parallelism);
        }
        merged
    }

    fn groups(&self, subtask: SubtaskId, parallelism: u32) -> Range<u32> {
        key_group::owned_range(subtask.index, parallelism, self.graph.max_parallelism)
    }

    /// What a subtask has when it starts: its snapshots are changes of this.
    pub(super) fn base(&self, subtask: SubtaskId) -> StoredSubtask {
        let parallelism = self.graph.vertices[subtask.vertex.0 as usize].parallelism;
        let old = self.completed.of_vertex(subtask.vertex);
        let operators = Self::operators(&old, subtask.index, parallelism, &self.groups(subtask, parallelism));
        StoredSubtask { operators, ..StoredSubtask::default() }
    }
}

impl RestoreSource for Restore {
    fn checkpoint(&self) -> u64 {
        self.completed.checkpoint
    }

    fn subtask(&self, subtask: SubtaskId) -> Result<RestoredSubtask> {
        let parallelism = self.graph.vertices[subtask.vertex.0 as usize].parallelism;
        let old = self.completed.of_vertex(subtask.vertex);
        let same = old.len() == parallelism as usize;
        let finished = if same { old[subtask.index as usize].finished } else { old.iter().all(|s| s.finished) };
        // Finished subtasks take nothing, so nothing may be dealt to them.
        let (splits, writer) = match same {
            true => (old[subtask.index as usize].splits.clone(), old[subtask.index as usize].writer.clone()),
            false => {
                let splits: Vec<_> = old.iter().flat_map(|stored| stored.splits.clone()).collect();
                let writers: Vec<_> = old.iter().flat_map(|stored| stored.writer.clone()).collect();
                let deal = |all: &[_]| Self::deal(all, subtask.index, parallelism);
                (deal(&splits), Self::deal(&writers, subtask.index, parallelism))
            }
        };
        let operators = Self::operators(&old, subtask.index, parallelism, &self.groups(subtask, parallelism));
        let operator = |(uid, (sum, watermark))| {
            let state = Arc::new(sum) as Arc<dyn Restored>;
            (uid, RestoredOperator { state, watermark })
        };
        Ok(RestoredSubtask {
            finished,
            splits,
            operators: operators.into_iter().map(operator).collect(),
            writer,
            channel_state: self.channel_state(&old, subtask, parallelism),
        })
    }
}

impl Restored for OperatorSum {
    fn table(&self, name: &str) -> Result<Option<RestoredTable>> {
        let Some((descriptor, stored)) = self.tables.get(name) else { return Ok(None) };
        let live = stored.iter().filter(|(_, (_, value))| value.is_some());
        let entries: Entries = live
            .map(|((key, map_key), (group, value))| EntryRef { group: *group, key, map_key, value: value.as_deref() })
            .collect();
        Ok(Some(RestoredTable { descriptor: descriptor.clone(), entries: Box::new(entries.into_stream()) }))
    }

    fn list(&self, name: &str) -> Result<Vec<ListSnapshot>> {
        Ok(self.lists.iter().filter(|list| list.name == name).cloned().collect())
    }

    fn is_restored(&self) -> bool {
        true
    }
}
