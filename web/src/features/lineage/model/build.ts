/**
 * From the answer of the server to the graph that is drawn. Pure: the same answer and options give the same graph.
 *
 * The server repeats every interaction at each level up to the granularity (an edge of the job and one of the run); only
 * the finest is drawn. Parents and symlinks come as relations of their own.
 */
import type { EntityRef, FlowRelation, Job, LineageAnswer, Location, SymlinkRelation } from "@/shared/api/types";
import { formatMoment } from "@/shared/format";
import { attachEdges, columnEdges, columnsOf, drawnColumns } from "./columns";
import { nodeId } from "./ids";
import type { BuildOptions, ColumnRow, FlowData, LineageEdge, LineageGraph, LineageNode, LineageNodeData } from "./types";

/** Sizes in pixels; the style sheet of the nodes agrees with them. */
export const nodeSize = { width: 216, headerHeight: 58, columnHeight: 22, footerHeight: 24 } as const;

/** Builds the graph. */
export function buildGraph(answer: LineageAnswer, options: BuildOptions): LineageGraph {
  const flows = flowEdges(answer, options);
  const extra = [...symlinkEdges(answer), ...(options.parents ? parentEdges(answer) : [])];
  const drawn = drawnIds(answer, flows, extra, options);
  const among = (edge: LineageEdge): boolean => drawn.has(edge.source) && drawn.has(edge.target);
  const allColumnEdges = columnEdges(answer, true).filter(among);
  const all = columnsOf(answer, allColumnEdges);
  const nodes = [...drawn].flatMap((id) => node(id, answer, all.get(id) ?? [], options) ?? []);
  const rows = new Map(nodes.map((one) => [one.id, new Set(one.data.columns.map((column) => column.name))]));
  const columns = options.columns
    ? attachEdges(allColumnEdges.filter((edge) => options.indirect || isDirect(edge)), rows)
    : [];
  return { nodes, edges: [...flows.filter(among), ...extra.filter(among), ...columns] };
}

function isDirect(edge: LineageEdge): boolean {
  return edge.data.kind === "column" && edge.data.direct;
}

function flowEdges(answer: LineageAnswer, options: BuildOptions): LineageEdge[] {
  const { inputs, outputs } = answer.relations;
  return [
    ...inputs.filter((one) => one.to.kind === options.granularity).map((one) => flowEdge(one, one.from.kind === one.to.kind ? "derived" : "input", options)),
    ...outputs.filter((one) => one.from.kind === options.granularity).map((one) => flowEdge(one, "output", options)),
  ];
}

function flowEdge(relation: FlowRelation, role: FlowData["role"], options: BuildOptions): LineageEdge {
  const source = nodeId(relation.from);
  const target = nodeId(relation.to);
  const id = flowId(relation);
  return {
    id,
    source,
    target,
    data: {
      kind: "flow",
      role,
      outputTypes: relation.types ?? [],
      lastAt: relation.last_interaction_at,
      rows: relation.num_rows ?? null,
      bytes: relation.num_bytes ?? null,
      files: relation.num_files ?? null,
      freshness: options.freshness.get(id) ?? null,
    },
  };
}

/** The id of the edge of a flow. */
export function flowId({ from, to }: Pick<FlowRelation, "from" | "to">): string {
  return `flow ${nodeId(from)} ${nodeId(to)}`;
}

/** The id of the edge between two names: the same in both directions. */
export function symlinkId({ from, to }: Pick<SymlinkRelation, "from" | "to">): string {
  const [source, target] = [nodeId(from), nodeId(to)].sort();
  return `symlink ${source ?? ""} ${target ?? ""}`;
}

/** One edge for each pair of datasets; the server gives both directions. */
function symlinkEdges(answer: LineageAnswer): LineageEdge[] {
  const byPair = new Map<string, LineageEdge>();
  for (const { from, to, type } of answer.relations.symlinks) {
    const [source, target] = [nodeId(from), nodeId(to)].sort() as [string, string];
    const id = symlinkId({ from, to });
    const known = byPair.get(id);
    const types = known?.data.kind === "symlink" ? [...known.data.types, type] : [type];
    byPair.set(id, { id, source, target, data: { kind: "symlink", types } });
  }
  return [...byPair.values()];
}

function parentEdges(answer: LineageAnswer): LineageEdge[] {
  return answer.relations.parents.map(({ from, to }) => ({
    id: `parent ${nodeId(from)} ${nodeId(to)}`,
    source: nodeId(from),
    target: nodeId(to),
    data: { kind: "parent" },
  }));
}

/** The start, what an edge touches, and lone datasets of the answer. */
function drawnIds(answer: LineageAnswer, flows: LineageEdge[], extra: LineageEdge[], options: BuildOptions): Set<string> {
  const drawn = new Set<string>();
  if (exists(options.start, answer)) drawn.add(nodeId(options.start));
  for (const edge of flows) drawn.add(edge.source).add(edge.target);
  if (options.parents) for (const edge of extra) if (edge.data.kind === "parent") drawn.add(edge.source).add(edge.target);
  for (const id of Object.keys(answer.nodes.datasets)) drawn.add(nodeId({ kind: "DATASET", id }));
  // A run that was started from lives on as its operations, a job as its runs: then the start itself has no edge.
  const start = nodeId(options.start);
  const touched = [...flows, ...extra].some((edge) => edge.source === start || edge.target === start);
  if (!touched && options.start.kind !== "DATASET" && drawn.size > 1) drawn.delete(start);
  return drawn;
}

function exists(ref: EntityRef, { nodes }: LineageAnswer): boolean {
  const byKind = { DATASET: nodes.datasets, JOB: nodes.jobs, RUN: nodes.runs, OPERATION: nodes.operations };
  return ref.id in byKind[ref.kind];
}

function node(id: string, answer: LineageAnswer, all: ColumnRow[], options: BuildOptions): LineageNode | null {
  const text = describe(id, answer, options);
  if (text === null) return null;
  const columns = drawnColumns(id, all, options);
  const freshness = options.freshness.get(id) ?? null;
  const silent = text.status === "STARTED" && freshness?.stale;
  const opened = options.opened.has(id);
  const data: LineageNodeData = {
    ...text,
    status: silent ? "STALE" : text.status,
    isStart: id === nodeId(options.start),
    // Of a process, the state says it already.
    freshness: text.kind === "DATASET" ? freshness : null,
    columns,
    columnCount: all.length,
    opened,
  };
  const footer = all.length > 0 ? nodeSize.footerHeight : 0;
  return { id, width: nodeSize.width, height: nodeSize.headerHeight + columns.length * nodeSize.columnHeight + footer, data };
}

type Description = Pick<LineageNodeData, "kind" | "ref" | "title" | "subtitle" | "status">;

function describe(id: string, { nodes }: LineageAnswer, options: BuildOptions): Description | null {
  const colon = id.indexOf(":");
  const ref = { kind: id.slice(0, colon), id: id.slice(colon + 1) } as EntityRef;
  const base = { kind: ref.kind, ref };
  switch (ref.kind) {
    case "DATASET": {
      const dataset = nodes.datasets[ref.id];
      return dataset ? { ...base, title: dataset.name, subtitle: locationText(dataset.location), status: null } : null;
    }
    case "JOB": {
      const job = nodes.jobs[ref.id];
      return job ? { ...base, title: job.name, subtitle: locationText(job.location), status: options.jobStatus.get(ref.id) ?? null } : null;
    }
    case "RUN": {
      const run = nodes.runs[ref.id];
      if (!run) return null;
      return { ...base, title: jobName(nodes.jobs[run.job_id]), subtitle: formatMoment(run.started_at ?? run.created_at), status: run.status };
    }
    case "OPERATION": {
      const operation = nodes.operations[ref.id];
      if (!operation) return null;
      const run = nodes.runs[operation.run_id];
      return { ...base, title: operation.name, subtitle: run ? jobName(nodes.jobs[run.job_id]) : operation.type, status: operation.status };
    }
  }
}

function jobName(job: Job | undefined): string {
  return job?.name ?? "job not in this answer";
}

/** `kafka://broker:9092`. */
export function locationText(location: Location): string {
  return `${location.type}://${location.name}`;
}
