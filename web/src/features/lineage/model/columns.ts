/** Which columns of a dataset are drawn, and the edges between columns. */
import type { DatasetSchema, LineageAnswer, SchemaField } from "@/shared/api/types";
import { groupBy } from "@/shared/graph/reach";
import { columnId, nodeId } from "./ids";
import type { BuildOptions, ColumnData, ColumnRow, LineageEdge } from "./types";

/** Nested fields deeper than this are left out; no schema of a sane dataset is. */
const maxNesting = 12;

/** More columns than this are drawn only in an opened dataset. */
export const columnsDrawnMax = 12;

/** Nested fields stand under dotted names, after the field that holds them. */
export function flattenSchema(schema: DatasetSchema | null | undefined): Omit<ColumnRow, "linked">[] {
  const rows: Omit<ColumnRow, "linked">[] = [];
  const visit = (fields: readonly SchemaField[], prefix: string, depth: number): void => {
    for (const field of fields) {
      const name = prefix + field.name;
      rows.push({ name, type: field.type ?? null, description: field.description ?? null });
      if (depth < maxNesting) visit(field.fields ?? [], `${name}.`, depth + 1);
    }
  };
  visit(schema?.fields ?? [], "", 0);
  return rows;
}

/** The column edges of an answer, one for each pair of columns. Indirect ones enter the whole dataset. */
export function columnEdges(answer: LineageAnswer, indirect: boolean): LineageEdge[] {
  const edges: LineageEdge[] = [];
  for (const { from, to, fields } of answer.relations.direct_column_lineage) {
    for (const [target, sources] of Object.entries(fields ?? {})) {
      for (const source of sources) {
        edges.push(edge(nodeId(from), nodeId(to), { direct: true, types: source.types, lastAt: source.last_used_at, sourceColumn: source.field, targetColumn: target }));
      }
    }
  }
  if (!indirect) return edges;
  for (const { from, to, fields } of answer.relations.indirect_column_lineage) {
    for (const source of fields ?? []) {
      edges.push(edge(nodeId(from), nodeId(to), { direct: false, types: source.types, lastAt: source.last_used_at, sourceColumn: source.field, targetColumn: null }));
    }
  }
  return edges;
}

function edge(source: string, target: string, data: Omit<ColumnData, "kind">): LineageEdge {
  const end = data.targetColumn === null ? target : columnId(target, data.targetColumn);
  return {
    id: `column ${columnId(source, data.sourceColumn)} ${end}`,
    source,
    target,
    sourcePort: data.sourceColumn,
    ...(data.targetColumn === null ? {} : { targetPort: data.targetColumn }),
    data: { kind: "column", ...data },
  };
}

/** All columns of each dataset: those of its schema, then those only lineage speaks of. */
export function columnsOf(answer: LineageAnswer, edges: readonly LineageEdge[]): Map<string, ColumnRow[]> {
  const mentioned = new Map<string, Set<string>>();
  const mention = (dataset: string, column: string | undefined): void => {
    if (column === undefined) return;
    const set = mentioned.get(dataset) ?? new Set();
    mentioned.set(dataset, set.add(column));
  };
  for (const one of edges) {
    mention(one.source, one.sourcePort);
    mention(one.target, one.targetPort);
  }
  const columns = new Map<string, ColumnRow[]>();
  for (const dataset of Object.values(answer.nodes.datasets)) {
    const id = nodeId({ kind: "DATASET", id: dataset.id });
    const linked = mentioned.get(id) ?? new Set<string>();
    const rows = flattenSchema(dataset.schema).map((row) => ({ ...row, linked: linked.has(row.name) }));
    const known = new Set(rows.map((row) => row.name));
    for (const name of linked) if (!known.has(name)) rows.push({ name, type: null, description: null, linked: true });
    columns.set(id, rows);
  }
  return columns;
}

/** Which of the columns are drawn: all in an opened dataset, else in the column view those with lineage first. */
export function drawnColumns(id: string, all: readonly ColumnRow[], options: BuildOptions): ColumnRow[] {
  if (options.opened.has(id)) return [...all];
  if (!options.columns) return [];
  if (all.length <= columnsDrawnMax) return [...all];
  const focus = options.focusColumn?.node === id ? options.focusColumn.column : null;
  const chosen = new Set(all.filter((row) => row.linked || row.name === focus).slice(0, columnsDrawnMax));
  const focused = all.find((row) => row.name === focus);
  if (focused) chosen.add(focused);
  return all.filter((row) => chosen.has(row));
}

/** Edges whose column is not drawn attach to the dataset as a whole; then one edge for each pair is enough. */
export function attachEdges(edges: readonly LineageEdge[], drawn: ReadonlyMap<string, ReadonlySet<string>>): LineageEdge[] {
  const attached = edges.map((one) => {
    const { sourcePort, targetPort, ...rest } = one;
    const from = sourcePort !== undefined && drawn.get(one.source)?.has(sourcePort) ? { sourcePort } : {};
    const to = targetPort !== undefined && drawn.get(one.target)?.has(targetPort) ? { targetPort } : {};
    return { ...rest, ...from, ...to };
  });
  const whole = (one: LineageEdge): boolean => one.sourcePort === undefined && (one.targetPort === undefined);
  const grouped = groupBy(attached.filter(whole), (one) => `${one.source} ${one.target}`);
  return [...attached.filter((one) => !whole(one)), ...[...grouped.values()].flatMap((group) => group.slice(0, 1))];
}
