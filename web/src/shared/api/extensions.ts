/**
 * Answers beyond Data.Rentgen's. The pages also work against a server without them: a question it does not know is
 * answered with `null`, and what depends on it is not shown.
 */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { resolveMoment } from "@/shared/time";
import { ApiError, request, type Query, type RequestOptions } from "./client";
import type { Dataset, Direction, Job, LineageAnswer, Page, SchemaField } from "./types";

/** The answer, or `null` from a server that has no such path. */
async function askIfKnown<Answer>(path: string, options: RequestOptions): Promise<Answer | null> {
  try {
    return await request<Answer>(path, options);
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 501)) return null;
    throw error;
  }
}

/** What is known of one reading or writing of a dataset by a run. */
export interface EdgeFreshness {
  dataset_id: string;
  job_id: string;
  run_id: string | null;
  direction: "INPUT" | "OUTPUT";
  last_heard_at: string;
  /** All data up to this event time has passed. */
  complete_up_to: string | null;
  status: "LIVE" | "STALE" | "ENDED";
}

export interface FreshnessAnswer {
  items: EdgeFreshness[];
  /** By dataset id: the least of its live writers. */
  datasets: Record<string, { complete_up_to: string }>;
}

/** So many ids fit one address with ease. */
const idsPerQuestion = 200;

/** How far the data of these datasets is complete, and of each edge. */
export const freshnessQuery = (datasetIds: readonly string[]) =>
  queryOptions({
    queryKey: ["v1/freshness", datasetIds],
    enabled: datasetIds.length > 0,
    retry: false,
    queryFn: async ({ signal }) => {
      const whole: FreshnessAnswer = { items: [], datasets: {} };
      for (let start = 0; start < datasetIds.length; start += idsPerQuestion) {
        const query = { dataset_id: datasetIds.slice(start, start + idsPerQuestion) };
        const answer = await askIfKnown<FreshnessAnswer>("v1/freshness", { query, signal });
        if (answer === null) return null;
        whole.items.push(...answer.items);
        Object.assign(whole.datasets, answer.datasets);
      }
      return whole;
    },
  });

/** Something that could not be taken in. */
export interface QuarantinedEvent {
  id: string;
  received_at: string;
  /** `http`, `kafka`, or where else it came from. */
  source: string;
  /** Short name of what is wrong. */
  code: string;
  reason: string;
  /** As it came; the beginning, when it is long. */
  body: string;
  bytes: number;
  /** How often it was tried again. */
  tries: number;
}

/** What was set aside; `null`: the server keeps nothing. */
export const quarantineQuery = (query: Query) =>
  queryOptions({
    queryKey: ["v1/quarantine", query],
    queryFn: ({ signal }) => askIfKnown<Page<QuarantinedEvent>>("v1/quarantine", { query, signal }),
  });

/** Tries to take it in once more. Fails with the reason when it is still bad. */
export async function replayQuarantined(id: string): Promise<void> {
  const answer = await request<{ taken: boolean; reason: string | null }>(`v1/quarantine/${encodeURIComponent(id)}/replay`, { method: "POST" });
  if (!answer.taken) throw new Error(answer.reason ?? "It is still refused.");
}

/** Throws it away. */
export function discardQuarantined(id: string): Promise<void> {
  return request(`v1/quarantine/${encodeURIComponent(id)}`, { method: "DELETE" });
}

/** A step from column to column. */
export interface ColumnHop {
  dataset_id: string;
  column: string;
  types: string[];
  /** How the value is computed, where the producer tells. */
  expression: string | null;
  job_id: string;
}

export interface ColumnPaths {
  paths: ColumnHop[][];
  nodes: { datasets: Record<string, Dataset> };
}

/** Where a column ends up or comes from, from end to end; beyond the depth of a drawn graph. */
export const columnPathsQuery = (datasetId: string, column: string, direction: "UPSTREAM" | "DOWNSTREAM", since: string) =>
  queryOptions({
    queryKey: ["v1/columns/paths", datasetId, column, direction, since],
    queryFn: ({ signal }) =>
      askIfKnown<ColumnPaths>("v1/columns/paths", { query: { dataset_id: datasetId, column, direction, since: resolveMoment(since, Date.now()) }, signal }),
  });

export interface ImpactAnswer {
  datasets: {
    dataset: Dataset | null;
    /** In steps from dataset to dataset. */
    distance: number;
    /** Empty: all of it. */
    columns: string[];
    via_jobs: string[] | null;
    complete_up_to: string | null;
  }[];
  jobs: Job[];
}

/** Who is hit when a dataset, or one column of it, changes or stops. */
export const impactQuery = (datasetId: string, column: string) =>
  queryOptions({
    queryKey: ["v1/impact", datasetId, column],
    queryFn: ({ signal }) => askIfKnown<ImpactAnswer>("v1/impact", { query: { dataset_id: datasetId, column }, signal }),
  });

/** What is asked of the past. */
export interface HistoryQuestion {
  kind: "DATASET" | "JOB";
  id: string;
  granularity: "DATASET" | "JOB";
  direction: Direction;
  depth: number;
  columns: boolean;
  /** Lineage seen in so many hours before a moment belongs to it; 0: only what held at that very moment. */
  within: number;
}

function historyFields({ kind, id, granularity, direction, depth, columns, within }: HistoryQuestion): Query {
  return {
    start_node_kind: kind,
    start_node_id: id,
    granularity,
    direction,
    depth,
    include_column_lineage: columns,
    lookback_hours: within,
  };
}

/** Empty is now, which the server knows better. */
function momentOf(text: string): string | null {
  return text === "" ? null : resolveMoment(text, Date.now());
}

/** Lineage as of a moment; empty: now. */
export const snapshotQuery = (question: HistoryQuestion, at: string) =>
  queryOptions({
    queryKey: ["v1/lineage/snapshot", question, at],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => askIfKnown<LineageAnswer>("v1/lineage/snapshot", { query: { ...historyFields(question), at: momentOf(at) }, signal }),
  });

/** What the later of two moments has and the earlier has not, and the reverse. */
export interface LineageDifference {
  added: LineageAnswer;
  removed: LineageAnswer;
}

/** What came and what went between two moments; empty: now. */
export const differenceQuery = (question: HistoryQuestion, from: string, to: string) =>
  queryOptions({
    queryKey: ["v1/lineage/diff", question, from, to],
    enabled: from !== "",
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => askIfKnown<LineageDifference>("v1/lineage/diff", { query: { ...historyFields(question), from: momentOf(from), to: momentOf(to) }, signal }),
  });

export interface SchemaVersion {
  schema_id: string;
  fields: SchemaField[];
  direction: "INPUT" | "OUTPUT";
  first_seen_at: string;
  last_seen_at: string;
  first_run_id: string | null;
  /** `INITIAL`, or what the change means for readers. */
  verdict: string;
  changes: string[];
}

/** Every schema a dataset had. */
export const schemasQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ["v1/datasets/schemas", datasetId],
    queryFn: ({ signal }) => askIfKnown<{ items: SchemaVersion[] }>(`v1/datasets/${encodeURIComponent(datasetId)}/schemas`, { signal }),
  });

/** An event as a producer sent it. */
export interface StoredEvent {
  id: string;
  received_at: string;
  event: { eventType?: string; eventTime?: string; producer?: string } | null;
}

/** The events of a run, newest first. */
export const eventsQuery = (runId: string, page: number) =>
  queryOptions({
    queryKey: ["v1/events", runId, page],
    queryFn: ({ signal }) => askIfKnown<Page<StoredEvent>>("v1/events", { query: { run_id: runId, page, page_size: 10 }, signal }),
  });
