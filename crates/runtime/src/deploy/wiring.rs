//! The channels of the subtasks here: one gate per subtask with inputs, one output per subtask and outgoing edge.
//!
//! Where one end of a channel runs elsewhere, the [`Network`] has it. Whoever runs where, a producer's targets stand in
//! the order of its consumers, because that order is what rows are routed by.

use super::{Channel, Deployment, Network};
use crate::input::ChannelInfo;
use crate::options::RuntimeOptions;
use headwater_data::arrow_type;
use headwater_data::scatter::Scatter;
use headwater_exchange::{ChannelSender, Gate, Output, Route};
use headwater_plan::{Edge, JobGraph, Partitioning, Vertex};
use headwater_types::ids::{SubtaskId, VertexId};
use headwater_types::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// A gate and its channels.
pub(super) type WiredGate = (Gate, Vec<ChannelInfo>);

/// All channels of a job, to be handed out to its subtasks.
pub(super) struct Wiring<'a> {
    graph: &'a JobGraph,
    options: &'a RuntimeOptions,
    network: Option<&'a dyn Network>,
    local: BTreeSet<SubtaskId>,
    gates: BTreeMap<SubtaskId, WiredGate>,
    /// Senders by edge and producer, in the order of the consumers.
    senders: BTreeMap<(usize, u32), Vec<Box<dyn ChannelSender>>>,
}

impl<'a> Wiring<'a> {
    pub(super) fn new(deployment: &'a Deployment) -> Result<Self> {
        let mut wiring = Self {
            graph: &deployment.graph,
            options: &deployment.options,
            network: deployment.network.as_deref(),
            local: deployment.subtasks.iter().copied().collect(),
            gates: BTreeMap::new(),
            senders: BTreeMap::new(),
        };
        for vertex in &deployment.graph.vertices {
            wiring.connect(vertex)?;
        }
        Ok(wiring)
    }

    /// The gate of a subtask; `None` when its vertex has no incoming edges.
    pub(super) fn take_gate(&mut self, subtask: SubtaskId) -> Option<WiredGate> {
        self.gates.remove(&subtask)
    }

    /// The outputs of a subtask, in the order of the plan's edges.
    pub(super) fn take_outputs(&mut self, subtask: SubtaskId) -> Result<Vec<Output>> {
        let mut outputs = vec![];
        for (index, edge) in self.graph.edges.iter().enumerate().filter(|(_, e)| e.source == subtask.vertex) {
            let targets = self.senders.remove(&(index, subtask.index)).unwrap_or_default();
            let route = self.route(edge, subtask.index, targets.len())?;
            outputs.push(Output::new(route, targets, self.options.output));
        }
        Ok(outputs)
    }

    /// Makes the gates of a vertex, and the ways to those elsewhere.
    fn connect(&mut self, vertex: &Vertex) -> Result<()> {
        let edges: Vec<(usize, &Edge)> =
            self.graph.edges.iter().enumerate().filter(|(_, edge)| edge.target == vertex.id).collect();
        if edges.is_empty() {
            return Ok(());
        }
        for index in 0..vertex.parallelism {
            let consumer = SubtaskId { vertex: vertex.id, index };
            let mut channels = vec![];
            for (edge_index, edge) in &edges {
                for producer in self.producers(edge, index, vertex.parallelism)? {
                    let producer = SubtaskId { vertex: edge.source, index: producer };
                    channels.push(Channel { edge: *edge_index as u32, producer, consumer });
                }
            }
            match self.local.contains(&consumer) {
                true => self.gate(consumer, &channels)?,
                false => self.leave(&channels)?,
            }
        }
        Ok(())
    }

    /// Makes the gate of a consumer here.
    fn gate(&mut self, consumer: SubtaskId, channels: &[Channel]) -> Result<()> {
        let (gate, senders) = Gate::new(channels.len(), self.options.channel_bytes);
        for (channel, sender) in channels.iter().zip(senders) {
            if self.local.contains(&channel.producer) {
                self.add_sender(channel, Box::new(sender));
            } else {
                self.network(channel)?.receive(*channel, sender);
            }
        }
        let info = |channel: &Channel| channel_info(channel.edge as usize, &self.graph.edges[channel.edge as usize]);
        let infos = channels.iter().map(info).collect();
        self.gates.insert(consumer, (gate, infos));
        Ok(())
    }

    /// Makes the senders here to a consumer elsewhere.
    fn leave(&mut self, channels: &[Channel]) -> Result<()> {
        for channel in channels {
            if self.local.contains(&channel.producer) {
                let sender = self.network(channel)?.sender(*channel)?;
                self.add_sender(channel, sender);
            }
        }
        Ok(())
    }

    fn add_sender(&mut self, channel: &Channel, sender: Box<dyn ChannelSender>) {
        self.senders.entry((channel.edge as usize, channel.producer.index)).or_default().push(sender);
    }

    fn network(&self, channel: &Channel) -> Result<&'a dyn Network> {
        let (producer, consumer) = (channel.producer, channel.consumer);
        self.network.ok_or_else(|| {
            Error::internal(format!("{producer} and {consumer} run in different processes, which are not connected"))
        })
    }

    /// The producers of an edge that send to consumer `index`.
    fn producers(&self, edge: &Edge, index: u32, consumers: u32) -> Result<std::ops::Range<u32>> {
        let parallelism = self.vertex(edge.source)?.parallelism;
        match edge.partitioning {
            Partitioning::Forward if parallelism != consumers => {
                Err(Error::internal(format!("a forward edge joins parallelism {parallelism} and {consumers}")))
            }
            Partitioning::Forward => Ok(index..index + 1),
            Partitioning::Global if index > 0 => Ok(0..0),
            _ => Ok(0..parallelism),
        }
    }

    fn route(&self, edge: &Edge, producer: u32, targets: usize) -> Result<Route> {
        match &edge.partitioning {
            _ if targets == 1 => Ok(Route::Single),
            Partitioning::Forward | Partitioning::Global => Err(Error::internal("an edge has more than one target")),
            Partitioning::Rebalance => Ok(Route::Rebalance(producer as usize % targets.max(1))),
            Partitioning::Broadcast => Ok(Route::Broadcast),
            Partitioning::Hash(columns) => {
                let types = output_types(self.graph, edge.source)?;
                let scatter = Scatter::new(columns.clone(), &types, targets as u32, self.graph.max_parallelism)?;
                Ok(Route::Hash(Box::new(scatter)))
            }
        }
    }

    fn vertex(&self, id: VertexId) -> Result<&'a Vertex> {
        vertex_of(self.graph, id)
    }
}

/// Types of the rows that leave a vertex.
pub(super) fn output_types(graph: &JobGraph, vertex: VertexId) -> Result<Vec<arrow::datatypes::DataType>> {
    let last = vertex_of(graph, vertex)?.chain.last();
    let last = last.ok_or_else(|| Error::internal("a vertex has no operators"))?;
    Ok(last.output.iter().map(|(_, ty)| arrow_type(ty)).collect())
}

fn vertex_of(graph: &JobGraph, id: VertexId) -> Result<&Vertex> {
    let vertex = graph.vertices.get(id.0 as usize);
    vertex.ok_or_else(|| Error::internal(format!("an edge names the vertex {}, which does not exist", id.0)))
}

/// The channels of an edge. Captured rows must be dealt to any number of consumers after a restore: what a key or
/// nothing decides can be; rows of a forward edge would lose their key, those of a broadcast would multiply.
fn channel_info(index: usize, edge: &Edge) -> ChannelInfo {
    let overtakable = match edge.partitioning {
        Partitioning::Hash(_) | Partitioning::Rebalance | Partitioning::Global => true,
        Partitioning::Forward | Partitioning::Broadcast => false,
    };
    ChannelInfo { edge: index as u32, input: edge.target_input, overtakable }
}
