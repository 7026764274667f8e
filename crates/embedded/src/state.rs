//! The state that a job's operators would open, found out by opening them.
//!
//! Operators say what they keep only by opening it, so each is built and opened once on empty state, asked for a
//! snapshot, and dropped: no row flows, and nothing outside the process is touched. Sources and sinks keep no tables
//! and are only named.

use crate::operators::SqlOperators;
use headwater_checkpoint::WantedOperator;
use headwater_checkpoint::layout::operator_keys;
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_operator_api::{Collector, OpenContext, OperatorMetrics};
use headwater_plan::graph::{OperatorNode, Vertex};
use headwater_plan::{JobGraph, OperatorSpec};
use headwater_runtime::{BuildContext, OperatorFactory};
use headwater_state::{Snapshot, StateContext, TableDescriptor};
use headwater_types::Result;
use headwater_types::ids::SubtaskId;
use std::sync::Arc;

/// Rows a batch has at most; nothing is emitted.
const BATCH_ROWS: usize = 1;

/// The operators of a job that a checkpoint holds something of, with their tables, in plan order.
///
/// # Errors
/// When an operator cannot be built, as when the job is deployed.
pub fn wanted_operators(graph: &JobGraph, env: &Env) -> Result<Vec<WantedOperator>> {
    let uids = graph.vertices.iter().flat_map(|vertex| &vertex.chain).map(|node| node.uid.as_str());
    let mut keys = operator_keys(uids).into_iter();
    let mut wanted = vec![];
    for vertex in &graph.vertices {
        for ((at, node), key) in vertex.chain.iter().enumerate().zip(keys.by_ref()) {
            let keeps = keeps(graph, vertex, at, env)?;
            wanted.extend(keeps.map(|tables| WantedOperator { key, name: node.name.clone(), tables }));
        }
    }
    Ok(wanted)
}

/// The tables of an operator; `None` when it keeps nothing.
fn keeps(graph: &JobGraph, vertex: &Vertex, at: usize, env: &Env) -> Result<Option<Vec<TableDescriptor>>> {
    let node: &OperatorNode = &vertex.chain[at];
    if matches!(node.spec, OperatorSpec::Source(_) | OperatorSpec::Sink(_)) {
        return Ok(Some(vec![]));
    }
    let subtask = SubtaskId { vertex: vertex.id, index: 0 };
    let mut operator = SqlOperators.build(
        node,
        &BuildContext {
            subtask,
            parallelism: vertex.parallelism,
            max_parallelism: graph.max_parallelism,
            env,
            config: &graph.config,
            input_changes: input_changes(graph, vertex, at),
        },
    )?;
    operator.open(&OpenContext {
        subtask,
        parallelism: vertex.parallelism,
        max_parallelism: graph.max_parallelism,
        env: env.clone(),
        metrics: Arc::new(OperatorMetrics::default()),
        batch_rows: BATCH_ROWS,
        restored_watermark: headwater_types::MIN_WATERMARK,
        state: StateContext::empty(env.clone(), graph.max_parallelism),
    })?;
    let mut snapshot = Snapshot::new();
    operator.snapshot(&mut snapshot, &mut Nowhere)?;
    let tables: Vec<TableDescriptor> = snapshot.tables.into_iter().map(|delta| delta.descriptor).collect();
    Ok((!tables.is_empty() || !snapshot.lists.is_empty()).then_some(tables))
}

/// Whether the operator at a chain position may receive rows other than `+I`.
fn input_changes(graph: &JobGraph, vertex: &Vertex, at: usize) -> bool {
    if let Some(before) = at.checked_sub(1) {
        return vertex.chain[before].emits_changes;
    }
    let producers = graph.edges.iter().filter(|edge| edge.target == vertex.id).map(|edge| edge.source);
    let mut tails = producers.filter_map(|id| graph.vertices.iter().find(|v| v.id == id)?.chain.last());
    tails.any(|tail| tail.emits_changes)
}

/// Takes rows that an operator without input has none of.
struct Nowhere;

impl Collector for Nowhere {
    fn emit(&mut self, _batch: ChangeBatch) {}

    fn emit_watermark(&mut self, _watermark: i64) {}

    fn emit_idle(&mut self, _idle: bool) {}
}
