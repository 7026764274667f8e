//! From the parts of the subtasks to a manifest.
//!
//! Keyed state is incremental: a subtask hands over the runs of what changed, the [`Chain`] knows the runs before.
//! A subtask that does not know whether a checkpoint completed hands its runs over again, so those that the chain
//! has already are left out.

mod chain;
mod part;

pub use chain::Chain;
pub use part::{ListPart, OperatorPart, SubtaskPart, TablePart};

use crate::GroupSet;
use crate::layout::Vertex;
use crate::manifest::{
    Blob, Committables, ListState, Manifest, OperatorState, Run, SubtaskBlobs, TableState, VertexState,
};
use headwater_types::ids::{JobId, SubtaskId, VertexId};
use headwater_types::key_group::owned_range;
use headwater_types::{MAX_WATERMARK, MIN_WATERMARK};
use std::collections::{BTreeMap, BTreeSet};

/// Everything a manifest is made of.
pub struct Parts<'a> {
    /// The job.
    pub job: JobId,
    /// Its display name.
    pub job_name: &'a str,
    /// Number of the checkpoint.
    pub checkpoint: u64,
    /// Whether it is a savepoint.
    pub savepoint: bool,
    /// When it was triggered.
    pub triggered_ms: i64,
    /// When the last part arrived.
    pub completed_ms: i64,
    /// Number of key groups.
    pub max_parallelism: u32,
    /// The graph.
    pub vertices: &'a [Vertex],
    /// What the subtasks handed over.
    pub parts: BTreeMap<SubtaskId, SubtaskPart>,
    /// Subtasks that had finished before.
    pub finished: BTreeSet<SubtaskId>,
    /// State of the split enumerators at the trigger.
    pub enumerators: BTreeMap<VertexId, Blob>,
    /// The runs of the checkpoint before.
    pub chain: &'a Chain,
}

/// The manifest of a checkpoint.
pub fn assemble(parts: Parts<'_>) -> Manifest {
    let mut operators = vec![];
    for vertex in parts.vertices {
        for (position, operator) in vertex.operators.iter().enumerate() {
            let mut state = OperatorState::new(&operator.key, &operator.name);
            if position == 0 && operator.source {
                state.enumerator = parts.enumerators.get(&vertex.id).cloned();
                state.splits = blobs(&parts, vertex, |part| &part.splits);
            }
            if position + 1 == vertex.operators.len() && operator.sink {
                state.writers = blobs(&parts, vertex, |part| &part.writer);
                state.committables = committables(&parts, vertex);
            }
            fill(&mut state, &parts, vertex, &operator.uid);
            operators.push(state);
        }
    }
    let vertices = parts.vertices.iter().map(|vertex| vertex_state(&parts, vertex)).collect();
    Manifest {
        job: parts.job,
        job_name: parts.job_name.to_owned(),
        checkpoint: parts.checkpoint,
        savepoint: parts.savepoint,
        triggered_ms: parts.triggered_ms,
        completed_ms: parts.completed_ms,
        max_parallelism: parts.max_parallelism,
        vertices,
        operators,
    }
}

fn vertex_state(parts: &Parts<'_>, vertex: &Vertex) -> VertexState {
    VertexState {
        name: vertex.name.clone(),
        parallelism: vertex.parallelism,
        operators: vertex.operators.iter().map(|operator| operator.key.clone()).collect(),
        finished: subtasks(vertex).filter(|id| is_finished(parts, *id)).map(|id| id.index).collect(),
        channels: subtasks(vertex)
            .filter_map(|id| parts.parts.get(&id))
            .flat_map(|part| part.channels.clone())
            .collect(),
    }
}

fn subtasks(vertex: &Vertex) -> impl Iterator<Item = SubtaskId> + use<> {
    let id = vertex.id;
    (0..vertex.parallelism).map(move |index| SubtaskId { vertex: id, index })
}

fn is_finished(parts: &Parts<'_>, subtask: SubtaskId) -> bool {
    parts.finished.contains(&subtask) || parts.parts.get(&subtask).is_some_and(|part| part.finished)
}

fn blobs(parts: &Parts<'_>, vertex: &Vertex, f: impl Fn(&SubtaskPart) -> &Vec<Blob>) -> Vec<SubtaskBlobs> {
    let of_subtask = |id: SubtaskId| {
        let items = f(parts.parts.get(&id)?).clone();
        (!items.is_empty()).then_some(SubtaskBlobs { subtask: id.index, items })
    };
    subtasks(vertex).filter_map(of_subtask).collect()
}

fn committables(parts: &Parts<'_>, vertex: &Vertex) -> Vec<Committables> {
    let mut all = vec![];
    for id in subtasks(vertex) {
        for (checkpoint, items) in parts.parts.get(&id).map_or(&[][..], |part| &part.committables) {
            all.push(Committables { checkpoint: *checkpoint, subtask: id.index, items: items.clone() });
        }
    }
    all.sort_by_key(|part| (part.checkpoint, part.subtask));
    all
}

/// Tables, lists and watermark of an operator.
fn fill(state: &mut OperatorState, parts: &Parts<'_>, vertex: &Vertex, uid: &str) {
    let mut tables: BTreeMap<String, TableState> = parts.chain.tables(&state.key).clone();
    let (mut watermark, mut reported) = (None, BTreeSet::new());
    for id in subtasks(vertex) {
        let groups = GroupSet::of(owned_range(id.index, vertex.parallelism, parts.max_parallelism));
        if is_finished(parts, id) {
            // What it emitted at its end is in the checkpoint, so its state must not be: it would be emitted again.
            tables.values_mut().for_each(|table| chain::take_away(&mut table.runs, &groups));
            continue;
        }
        let operator = parts.parts.get(&id).and_then(|part| part.operators.iter().find(|o| o.uid == uid));
        let Some(operator) = operator else { continue };
        watermark = Some(watermark.unwrap_or(MAX_WATERMARK).min(operator.watermark));
        reported.extend(operator.tables.iter().map(|part| part.descriptor.name.as_str()));
        operator.tables.iter().for_each(|part| add_table(&mut tables, part, parts.chain, &groups));
        operator.lists.iter().for_each(|part| add_list(&mut state.lists, part, id.index));
    }
    if watermark.is_some() {
        // A table that the operator no longer has must not come back with a later query.
        tables.retain(|name, _| reported.contains(name.as_str()));
    }
    state.watermark = watermark.unwrap_or(MIN_WATERMARK);
    state.tables = tables.into_values().collect();
}

fn add_table(tables: &mut BTreeMap<String, TableState>, part: &TablePart, chain: &Chain, groups: &GroupSet) {
    let name = part.descriptor.name.clone();
    let new = || TableState { descriptor: part.descriptor.clone(), runs: vec![] };
    let table = tables.entry(name).or_insert_with(new);
    if part.replaces {
        chain::take_away(&mut table.runs, groups);
    }
    table.descriptor = part.descriptor.clone();
    let known = |run: &&Run| chain.checkpoint().is_none_or(|checkpoint| run.checkpoint > checkpoint);
    for run in part.runs.iter().filter(known) {
        chain::insert(&mut table.runs, run.clone());
    }
}

fn add_list(lists: &mut Vec<ListState>, part: &ListPart, subtask: u32) {
    let blobs = SubtaskBlobs { subtask, items: part.items.clone() };
    match lists.iter_mut().find(|list| list.name == part.name) {
        Some(list) => list.parts.push(blobs),
        None => {
            lists.push(ListState { name: part.name.clone(), redistribution: part.redistribution, parts: vec![blobs] })
        }
    }
}

impl OperatorState {
    /// An operator without state.
    pub fn new(key: &str, name: &str) -> Self {
        Self {
            key: key.to_owned(),
            name: name.to_owned(),
            tables: vec![],
            lists: vec![],
            splits: vec![],
            enumerator: None,
            writers: vec![],
            committables: vec![],
            watermark: MIN_WATERMARK,
        }
    }
}

#[cfg(test)]
mod tests;
