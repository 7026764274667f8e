//! Builds small job graphs.

use headwater_plan::graph::RowType;
use headwater_plan::operators::{CalcSpec, ValuesSpec};
use headwater_plan::{
    Edge, JobGraph, OperatorNode, OperatorSpec, Partitioning, SinkSpec, SourceSpec, TableSpec, Vertex,
};
use headwater_types::config::Configuration;
use headwater_types::ids::VertexId;
use headwater_types::{LogicalType, TypeRoot};

/// The row type of all toys: `(n BIGINT, k BIGINT)`.
pub fn row_type() -> RowType {
    ["n", "k"].map(|name| (name.to_owned(), LogicalType::from(TypeRoot::BigInt))).to_vec()
}

/// A source node of the `numbers` connector with these options.
pub fn source(options: &[(&str, &str)]) -> OperatorNode {
    let spec = SourceSpec { table: table("numbers", options), produced: vec![], limit: None };
    node("source", 0, OperatorSpec::Source(spec))
}

/// A sink node of the `collect` connector with these options.
pub fn sink(options: &[(&str, &str)]) -> OperatorNode {
    sink_of("collect", options)
}

/// A sink node of a connector with these options.
pub fn sink_of(connector: &str, options: &[(&str, &str)]) -> OperatorNode {
    let table = table(connector, options);
    let spec = SinkSpec { table, metadata: vec![], overwrite: false, target_columns: vec![] };
    OperatorNode { output: vec![], ..node("sink", 1, OperatorSpec::Sink(spec)) }
}

/// A node whose operator the factory finds by this uid.
pub fn operator(uid: &str) -> OperatorNode {
    node(uid, 1, OperatorSpec::Calc(CalcSpec { condition: None, projection: vec![] }))
}

/// A node with two inputs.
pub fn two_inputs(uid: &str) -> OperatorNode {
    node(uid, 2, OperatorSpec::Calc(CalcSpec { condition: None, projection: vec![] }))
}

/// A node without input, whose operator the factory finds by this uid.
pub fn values(uid: &str) -> OperatorNode {
    node(uid, 0, OperatorSpec::Values(ValuesSpec { rows: vec![] }))
}

fn node(uid: &str, inputs: usize, spec: OperatorSpec) -> OperatorNode {
    OperatorNode {
        uid: uid.to_owned(),
        name: uid.to_owned(),
        spec,
        inputs: vec![row_type(); inputs],
        output: row_type(),
        emits_changes: false,
    }
}

fn table(connector: &str, options: &[(&str, &str)]) -> TableSpec {
    let options = options.iter().copied().chain([("connector", connector)]);
    TableSpec {
        path: ["c", "d", connector].map(str::to_owned),
        columns: row_type(),
        partition_keys: vec![],
        primary_key: vec![],
        options: options.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

/// Builds a graph vertex by vertex.
pub struct GraphBuilder {
    graph: JobGraph,
}

impl Default for GraphBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl GraphBuilder {
    /// An empty graph with 128 key groups.
    pub fn new() -> Self {
        let graph = JobGraph {
            name: "toy".to_owned(),
            max_parallelism: 128,
            vertices: vec![],
            edges: vec![],
            config: Configuration::new(),
        };
        Self { graph }
    }

    /// Adds a vertex.
    pub fn vertex(&mut self, parallelism: u32, chain: Vec<OperatorNode>) -> VertexId {
        let id = VertexId(self.graph.vertices.len() as u32);
        let name = chain.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(" -> ");
        self.graph.vertices.push(Vertex { id, name, parallelism, chain });
        id
    }

    /// Adds an edge into input 0.
    pub fn edge(&mut self, source: VertexId, target: VertexId, partitioning: Partitioning) {
        self.edge_into(source, target, 0, partitioning);
    }

    /// Adds an edge.
    pub fn edge_into(&mut self, source: VertexId, target: VertexId, target_input: u8, partitioning: Partitioning) {
        self.graph.edges.push(Edge { source, target, target_input, partitioning });
    }

    /// The graph.
    pub fn build(self) -> JobGraph {
        self.graph
    }
}
