/** The questions the pages ask, as options of TanStack Query. Keys start with the path, so that a whole kind can be renewed. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { resolveMoment } from "@/shared/time";
import { request, requestWithHeaders, type Query } from "./client";
import type {
  DatasetItem,
  Direction,
  EntityKind,
  Granularity,
  HierarchyAnswer,
  JobItem,
  LineageAnswer,
  LocationItem,
  OperationItem,
  Page,
  PersonalTokenItem,
  RunItem,
  Tag,
} from "./types";

/** The greatest page the server gives. */
export const pageSizeMax = 50;

/** A question as TanStack Query takes it, without the type of its key. */
export interface Question<Answer> {
  queryKey: readonly unknown[];
  queryFn: (context: { signal: AbortSignal }) => Promise<Answer>;
  placeholderData?: typeof keepPreviousData;
}

function page<Item>(path: string, query: Query): Question<Page<Item>> {
  return {
    queryKey: [path, query],
    queryFn: ({ signal }) => request<Page<Item>>(path, { query, signal }),
    placeholderData: keepPreviousData,
  };
}

/** The one item with this id, or `null`. */
function one<Item>(path: string, parameter: string, id: string): Question<Item | null> {
  const query = { [parameter]: [id], page_size: 1 };
  return {
    queryKey: [path, query],
    queryFn: async ({ signal }) => (await request<Page<Item>>(path, { query, signal })).items[0] ?? null,
  };
}

export const datasetsQuery = (query: Query) => page<DatasetItem>("v1/datasets", query);
export const jobsQuery = (query: Query) => page<JobItem>("v1/jobs", query);
export const runsQuery = (query: Query) => page<RunItem>("v1/runs", query);
/** Runs since a moment that may be relative to now (`7d`); empty: all. It counts as the same question as time goes on. */
export const runsSinceQuery = (query: Query, since: string): Question<Page<RunItem>> => ({
  ...runsQuery(query),
  queryKey: ["v1/runs", query, since],
  queryFn: ({ signal }) => request("v1/runs", { query: { ...query, since: since === "" ? null : resolveMoment(since, Date.now()) }, signal }),
});
export const operationsQuery = (query: Query) => page<OperationItem>("v1/operations", query);
export const locationsQuery = (query: Query) => page<LocationItem>("v1/locations", query);
export const tokensQuery = (query: Query) => page<PersonalTokenItem>("v1/personal-tokens", query);

export const datasetQuery = (id: string) => one<DatasetItem>("v1/datasets", "dataset_id", id);
export const jobQuery = (id: string) => one<JobItem>("v1/jobs", "job_id", id);
export const runQuery = (id: string) => one<RunItem>("v1/runs", "run_id", id);
export const operationQuery = (id: string) => one<OperationItem>("v1/operations", "operation_id", id);

/** Jobs by id, for the state of those in a graph; asked in pages. */
export const jobsByIdQuery = (ids: readonly string[]) =>
  queryOptions({
    queryKey: ["v1/jobs", { job_id: ids }],
    enabled: ids.length > 0,
    queryFn: async ({ signal }) => {
      const items: JobItem[] = [];
      for (let start = 0; start < ids.length; start += pageSizeMax) {
        const query = { job_id: ids.slice(start, start + pageSizeMax), page_size: pageSizeMax };
        items.push(...(await request<Page<JobItem>>("v1/jobs", { query, signal })).items);
      }
      return items;
    },
  });

export const tagsQuery = queryOptions({
  queryKey: ["v1/tags"],
  queryFn: async ({ signal }) => {
    const answer = await request<Page<{ id: number; data: Tag }>>("v1/tags", { query: { page_size: pageSizeMax }, signal });
    return answer.items.map((item) => item.data);
  },
});

export const locationTypesQuery = queryOptions({
  queryKey: ["v1/locations/types"],
  queryFn: async ({ signal }) => (await request<{ location_types: string[] }>("v1/locations/types", { signal })).location_types,
});

export const jobTypesQuery = queryOptions({
  queryKey: ["v1/jobs/types"],
  queryFn: async ({ signal }) => (await request<{ job_types: string[] }>("v1/jobs/types", { signal })).job_types,
});

export const meQuery = queryOptions({
  queryKey: ["v1/users/me"],
  queryFn: ({ signal }) => request<{ name: string }>("v1/users/me", { signal }),
  staleTime: 300_000,
});

const collections: Record<EntityKind, string> = { DATASET: "datasets", JOB: "jobs", RUN: "runs", OPERATION: "operations" };

/** Which granularities the server has for a start of each kind; the first is the one the pages begin with. */
export const granularities: Record<EntityKind, readonly Granularity[]> = {
  DATASET: ["JOB", "DATASET", "RUN", "OPERATION"],
  JOB: ["JOB", "RUN"],
  RUN: ["RUN", "OPERATION"],
  OPERATION: ["OPERATION"],
};

export interface LineageQuestion {
  kind: EntityKind;
  id: string;
  granularity: Granularity;
  direction: Direction;
  depth: number;
  since: string;
  until: string | null;
  columns: boolean;
}

/** The granularity to ask with: an expanded node may have fewer than the page. */
function granularityFor({ kind, granularity }: LineageQuestion): Granularity | null {
  const offered = granularities[kind];
  if (kind === "OPERATION") return null;
  return offered.includes(granularity) ? granularity : (offered[0] ?? null);
}

/** Lineage of one entity. The question counts as the same for a minute, though `since` follows the clock. */
export const lineageQuery = (question: LineageQuestion, moment: { since: string; until: string | null }) =>
  queryOptions({
    queryKey: ["v1/lineage", question],
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<LineageAnswer> => {
      const { body, headers } = await requestWithHeaders<LineageAnswer>(`v1/${collections[question.kind]}/lineage`, {
        signal,
        query: {
          start_node_id: question.id,
          granularity: granularityFor(question),
          direction: question.direction,
          depth: question.depth,
          since: moment.since,
          until: moment.until,
          include_column_lineage: question.columns,
        },
      });
      return { ...body, truncated: headers.get("x-lineage-truncated") === "true" };
    },
  });

/** Parents, children and dependencies of a job. */
export const hierarchyQuery = (id: string, depth: number, since: string, infer: boolean) =>
  queryOptions({
    queryKey: ["v1/jobs/hierarchy", id, depth, since, infer],
    queryFn: ({ signal }) =>
      request<HierarchyAnswer>("v1/jobs/hierarchy", { query: { start_node_id: id, depth, direction: "BOTH", infer_from_lineage: infer, since }, signal }),
  });
