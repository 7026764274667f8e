/** An answer for tests, in the shape the server gives: two sources, a job with a run and an operation, a sink with another name. */
import type { BuildOptions } from "./types";
import type { Dataset, EntityKind, EntityRef, FlowRelation, LineageAnswer } from "@/shared/api/types";

export const at = "2026-11-02T09:00:00Z";

export function ref(kind: EntityKind, id: string): EntityRef {
  return { kind, id };
}

const location = { id: "1", type: "kafka", name: "broker:9092", addresses: [{ url: "kafka://broker:9092" }], external_id: null };

function dataset(id: string, name: string, columns: string[]): Dataset {
  const schema = columns.length === 0 ? null : { id, fields: columns.map((column) => ({ name: column, type: "STRING" })) };
  return { id, location, name, external_id: null, external_url: null, schema };
}

export function flow(from: EntityRef, to: EntityRef, rows: number | null = null): FlowRelation {
  return { from, to, last_interaction_at: at, num_rows: rows, num_bytes: null, num_files: null, ...(from.kind === "DATASET" ? {} : { types: ["APPEND"] }) };
}

const process = [ref("JOB", "1"), ref("RUN", "r"), ref("OPERATION", "o")];

/** Granularity OPERATION: the server repeats every edge at each level. */
export function sample(): LineageAnswer {
  const column = (field: string, type: string) => ({ field, types: [type], last_used_at: at });
  return {
    relations: {
      parents: [
        { from: ref("JOB", "9"), to: ref("JOB", "1") },
        { from: ref("JOB", "1"), to: ref("RUN", "r") },
        { from: ref("RUN", "r"), to: ref("OPERATION", "o") },
      ],
      symlinks: [
        { from: ref("DATASET", "3"), to: ref("DATASET", "4"), type: "METASTORE" },
        { from: ref("DATASET", "4"), to: ref("DATASET", "3"), type: "WAREHOUSE" },
      ],
      inputs: process.flatMap((one) => [flow(ref("DATASET", "1"), one, 100), flow(ref("DATASET", "2"), one)]),
      outputs: process.map((one) => flow(one, ref("DATASET", "3"), 10)),
      direct_column_lineage: [
        { from: ref("DATASET", "1"), to: ref("DATASET", "3"), fields: { total: [column("amount", "AGGREGATION")], who: [column("user", "IDENTITY")] } },
      ],
      indirect_column_lineage: [{ from: ref("DATASET", "2"), to: ref("DATASET", "3"), fields: [column("id", "JOIN")] }],
    },
    nodes: {
      datasets: {
        1: dataset("1", "orders", ["amount", "user", "note"]),
        2: dataset("2", "users", ["id", "name"]),
        3: dataset("3", "totals", ["total", "who"]),
        4: dataset("4", "warehouse.totals", []),
      },
      jobs: {
        1: { id: "1", location, name: "aggregate", type: "HEADWATER_JOB" },
        9: { id: "9", location, name: "nightly", type: "AIRFLOW_DAG" },
      },
      runs: { r: { id: "r", created_at: at, job_id: "1", status: "STARTED" } },
      operations: { o: { id: "o", created_at: at, run_id: "r", status: "STARTED", name: "insert", type: "STREAMING", position: null, group: null, description: null, sql_query: null, started_at: at, ended_at: null } },
    },
  };
}

export function options(change: Partial<BuildOptions> = {}): BuildOptions {
  return {
    start: ref("DATASET", "1"),
    granularity: "JOB",
    columns: false,
    indirect: true,
    parents: false,
    opened: new Set(),
    focusColumn: null,
    jobStatus: new Map(),
    freshness: new Map(),
    ...change,
  };
}
