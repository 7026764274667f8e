/**
 * Layered layout, left to right. Runs in a worker (`layout.worker.ts`), as a large graph takes longer than a frame.
 */
import { Graph, layout } from "@dagrejs/dagre";
import type { Position, Topology } from "./model";

/** Distances in pixels. */
const spacing = { nodesep: 26, ranksep: 84, edgesep: 12, marginx: 24, marginy: 24 };

/** From this many nodes on a faster assignment of layers is used, with slightly longer edges. */
const manyNodes = 200;

/** Left upper corners by node id. Parallel edges count once; edges to absent nodes and loops are left out. */
export function layeredLayout(topology: Topology): Map<string, Position> {
  const graph = new Graph({ directed: true });
  graph.setGraph({ rankdir: "LR", ranker: topology.nodes.length < manyNodes ? "network-simplex" : "tight-tree", ...spacing });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of topology.nodes) graph.setNode(id, { width, height });
  for (const { source, target } of topology.edges) {
    if (source !== target && graph.hasNode(source) && graph.hasNode(target)) graph.setEdge(source, target, {});
  }
  layout(graph);
  const positions = new Map<string, Position>();
  for (const { id, width, height } of topology.nodes) {
    const { x, y } = graph.node(id) as Position;
    positions.set(id, { x: x - width / 2, y: y - height / 2 });
  }
  return positions;
}
