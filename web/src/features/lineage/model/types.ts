/** What the nodes and edges of a lineage graph carry. */
import type { EntityKind, EntityRef, Granularity } from "@/shared/api/types";
import type { Graph, GraphEdge, GraphNode } from "@/shared/graph/model";

export interface ColumnRow {
  name: string;
  type: string | null;
  description: string | null;
  /** Whether any column edge touches it. */
  linked: boolean;
}

/** How current a dataset or an edge is. */
export interface Freshness {
  /** All data up to this event time is there. */
  completeUpTo: string | null;
  /** Nothing was heard for longer than expected. */
  stale: boolean;
}

export interface LineageNodeData {
  kind: EntityKind;
  ref: EntityRef;
  title: string;
  /** Where it lives, such as `kafka://broker:9092`, or the job of a run. */
  subtitle: string;
  isStart: boolean;
  /** Of the run, the operation, or the last run of the job. */
  status: string | null;
  freshness: Freshness | null;
  /** Rows drawn in the node, each with two ports. */
  columns: ColumnRow[];
  /** All columns known of the dataset. */
  columnCount: number;
  /** Whether all columns are drawn. */
  opened: boolean;
}

export interface FlowData {
  kind: "flow";
  /** From a dataset into a process, out of one, or between datasets. */
  role: "input" | "output" | "derived";
  outputTypes: string[];
  lastAt: string;
  rows: number | null;
  bytes: number | null;
  files: number | null;
  freshness: Freshness | null;
}

export interface ColumnData {
  kind: "column";
  direct: boolean;
  types: string[];
  lastAt: string;
  sourceColumn: string;
  /** `null`: the column decides about whole rows (a filter, a join, a group). */
  targetColumn: string | null;
}

export type LineageEdgeData = FlowData | ColumnData | { kind: "symlink"; types: string[] } | { kind: "parent" };

/** What became of a node or an edge between two moments. */
export type Change = "ADDED" | "REMOVED" | "CHANGED";

export type LineageNode = GraphNode<LineageNodeData>;
export type LineageEdge = GraphEdge<LineageEdgeData>;
export type LineageGraph = Graph<LineageNodeData, LineageEdgeData>;

export interface BuildOptions {
  start: EntityRef;
  granularity: Granularity;
  /** Draw columns and the edges between them. */
  columns: boolean;
  /** Draw indirect column edges (filters, joins, groups) too. */
  indirect: boolean;
  /** Draw parents of jobs and runs, though they touch no dataset. */
  parents: boolean;
  /** Ids of datasets with all columns drawn. */
  opened: ReadonlySet<string>;
  /** Column that must be drawn, though its dataset is not opened. */
  focusColumn: { node: string; column: string } | null;
  /** Status of the last run, by job id. */
  jobStatus: ReadonlyMap<string, string>;
  /** By node id or edge id. */
  freshness: ReadonlyMap<string, Freshness>;
}
