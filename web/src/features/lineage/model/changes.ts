/** What the difference of two moments means for the nodes and edges of a graph. */
import type { LineageDifference } from "@/shared/api/extensions";
import type { EntityKind, LineageAnswer } from "@/shared/api/types";
import { columnEdges } from "./columns";
import { flowId, symlinkId } from "./build";
import { nodeId } from "./ids";
import { mergeAnswers } from "./merge";
import type { Change, LineageGraph } from "./types";

/** The later graph with what is gone from it. */
export function withRemoved(after: LineageAnswer, { removed }: LineageDifference): LineageAnswer {
  // The later answer comes last: of a dataset that changed it has the schema of today.
  return { ...mergeAnswers([removed, after]), truncated: after.truncated ?? false };
}

/** By the id of a node or an edge. What is on both sides with different content changed. */
export function changesOf({ added, removed }: LineageDifference): Map<string, Change> {
  const changes = new Map<string, Change>();
  const [after, before] = [contents(added), contents(removed)];
  for (const [id, content] of after) {
    const other = before.get(id);
    if (other === undefined) changes.set(id, "ADDED");
    else if (other !== content || content === schemaDiffers) changes.set(id, "CHANGED");
  }
  for (const id of before.keys()) if (!after.has(id)) changes.set(id, "REMOVED");
  return changes;
}

/** The server tells a dataset on both sides only when its schema differs. */
const schemaDiffers = "schema";

/** Nodes and edges by id, with a text that differs when they do. */
function contents({ nodes, relations }: LineageAnswer): Map<string, string> {
  const found = new Map<string, string>();
  const byKind: [EntityKind, Record<string, unknown>][] = [
    ["DATASET", nodes.datasets],
    ["JOB", nodes.jobs],
    ["RUN", nodes.runs],
    ["OPERATION", nodes.operations],
  ];
  for (const [kind, all] of byKind) for (const id of Object.keys(all)) found.set(nodeId({ kind, id }), schemaDiffers);
  for (const flow of [...relations.inputs, ...relations.outputs]) found.set(flowId(flow), "");
  for (const link of relations.symlinks) found.set(symlinkId(link), "");
  // A pair of datasets is told as a whole when one of its columns differs: most columns are on both sides.
  for (const edge of columnEdges({ nodes, relations }, true)) {
    if (edge.data.kind === "column") found.set(edge.id, [...edge.data.types].sort().join());
  }
  return found;
}

/** How many nodes and edges of the graph came, went and changed, in words; empty: none. */
export function changesText(changes: ReadonlyMap<string, Change>, graph: LineageGraph): string {
  const drawn = new Set([...graph.nodes, ...graph.edges].map((one) => one.id));
  const count = (change: Change): number => [...changes].filter(([id, one]) => one === change && drawn.has(id)).length;
  const parts: [number, string][] = [
    [count("ADDED"), "added"],
    [count("REMOVED"), "removed"],
    [count("CHANGED"), "changed"],
  ];
  return parts.flatMap(([number, word]) => (number === 0 ? [] : [`${number} ${word}`])).join(", ");
}

/** In one word. */
export const changeLabels: Record<Change, string> = { ADDED: "added", REMOVED: "removed", CHANGED: "changed" };
