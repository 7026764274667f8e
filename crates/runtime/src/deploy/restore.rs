//! Gives a subtask what the checkpoint that the job starts from holds for it.

use super::Deployment;
use crate::checkpoint::{ChannelState, INTO_SINK, RestoredSubtask};
use crate::input::InFlight;
use headwater_data::ChangeBatch;
use headwater_data::scatter::Scatter;
use headwater_plan::{Edge, OperatorNode, Partitioning, Vertex};
use headwater_state::StateContext;
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, MIN_WATERMARK, Result, key_group};

/// What one subtask starts from.
pub(super) struct Start {
    restored: RestoredSubtask,
    /// Number of the checkpoint; `None` for a new job.
    pub(super) checkpoint: Option<u64>,
}

impl Start {
    pub(super) fn new(deployment: &Deployment, subtask: SubtaskId) -> Result<Self> {
        let Some(source) = &deployment.restore else {
            return Ok(Self { restored: RestoredSubtask::default(), checkpoint: None });
        };
        let checkpoint = source.checkpoint();
        let restored = source.subtask(subtask);
        let restored = restored.map_err(|e| e.context(format_args!("restoring {subtask} from {checkpoint}")))?;
        Ok(Self { restored, checkpoint: Some(checkpoint) })
    }

    /// Whether the subtask ends at once.
    pub(super) fn is_finished(&self) -> bool {
        self.restored.finished
    }

    /// Splits for the reader.
    pub(super) fn take_splits(&mut self) -> Vec<headwater_connector_api::Split> {
        std::mem::take(&mut self.restored.splits)
    }

    /// State for the sink writer.
    pub(super) fn take_writer(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.restored.writer)
    }

    /// Event time of the operator's output.
    pub(super) fn watermark(&self, node: &OperatorNode) -> i64 {
        self.restored.operators.get(&node.uid).map_or(MIN_WATERMARK, |operator| operator.watermark)
    }

    /// Where the operator opens its tables.
    pub(super) fn state(&self, vertex: &Vertex, at: usize, index: u32, deployment: &Deployment) -> StateContext {
        let (graph, options) = (&deployment.graph, &deployment.options.state);
        let node = &vertex.chain[at];
        let mut context = StateContext::empty(deployment.env.clone(), graph.max_parallelism);
        context.owned_groups = key_group::owned_range(index, vertex.parallelism, graph.max_parallelism);
        context.engine = options.engine_of(graph, &deployment.execution, SubtaskId { vertex: vertex.id, index }, at);
        context.memory = options.memory.clone();
        if let Some(operator) = self.restored.operators.get(&node.uid) {
            context.restored = operator.state.clone();
        }
        context
    }

    /// The rows that waited in front of the sink.
    pub(super) fn take_backlog(&mut self) -> Vec<ChangeBatch> {
        let states = self.restored.channel_state.extract_if(.., |state| state.edge == INTO_SINK);
        states.flat_map(|state| state.batches).collect()
    }

    /// The rows that were on their way to the subtask.
    pub(super) fn take_in_flight(
        &mut self,
        deployment: &Deployment,
        vertex: &Vertex,
        index: u32,
    ) -> Result<Vec<InFlight>> {
        let mut rows = vec![];
        for state in self.restored.channel_state.extract_if(.., |state| state.edge != INTO_SINK) {
            let edge = deployment.graph.edges.get(state.edge as usize).filter(|edge| edge.target == vertex.id);
            let edge = edge.ok_or_else(|| {
                let message = format!("the checkpoint holds rows of edge {}, which this job does not have", state.edge);
                Error::user("channel-state-mismatch", message)
            })?;
            let own = OwnRows::new(deployment, edge, vertex.parallelism, index)?;
            own.of(state, edge.target_input, &mut rows)?;
        }
        Ok(rows)
    }
}

/// Picks the rows of an edge that belong to one consumer.
struct OwnRows {
    scatter: Option<Scatter>,
    index: u32,
}

impl OwnRows {
    fn new(deployment: &Deployment, edge: &Edge, consumers: u32, index: u32) -> Result<Self> {
        let Partitioning::Hash(columns) = &edge.partitioning else { return Ok(Self { scatter: None, index }) };
        if consumers == 1 {
            return Ok(Self { scatter: None, index });
        }
        let types = super::wiring::output_types(&deployment.graph, edge.source)?;
        let scatter = Scatter::new(columns.clone(), &types, consumers, deployment.graph.max_parallelism)?;
        Ok(Self { scatter: Some(scatter), index })
    }

    fn of(mut self, state: ChannelState, input: u8, rows: &mut Vec<InFlight>) -> Result<()> {
        let edge = state.edge;
        let mut parts: Vec<(u32, ChangeBatch)> = vec![];
        for batch in state.batches {
            match &mut self.scatter {
                None => parts.push((self.index, batch)),
                Some(scatter) => scatter.scatter(batch, &mut parts)?,
            }
            let own = parts.drain(..).filter(|(target, _)| *target == self.index);
            rows.extend(own.map(|(_, batch)| InFlight { edge, input, batch }));
        }
        Ok(())
    }
}
