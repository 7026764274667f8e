//! Rows and watermarks by subtask, and who sends to whom.

use super::Facts;
use crate::cluster::OperatorSnapshot;
use headwater_plan::{OperatorSpec, Partitioning};
use headwater_types::MIN_WATERMARK;
use headwater_types::ids::{SubtaskId, VertexId};
use std::collections::BTreeMap;

/// The counters of a job's operators, in order.
pub(super) struct Flow<'a> {
    chains: BTreeMap<SubtaskId, Vec<&'a OperatorSnapshot>>,
    rows_in: u64,
    rows_out: u64,
}

impl<'a> Flow<'a> {
    pub(super) fn new(facts: &Facts<'a>) -> Self {
        let mut chains: BTreeMap<SubtaskId, Vec<&OperatorSnapshot>> = BTreeMap::new();
        for operator in facts.operators {
            chains.entry(operator.subtask).or_default().push(operator);
        }
        chains.values_mut().for_each(|chain| chain.sort_by_key(|operator| operator.position));
        let mut flow = Self { chains, rows_in: 0, rows_out: 0 };
        for vertex in &facts.details.summary.graph.vertices {
            for (position, node) in (0..).zip(&vertex.chain) {
                match node.spec {
                    OperatorSpec::Source(_) | OperatorSpec::Values(_) => {
                        flow.rows_in += flow.sum(vertex.id, position, |operator| operator.rows_out);
                    }
                    OperatorSpec::Sink(_) => {
                        flow.rows_out += flow.sum(vertex.id, position, |operator| operator.rows_in);
                    }
                    _ => {}
                }
            }
        }
        flow
    }

    /// What came in and what went out.
    pub(super) fn summary(&self) -> String {
        format!("{} rows were read and {} written.", self.rows_in, self.rows_out)
    }

    /// Rows that sinks were given.
    pub(super) fn rows_out(&self) -> u64 {
        self.rows_out
    }

    /// The sum of a counter over the subtasks of a vertex.
    pub(super) fn sum(&self, vertex: VertexId, position: u32, of: fn(&OperatorSnapshot) -> u64) -> u64 {
        let chains = self.chains.iter().filter(|(subtask, _)| subtask.vertex == vertex);
        let operators = chains.flat_map(|(_, chain)| chain.iter().filter(|operator| operator.position == position));
        operators.map(|operator| of(operator)).sum()
    }

    /// The subtasks of a vertex that have counters.
    pub(super) fn subtasks(&self, vertex: VertexId) -> impl Iterator<Item = SubtaskId> {
        self.chains.keys().copied().filter(move |subtask| subtask.vertex == vertex)
    }

    /// The watermark that a subtask works with: that of its head.
    pub(super) fn head_watermark(&self, subtask: SubtaskId) -> i64 {
        self.chains.get(&subtask).and_then(|chain| chain.first()).map_or(MIN_WATERMARK, |head| head.watermark)
    }

    /// The watermark that a subtask sends on: that of its tail.
    pub(super) fn tail_watermark(&self, subtask: SubtaskId) -> i64 {
        self.chains.get(&subtask).and_then(|chain| chain.last()).map_or(MIN_WATERMARK, |tail| tail.watermark)
    }

    /// Rows that a subtask sends on.
    pub(super) fn rows_sent(&self, subtask: SubtaskId) -> u64 {
        self.chains.get(&subtask).and_then(|chain| chain.last()).map_or(0, |tail| tail.rows_out)
    }

    /// The subtasks that a subtask receives from.
    pub(super) fn senders(&self, facts: &Facts<'_>, subtask: SubtaskId) -> Vec<SubtaskId> {
        let edges = facts.details.summary.graph.edges.iter().filter(|edge| edge.target == subtask.vertex);
        let senders = edges.flat_map(|edge| {
            let is_forward = edge.partitioning == Partitioning::Forward;
            self.subtasks(edge.source).filter(move |sender| !is_forward || sender.index == subtask.index)
        });
        senders.collect()
    }
}
