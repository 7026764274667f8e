//! The graph as the checkpoint protocol sees it.

use headwater_checkpoint::layout::{Operator, Vertex, operator_keys};
use headwater_plan::{JobGraph, OperatorSpec};

/// The vertices of a graph, their operators with the names that state is stored by.
pub(crate) fn vertices(graph: &JobGraph) -> Vec<Vertex> {
    let uids = graph.vertices.iter().flat_map(|vertex| &vertex.chain).map(|node| node.uid.as_str());
    let mut keys = operator_keys(uids).into_iter();
    let mut vertices = vec![];
    for vertex in &graph.vertices {
        let operators = vertex.chain.iter().zip(keys.by_ref()).map(|(node, key)| Operator {
            uid: node.uid.clone(),
            key,
            name: node.name.clone(),
            source: matches!(node.spec, OperatorSpec::Source(_)),
            sink: matches!(node.spec, OperatorSpec::Sink(_)),
        });
        let operators = operators.collect();
        vertices.push(Vertex { id: vertex.id, name: vertex.name.clone(), parallelism: vertex.parallelism, operators });
    }
    vertices
}
