//! The physical plan: operators that refer to their inputs by id and to columns by position.
//!
//! Operators without names in them compare by what they do, so adding an operator that is there already
//! over the same inputs answers the existing one.

use headwater_plan::operators::AggregatePhase;
use headwater_plan::{OperatorSpec, Partitioning};
use headwater_types::LogicalType;

/// An operator of the physical plan.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it does.
    pub spec: OperatorSpec,
    /// Its inputs; an input with several producers is a union.
    pub inputs: Vec<Input>,
    /// Types of its output.
    pub types: Vec<LogicalType>,
    /// Display names of its output; not part of its identity.
    pub names: Vec<String>,
    /// Whether its output ends.
    pub bounded: bool,
    /// Whether rows other than `+I` may leave it.
    pub emits_changes: bool,
    /// How many subtasks it wants.
    pub parallelism: Parallelism,
}

/// An input of an operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The operators that feed it.
    pub producers: Vec<usize>,
    /// How their rows are spread.
    pub partitioning: Partitioning,
}

/// Where an operator's parallelism comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parallelism {
    /// The job's default.
    Default,
    /// That of its input.
    Inherit,
    /// This.
    Fixed(u32),
}

impl Node {
    /// Name of the operator kind, as Flink calls it.
    pub fn spec_name(&self) -> &'static str {
        match &self.spec {
            OperatorSpec::Source(_) => "TableSourceScan",
            OperatorSpec::Values(_) => "Values",
            OperatorSpec::Calc(_) => "Calc",
            OperatorSpec::WatermarkAssigner(_) => "WatermarkAssigner",
            OperatorSpec::Expand(_) => "Expand",
            OperatorSpec::WindowTableFunction(_) => "WindowTableFunction",
            OperatorSpec::WindowAggregate(spec) => match spec.phase {
                AggregatePhase::Complete => "WindowAggregate",
                AggregatePhase::Local => "LocalWindowAggregate",
                AggregatePhase::Global => "GlobalWindowAggregate",
            },
            OperatorSpec::WindowJoin(_) => "WindowJoin",
            OperatorSpec::WindowRank(_) => "WindowRank",
            OperatorSpec::Join(_) => "Join",
            OperatorSpec::IntervalJoin(_) => "IntervalJoin",
            OperatorSpec::TemporalJoin(_) => "TemporalJoin",
            OperatorSpec::Rank(_) => "Rank",
            OperatorSpec::Deduplicate(_) => "Deduplicate",
            OperatorSpec::OverAggregate(_) => "OverAggregate",
            OperatorSpec::ChangelogNormalize(_) => "ChangelogNormalize",
            OperatorSpec::SinkMaterialize(_) => "SinkUpsertMaterializer",
            OperatorSpec::DropUpdateBefore(_) => "DropUpdateBefore",
            OperatorSpec::GroupAggregate(spec) => match spec.phase {
                AggregatePhase::Complete => "GroupAggregate",
                AggregatePhase::Local => "LocalGroupAggregate",
                AggregatePhase::Global => "GlobalGroupAggregate",
            },
            OperatorSpec::Sort(_) => "Sort",
            OperatorSpec::TemporalSort(_) => "TemporalSort",
            OperatorSpec::SortLimit(_) => "SortLimit",
            OperatorSpec::Limit(_) => "Limit",
            OperatorSpec::Unnest(_) => "Correlate",
            OperatorSpec::ToChangelog(_) => "ToChangelog",
            OperatorSpec::FromChangelog(_) => "FromChangelog",
            OperatorSpec::MatchRecognize(_) => "Match",
            OperatorSpec::Sink(_) => "Sink",
        }
    }

    fn same_work(&self, other: &Self) -> bool {
        self.inputs == other.inputs
            && self.types == other.types
            && self.parallelism == other.parallelism
            && self.spec == other.spec
    }
}

/// An arena of operators; inputs always stand before their consumers.
#[derive(Debug, Default)]
pub struct Physical {
    nodes: Vec<Node>,
}

impl Physical {
    /// Adds an operator, or finds the one that does the same over the same inputs.
    pub fn add(&mut self, node: Node) -> usize {
        match self.nodes.iter().position(|n| n.same_work(&node)) {
            Some(existing) => existing,
            None => self.add_unshared(node),
        }
    }

    /// Adds an operator that must not be shared (a sink).
    pub fn add_unshared(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// An operator.
    pub fn node(&self, id: usize) -> &Node {
        &self.nodes[id]
    }

    /// Connects an operator to its first input without an exchange.
    pub fn forward(&mut self, id: usize) {
        if let Some(input) = self.nodes[id].inputs.first_mut() {
            input.partitioning = Partitioning::Forward;
        }
    }

    /// Number of operators, reachable or not.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The operators that `roots` need, inputs first.
    pub fn reachable(&self, roots: &[usize]) -> Vec<usize> {
        let mut needed = vec![false; self.nodes.len()];
        let mut stack = roots.to_vec();
        while let Some(id) = stack.pop() {
            if !std::mem::replace(&mut needed[id], true) {
                stack.extend(self.nodes[id].inputs.iter().flat_map(|i| i.producers.iter().copied()));
            }
        }
        (0..self.nodes.len()).filter(|id| needed[*id]).collect()
    }

    /// Whether every source that `roots` need ends.
    pub fn all_bounded(&self, roots: &[usize]) -> bool {
        self.reachable(roots).into_iter().all(|id| self.nodes[id].bounded)
    }
}
