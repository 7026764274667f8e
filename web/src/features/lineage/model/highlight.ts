/** What stays bright when a node or a column is selected: every path through it. */
import { pathsThrough, type Link } from "@/shared/graph/reach";
import { columnId, type Focus } from "./ids";
import type { LineageEdge, LineageGraph } from "./types";

export interface Highlight {
  nodes: ReadonlySet<string>;
  edges: ReadonlySet<string>;
  /** Column ids. */
  columns: ReadonlySet<string>;
}

/** `null`: nothing selected, or what is selected is not in the graph; then everything is bright. */
export function highlight(graph: LineageGraph, focus: Focus | null): Highlight | null {
  if (focus === null || !graph.nodes.some((node) => node.id === focus.node)) return null;
  return focus.column === null ? throughNode(graph, focus.node) : throughColumn(graph, focus.node, focus.column);
}

function throughNode(graph: LineageGraph, node: string): Highlight {
  const reach = pathsThrough(node, graph.edges.filter((edge) => edge.data.kind !== "column").flatMap(bothWaysIfSymlink));
  const edges = new Set(reach.links);
  for (const edge of graph.edges) {
    if (edge.data.kind === "column" && reach.places.has(edge.source) && reach.places.has(edge.target)) edges.add(edge.id);
  }
  return { nodes: reach.places, edges, columns: new Set() };
}

/** Two names of one dataset: the paths of one are the paths of the other. */
function bothWaysIfSymlink(edge: LineageEdge): Link[] {
  if (edge.data.kind !== "symlink") return [edge];
  return [edge, { id: edge.id, source: edge.target, target: edge.source }];
}

function throughColumn(graph: LineageGraph, node: string, column: string): Highlight {
  const columnEdges = graph.edges.filter((edge) => edge.data.kind === "column");
  const reach = pathsThrough(columnId(node, column), columnEdges.map(columnLink), upstreamLinks(graph, columnEdges));
  const nodes = new Set([node]);
  for (const place of reach.places) nodes.add(place.split("#", 1)[0] ?? place);
  const pairs = new Set(columnEdges.filter((edge) => reach.links.has(edge.id)).map((edge) => `${edge.source} ${edge.target}`));
  const edges = new Set(reach.links);
  for (const { process, flows } of processesBetween(graph, pairs)) {
    nodes.add(process);
    for (const flow of flows) edges.add(flow);
  }
  return { nodes, edges, columns: new Set([...reach.places].filter((place) => place.includes("#"))) };
}

function columnLink(edge: LineageEdge): Link {
  const { data } = edge;
  if (data.kind !== "column") return edge;
  const target = data.targetColumn === null ? edge.target : columnId(edge.target, data.targetColumn);
  return { id: edge.id, source: columnId(edge.source, data.sourceColumn), target };
}

/**
 * Against the flow, a column that decides about rows is a source of every column of the target. With the flow it is not
 * followed beyond the target: otherwise each filter would light up the whole graph.
 */
function upstreamLinks(graph: LineageGraph, columnEdges: readonly LineageEdge[]): Link[] {
  const columnsOf = new Map(graph.nodes.map((one) => [one.id, one.data.columns]));
  return columnEdges.flatMap((edge) => {
    const link = columnLink(edge);
    if (edge.data.kind !== "column" || edge.data.direct) return [link];
    const targets = columnsOf.get(edge.target) ?? [];
    return targets.map((column) => ({ ...link, target: columnId(edge.target, column.name) }));
  });
}

/** Jobs, runs or operations that read the first and write the second dataset of a pair, with the flows they do it by. */
function processesBetween(graph: LineageGraph, pairs: ReadonlySet<string>): { process: string; flows: string[] }[] {
  const flows = graph.edges.filter((edge) => edge.data.kind === "flow");
  const found: { process: string; flows: string[] }[] = [];
  for (const read of flows) {
    for (const write of flows) {
      if (read.target === write.source && pairs.has(`${read.source} ${write.target}`)) {
        found.push({ process: read.target, flows: [read.id, write.id] });
      }
    }
  }
  return found;
}
