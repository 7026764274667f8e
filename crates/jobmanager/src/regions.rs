//! Pipelined regions: the connected parts of a graph. What one of them does never reaches another, so a failure
//! restarts its own region only.

use headwater_plan::JobGraph;
use headwater_types::ids::{SubtaskId, VertexId};

/// The subtasks of each region, in plan order.
pub(crate) fn regions(graph: &JobGraph) -> Vec<Vec<SubtaskId>> {
    let mut region_of: Vec<usize> = (0..graph.vertices.len()).collect();
    for edge in &graph.edges {
        let (Some(a), Some(b)) = (region_of.get(at(edge.source)).copied(), region_of.get(at(edge.target)).copied())
        else {
            continue;
        };
        let (from, to) = (a.max(b), a.min(b));
        region_of.iter_mut().filter(|region| **region == from).for_each(|region| *region = to);
    }
    let mut regions: Vec<(usize, Vec<SubtaskId>)> = vec![];
    for vertex in &graph.vertices {
        let region = region_of[at(vertex.id)];
        let subtasks = (0..vertex.parallelism).map(|index| SubtaskId { vertex: vertex.id, index });
        match regions.iter_mut().find(|(id, _)| *id == region) {
            Some((_, members)) => members.extend(subtasks),
            None => regions.push((region, subtasks.collect())),
        }
    }
    regions.into_iter().map(|(_, subtasks)| subtasks).collect()
}

fn at(vertex: VertexId) -> usize {
    vertex.0 as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_plan::Partitioning;
    use headwater_runtime::testing::{GraphBuilder, sink, source};

    #[test]
    fn connected_vertices_share_a_region() {
        let mut graph = GraphBuilder::new();
        let a = graph.vertex(2, vec![source(&[])]);
        graph.vertex(1, vec![source(&[]), sink(&[])]);
        let c = graph.vertex(1, vec![source(&[])]);
        let d = graph.vertex(1, vec![sink(&[])]);
        graph.edge(a, d, Partitioning::Rebalance);
        graph.edge(c, d, Partitioning::Rebalance);
        let vertices = |region: &Vec<SubtaskId>| region.iter().map(|s| (s.vertex.0, s.index)).collect::<Vec<_>>();
        let regions: Vec<_> = regions(&graph.build()).iter().map(vertices).collect();
        assert_eq!(regions, [vec![(0, 0), (0, 1), (2, 0), (3, 0)], vec![(1, 0)]]);
    }
}
