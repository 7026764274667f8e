/** Several lineage answers as one: the first question and one for each node the user expanded. */
import type { EntityRef, FlowRelation, LineageAnswer, SourceColumn } from "@/shared/api/types";
import { nodeId } from "./ids";

/** An answer with nothing in it. */
export function emptyAnswer(): LineageAnswer {
  return {
    relations: { parents: [], symlinks: [], inputs: [], outputs: [], direct_column_lineage: [], indirect_column_lineage: [] },
    nodes: { datasets: {}, jobs: {}, runs: {}, operations: {} },
  };
}

/** The union by identity. Of a relation in several answers the one used last counts; sets of columns are joined. */
export function mergeAnswers(answers: readonly LineageAnswer[]): LineageAnswer {
  const [only] = answers;
  if (answers.length === 1 && only) return only;
  const merged = emptyAnswer();
  for (const { nodes } of answers) {
    // A dataset may come with a schema in one answer and without in another.
    for (const [id, dataset] of Object.entries(nodes.datasets)) {
      const known = merged.nodes.datasets[id];
      merged.nodes.datasets[id] = known?.schema && !dataset.schema ? known : dataset;
    }
    Object.assign(merged.nodes.jobs, nodes.jobs);
    Object.assign(merged.nodes.runs, nodes.runs);
    Object.assign(merged.nodes.operations, nodes.operations);
  }
  merged.truncated = answers.some((answer) => answer.truncated);
  const all = answers.map((answer) => answer.relations);
  merged.relations = {
    parents: unique(all.flatMap((one) => one.parents), between),
    symlinks: unique(all.flatMap((one) => one.symlinks), (one) => `${between(one)} ${one.type}`),
    inputs: unique(all.flatMap((one) => one.inputs), between, newest),
    outputs: unique(all.flatMap((one) => one.outputs), between, newest),
    direct_column_lineage: unique(all.flatMap((one) => one.direct_column_lineage), between, (a, b) => ({
      ...a,
      fields: joinTargets(a.fields ?? {}, b.fields ?? {}),
    })),
    indirect_column_lineage: unique(all.flatMap((one) => one.indirect_column_lineage), between, (a, b) => ({
      ...a,
      fields: joinColumns(a.fields ?? [], b.fields ?? []),
    })),
  };
  return merged;
}

function between(relation: { from: EntityRef; to: EntityRef }): string {
  return `${nodeId(relation.from)} ${nodeId(relation.to)}`;
}

function newest(a: FlowRelation, b: FlowRelation): FlowRelation {
  return Date.parse(b.last_interaction_at) > Date.parse(a.last_interaction_at) ? b : a;
}

function unique<Item>(items: readonly Item[], key: (item: Item) => string, join?: (a: Item, b: Item) => Item): Item[] {
  const byKey = new Map<string, Item>();
  for (const item of items) {
    const known = byKey.get(key(item));
    byKey.set(key(item), known === undefined ? item : join ? join(known, item) : known);
  }
  return [...byKey.values()];
}

function joinTargets(a: Record<string, SourceColumn[]>, b: Record<string, SourceColumn[]>): Record<string, SourceColumn[]> {
  const joined = { ...a };
  for (const [target, columns] of Object.entries(b)) joined[target] = joinColumns(joined[target] ?? [], columns);
  return joined;
}

function joinColumns(a: readonly SourceColumn[], b: readonly SourceColumn[]): SourceColumn[] {
  return unique([...a, ...b], (column) => column.field, (x, y) => ({
    field: x.field,
    types: [...new Set([...x.types, ...y.types])],
    last_used_at: x.last_used_at > y.last_used_at ? x.last_used_at : y.last_used_at,
  }));
}
