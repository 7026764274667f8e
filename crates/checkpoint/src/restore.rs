//! From a manifest and a new graph to what every subtask starts with.
//!
//! * Keyed tables: a subtask gets the runs that hold its key groups, restricted to them.
//! * Lists: `Split` items are dealt out in turn, `Union` and `Broadcast` go to everyone.
//! * Splits and writer states: to the subtask of the same index when the parallelism is the same, else in turn.
//! * A vertex that had finished is finished again. Of one that had finished in part, those subtasks are, if the
//!   parallelism is the same.
//! * Rows on their way need the same chains of operators, of broadcast edges also the same parallelism; savepoints
//!   hold none. Those of hash edges go to every consumer, which skips what is not its own.

mod check;

pub use check::check;

use crate::layout::Vertex;
use crate::manifest::{
    Blob, Channel, Committables, ListState, Manifest, OperatorState, Spread, SubtaskBlobs, TableState, VertexState,
};
use headwater_state::Redistribution;
use headwater_types::ids::{SubtaskId, VertexId};
use headwater_types::key_group::owned_range;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// What a restored job starts with.
#[derive(Debug, Clone, PartialEq)]
pub struct RestorePlan {
    /// The checkpoint.
    pub checkpoint: u64,
    /// What each subtask starts with.
    pub subtasks: BTreeMap<SubtaskId, SubtaskRestore>,
    /// State of the split enumerators. Sources without one start anew.
    pub enumerators: BTreeMap<VertexId, Blob>,
    /// What the checkpoint commits, by sink, in the order of committing.
    pub committables: BTreeMap<VertexId, Vec<Committables>>,
    /// Operators of the manifest whose state is left behind.
    pub dropped: Vec<String>,
}

/// What one subtask starts with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SubtaskRestore {
    /// It had processed all of its input.
    pub finished: bool,
    /// State of its operators.
    pub operators: Vec<OperatorRestore>,
    /// Splits for its reader.
    pub splits: Vec<Blob>,
    /// State for its writer.
    pub writer: Vec<Blob>,
    /// Rows that were on their way to it.
    pub channels: Vec<Channel>,
}

/// What one operator instance starts with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperatorRestore {
    /// Its uid in the new graph.
    pub uid: String,
    /// The lowest watermark its instances had emitted.
    pub watermark: i64,
    /// Its tables, with runs restricted to the key groups of the subtask.
    pub tables: Vec<TableState>,
    /// Its lists.
    pub lists: Vec<ListRestore>,
}

/// The items of a list for one operator instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListRestore {
    /// Its name within the operator.
    pub name: String,
    /// How the items were spread.
    #[serde(with = "crate::manifest::redistribution")]
    pub redistribution: Redistribution,
    /// The items.
    pub items: Vec<Blob>,
}

/// Plans a restore of a manifest that was [`check`]ed against the graph.
pub fn plan(manifest: &Manifest, vertices: &[Vertex], max_parallelism: u32) -> RestorePlan {
    let mut plan = RestorePlan {
        checkpoint: manifest.checkpoint,
        subtasks: BTreeMap::new(),
        enumerators: BTreeMap::new(),
        committables: BTreeMap::new(),
        dropped: check::unclaimed(manifest, vertices),
    };
    for vertex in vertices {
        for index in 0..vertex.parallelism {
            let groups = owned_range(index, vertex.parallelism, max_parallelism);
            let restore = subtask(manifest, vertex, index, &groups);
            plan.subtasks.insert(SubtaskId { vertex: vertex.id, index }, restore);
        }
        let head = vertex.operators.first().and_then(|operator| manifest.operator(&operator.key));
        if let Some(enumerator) = head.and_then(|state| state.enumerator.clone()) {
            plan.enumerators.insert(vertex.id, enumerator);
        }
        let last = vertex.operators.last().and_then(|operator| manifest.operator(&operator.key));
        if let Some(state) = last.filter(|state| !state.committables.is_empty()) {
            plan.committables.insert(vertex.id, state.committables.clone());
        }
    }
    plan
}

fn subtask(manifest: &Manifest, vertex: &Vertex, index: u32, groups: &Range<u32>) -> SubtaskRestore {
    let stored = stored_vertex(manifest, vertex);
    let stored_parallelism = stored.map_or(0, |stored| stored.parallelism);
    let slot = Slot { index, parallelism: vertex.parallelism, stored_parallelism };
    let head = vertex.operators.first().and_then(|operator| manifest.operator(&operator.key));
    let last = vertex.operators.last().and_then(|operator| manifest.operator(&operator.key));
    let states = vertex.operators.iter().filter_map(|o| Some((o, manifest.operator(&o.key)?)));
    SubtaskRestore {
        finished: stored.is_some_and(|stored| is_finished(stored, slot)),
        operators: states.map(|(o, state)| operator(&o.uid, state, slot, groups)).collect(),
        splits: head.map(|state| deal(&state.splits, slot)).unwrap_or_default(),
        writer: last.map(|state| deal(&state.writers, slot)).unwrap_or_default(),
        channels: stored.map(|stored| channels(&stored.channels, slot)).unwrap_or_default(),
    }
}

/// The vertex of the manifest that holds the head of a vertex of the graph.
fn stored_vertex<'a>(manifest: &'a Manifest, vertex: &Vertex) -> Option<&'a VertexState> {
    let head = &vertex.operators.first()?.key;
    manifest.vertices.iter().find(|stored| stored.operators.contains(head))
}

/// Place of a subtask among those of its vertex, now and then.
#[derive(Debug, Clone, Copy)]
struct Slot {
    index: u32,
    parallelism: u32,
    stored_parallelism: u32,
}

fn is_finished(stored: &VertexState, slot: Slot) -> bool {
    stored.is_finished() || (slot.parallelism == slot.stored_parallelism && stored.finished.contains(&slot.index))
}

fn operator(uid: &str, state: &OperatorState, slot: Slot, groups: &Range<u32>) -> OperatorRestore {
    OperatorRestore {
        uid: uid.to_owned(),
        watermark: state.watermark,
        tables: state.tables.iter().map(|table| slice(table, groups)).collect(),
        lists: state.lists.iter().map(|stored| list(stored, slot)).collect(),
    }
}

/// A table with what its runs hold in some key groups.
fn slice(table: &TableState, groups: &Range<u32>) -> TableState {
    let mut runs = table.runs.clone();
    runs.iter_mut().for_each(|run| run.groups = run.groups.within(groups));
    runs.retain(|run| !run.groups.is_empty());
    TableState { descriptor: table.descriptor.clone(), runs }
}

fn list(stored: &ListState, slot: Slot) -> ListRestore {
    let items = match stored.redistribution {
        Redistribution::Split => deal(&stored.parts, slot),
        Redistribution::Union => stored.parts.iter().flat_map(|part| part.items.clone()).collect(),
        Redistribution::Broadcast => stored.parts.first().map(|part| part.items.clone()).unwrap_or_default(),
    };
    ListRestore { name: stored.name.clone(), redistribution: stored.redistribution, items }
}

/// What a subtask gets of items that each go to one subtask.
fn deal(parts: &[SubtaskBlobs], slot: Slot) -> Vec<Blob> {
    if slot.parallelism == slot.stored_parallelism {
        return own(parts, slot.index);
    }
    let all = parts.iter().flat_map(|part| &part.items);
    all.skip(slot.index as usize).step_by(slot.parallelism.max(1) as usize).cloned().collect()
}

/// The rows a subtask gets: its own at the same parallelism, else all of hash edges and its turn of others.
fn channels(stored: &[Channel], slot: Slot) -> Vec<Channel> {
    if slot.parallelism == slot.stored_parallelism {
        return stored.iter().filter(|channel| channel.subtask == slot.index).cloned().collect();
    }
    let turn = |at: usize| at as u64 % u64::from(slot.parallelism.max(1)) == u64::from(slot.index);
    let gets = |(at, channel): &(usize, &Channel)| channel.spread == Spread::Hash || turn(*at);
    stored.iter().enumerate().filter(gets).map(|(_, channel)| channel.clone()).collect()
}

fn own(parts: &[SubtaskBlobs], index: u32) -> Vec<Blob> {
    parts.iter().filter(|part| part.subtask == index).flat_map(|part| part.items.clone()).collect()
}

#[cfg(test)]
mod tests;
