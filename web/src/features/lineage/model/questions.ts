import type { LineageQuestion } from "@/shared/api/queries";

/** A dataset with its schema, and the jobs that touch it, at any time. */
export function wholeDatasetQuestion(id: string): LineageQuestion {
  return { kind: "DATASET", id, granularity: "JOB", direction: "BOTH", depth: 1, since: "all", until: null, columns: false };
}
