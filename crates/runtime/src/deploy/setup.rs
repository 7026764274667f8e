//! Builds the running parts of one subtask.

use super::{BuildContext, Deployment, restore::Start, wiring::WiredGate};
use crate::chain::Chain;
use crate::input::{GateInput, Input, Pace, SourceInput};
use crate::metrics::SubtaskMetrics;
use crate::subtask::{Body, Checkpoints};
use crate::tail::{Outputs, SinkTail, Tail};
use headwater_connector_api::{ReaderContext, SourceReader, WriterContext};
use headwater_exchange::{Output, Waker};
use headwater_operator_api::{OpenContext, OperatorMetrics};
use headwater_plan::{OperatorNode, OperatorSpec, SinkSpec, SourceSpec, TableSpec, Vertex};
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Everything a deployed subtask needs to build its operators.
pub(crate) struct Setup {
    pub(super) id: SubtaskId,
    pub(super) vertex: Arc<Vertex>,
    pub(super) deployment: Deployment,
    pub(super) waker: Waker,
    pub(super) gate: Option<WiredGate>,
    pub(super) outputs: Vec<Output>,
}

impl Setup {
    /// Builds tail, input and operators. `position` follows the operator being built, for error messages.
    pub(crate) fn build(mut self, metrics: &Arc<SubtaskMetrics>, position: &mut usize) -> Result<Body> {
        let mut start = Start::new(&self.deployment, self.id)?;
        let vertex = self.vertex.clone();
        *position = vertex.chain.len().saturating_sub(1);
        let (tail, operators_end) = match vertex.chain.last().map(|node| &node.spec) {
            Some(OperatorSpec::Sink(write)) => (self.sink(write, metrics.operator(*position), &mut start)?, *position),
            _ => (Tail::Outputs(Outputs::new(std::mem::take(&mut self.outputs), &self.waker)), vertex.chain.len()),
        };
        *position = 0;
        let (mut input, first_stage) = self.input(metrics, &mut start)?;
        let head_metrics = matches!(input, Input::Source(_)).then(|| metrics.operator(0));
        let mut chain = Chain::new(tail, head_metrics);
        let operators = if start.is_finished() { 0 } else { operators_end };
        let mut watermarks = vec![];
        for (at, node) in vertex.chain.iter().enumerate().take(operators).skip(first_stage) {
            *position = at;
            self.append(node, at, metrics.operator(at), &start, &mut chain)?;
            watermarks.push(start.watermark(node));
        }
        chain.restore_watermarks(&watermarks, matches!(input, Input::Gate(_)));
        if let Some(source) = input.source() {
            source.tell_splits(chain.wants_splits());
        }
        let checkpoints = Checkpoints::new(self.id, self.deployment.events.clone(), metrics.clone());
        chain.restore_backlog(start.take_backlog());
        // A sink that captures lets barriers pass, and other tails never wait.
        let pace = Pace::new(self.deployment.options.checkpointing && !chain.tail.captures());
        Ok(Body { input, chain, first_stage, checkpoints, pace, barrier_since_ns: 0 })
    }

    /// The input, and the chain position of the first operator.
    fn input(&mut self, metrics: &SubtaskMetrics, start: &mut Start) -> Result<(Input, usize)> {
        let vertex = self.vertex.clone();
        let head = vertex.chain.first();
        Ok(match head.map(|node| &node.spec) {
            _ if start.is_finished() => (Input::Empty, 0),
            Some(OperatorSpec::Source(scan)) => (self.source(scan, metrics.operator(0), start)?, 1),
            // Inline rows exist once, whatever the parallelism.
            Some(OperatorSpec::Values(_)) if self.id.index > 0 => (Input::Empty, 1),
            Some(OperatorSpec::Values(_)) => (Input::Nothing, 0),
            _ => (self.gate_input(head, start)?, 0),
        })
    }

    fn append(
        &self,
        node: &OperatorNode,
        at: usize,
        metrics: Arc<OperatorMetrics>,
        start: &Start,
        chain: &mut Chain,
    ) -> Result<()> {
        let deployment = &self.deployment;
        let build = BuildContext {
            subtask: self.id,
            parallelism: self.vertex.parallelism,
            max_parallelism: deployment.graph.max_parallelism,
            env: &deployment.env,
            config: &deployment.graph.config,
            input_changes: self.input_changes(at),
        };
        let operator = deployment.factory.build(node, &build)?;
        let open = OpenContext {
            subtask: self.id,
            parallelism: self.vertex.parallelism,
            max_parallelism: deployment.graph.max_parallelism,
            env: deployment.env.clone(),
            metrics,
            batch_rows: deployment.options.batch_rows,
            restored_watermark: start.watermark(node),
            state: start.state(&self.vertex, at, self.id.index, deployment),
        };
        let inputs = if at == 0 { inputs_of(Some(node)) as u8 } else { 1 };
        chain.append(&node.uid, operator, inputs, &open)
    }

    /// Whether the operator at a chain position may receive rows other than `+I`.
    fn input_changes(&self, at: usize) -> bool {
        if let Some(before) = at.checked_sub(1) {
            return self.vertex.chain[before].emits_changes;
        }
        let graph = &self.deployment.graph;
        let producers = graph.edges.iter().filter(|edge| edge.target == self.id.vertex).map(|edge| edge.source);
        let mut tails = producers.filter_map(|id| graph.vertices.iter().find(|v| v.id == id)?.chain.last());
        tails.any(|tail| tail.emits_changes)
    }

    fn gate_input(&mut self, head: Option<&OperatorNode>, start: &mut Start) -> Result<Input> {
        let Some((mut gate, channels)) = self.gate.take() else { return Ok(Input::Empty) };
        // What arrived before is found by the first look at the gate, which follows.
        gate.set_waker(self.waker.clone());
        let connected = channels.iter().map(|channel| usize::from(channel.input) + 1).max().unwrap_or(1);
        let in_flight = start.take_in_flight(&self.deployment, &self.vertex, self.id.index)?;
        Ok(Input::Gate(Box::new(GateInput::new(gate, channels, inputs_of(head).max(connected), in_flight))))
    }

    fn source(&self, scan: &SourceSpec, metrics: Arc<OperatorMetrics>, start: &mut Start) -> Result<Input> {
        let deployment = &self.deployment;
        let connector = deployment.registry.get(connector_name(&scan.table)?)?;
        let source = connector.source(scan)?.ok_or_else(|| cannot(&scan.table, "read"))?;
        let bad_records = metrics.clone();
        let mut reader: Box<dyn SourceReader> = source.reader(ReaderContext {
            subtask: self.id.index,
            parallelism: self.vertex.parallelism,
            batch_rows: deployment.options.batch_rows,
            env: deployment.env.clone(),
            waker: self.waker.clone(),
            on_bad_record: Arc::new(move || {
                bad_records.bad_records.fetch_add(1, Ordering::Relaxed);
            }),
            on_bytes: count_bytes(metrics),
        })?;
        start.take_splits().into_iter().try_for_each(|split| reader.add_split(split))?;
        let (events, together) = (deployment.events.clone(), source.reads_splits_together());
        Ok(Input::Source(Box::new(SourceInput::new(reader, self.id, events, together))))
    }

    fn sink(&self, write: &SinkSpec, metrics: Arc<OperatorMetrics>, start: &mut Start) -> Result<Tail> {
        let deployment = &self.deployment;
        let connector = deployment.registry.get(connector_name(&write.table)?)?;
        let sink = connector.sink(write)?.ok_or_else(|| cannot(&write.table, "write"))?;
        let checkpointing = deployment.options.checkpointing;
        let writer = sink.writer(WriterContext {
            subtask: self.id.index,
            parallelism: self.vertex.parallelism,
            job: deployment.execution.clone(),
            env: deployment.env.clone(),
            waker: self.waker.clone(),
            on_bytes: count_bytes(metrics.clone()),
            restored: start.take_writer(),
            restored_checkpoint: start.checkpoint,
            checkpointing,
        })?;
        let events = deployment.events.clone();
        let captures = write.table.primary_key.is_empty() && !self.input_changes(self.vertex.chain.len() - 1);
        Ok(Tail::Sink(Box::new(SinkTail::new(writer, self.id, metrics, events, checkpointing, captures))))
    }
}

fn inputs_of(node: Option<&OperatorNode>) -> usize {
    node.map_or(1, |node| node.inputs.len().max(1))
}

fn count_bytes(metrics: Arc<OperatorMetrics>) -> Arc<dyn Fn(u64) + Send + Sync> {
    Arc::new(move |bytes| {
        metrics.bytes.fetch_add(bytes, Ordering::Relaxed);
    })
}

/// The `connector` option of a table.
fn connector_name(table: &TableSpec) -> Result<&str> {
    let name = table.options.get("connector").map(String::as_str);
    name.ok_or_else(|| Error::user("missing-option", format!("the table {} has no 'connector' option", path(table))))
}

fn cannot(table: &TableSpec, verb: &str) -> Error {
    let connector = table.options.get("connector").map(String::as_str).unwrap_or_default();
    Error::user("connector-direction", format!("the {connector} connector cannot {verb} the table {}", path(table)))
}

fn path(table: &TableSpec) -> String {
    table.path.join(".")
}
