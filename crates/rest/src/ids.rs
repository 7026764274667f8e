//! Ids that stay the same: of vertices, from the operators they hold.

use headwater_checkpoint::layout::operator_keys;
use headwater_plan::JobGraph;
use xxhash_rust::xxh3::xxh3_128;

/// The ids of a job's vertices in plan order, each 32 hexadecimal digits: a hash of the key that the state of its first
/// operator is stored by. They stay the same for as long as that operator is the same, whatever else changes.
pub fn vertex_ids(graph: &JobGraph) -> Vec<String> {
    let uids = graph.vertices.iter().flat_map(|vertex| &vertex.chain).map(|operator| operator.uid.as_str());
    let keys = operator_keys(uids);
    let mut first = 0;
    let id = |vertex: &headwater_plan::Vertex| {
        let key = keys.get(first).map_or(vertex.name.as_str(), String::as_str);
        let id = format!("{:032x}", xxh3_128(key.as_bytes()));
        first += vertex.chain.len();
        id
    };
    graph.vertices.iter().map(id).collect()
}

/// The id of the group of slots that all vertices of a job share.
pub(crate) fn sharing_group(graph: &JobGraph) -> String {
    format!("{:032x}", xxh3_128(graph.name.as_bytes()))
}
