/** From the server's answer about freshness to what nodes and edges show. */
import type { EdgeFreshness, FreshnessAnswer } from "@/shared/api/extensions";
import type { EntityRef } from "@/shared/api/types";
import { groupBy } from "@/shared/graph/reach";
import { nodeId } from "./ids";
import type { Freshness } from "./types";

/**
 * By the id of the node or edge. A job, run or written dataset is silent when all that is open around it is; what has
 * ended says nothing. A server without this answer: nothing.
 */
export function freshnessById(answer: FreshnessAnswer | null): ReadonlyMap<string, Freshness> {
  const byId = new Map<string, Freshness>();
  if (answer === null) return byId;
  const open = answer.items.filter((one) => one.status !== "ENDED");
  for (const [id, edges] of groupBy(open.flatMap(edgesOf), ([id]) => id)) {
    const all = edges.map(([, edge]) => edge);
    byId.set(id, { completeUpTo: leastComplete(all), stale: allStale(all) });
  }
  for (const [id, edges] of groupBy(open.filter((one) => one.direction === "OUTPUT"), (one) => one.dataset_id)) {
    byId.set(nodeId({ kind: "DATASET", id }), { completeUpTo: null, stale: allStale(edges) });
  }
  for (const [id, { complete_up_to: completeUpTo }] of Object.entries(answer.datasets)) {
    const key = nodeId({ kind: "DATASET", id });
    byId.set(key, { completeUpTo, stale: byId.get(key)?.stale ?? false });
  }
  for (const [id, edges] of groupBy(open.flatMap(processesOf), ([id]) => id)) {
    byId.set(id, { completeUpTo: null, stale: allStale(edges.map(([, edge]) => edge)) });
  }
  return byId;
}

/** The drawn edges an item is about: that of the job and that of the run. */
function edgesOf(item: EdgeFreshness): [string, EdgeFreshness][] {
  const dataset = nodeId({ kind: "DATASET", id: item.dataset_id });
  return processesOf(item).map(([process]) => [item.direction === "INPUT" ? `flow ${dataset} ${process}` : `flow ${process} ${dataset}`, item]);
}

function processesOf(item: EdgeFreshness): [string, EdgeFreshness][] {
  const processes: EntityRef[] = [{ kind: "JOB", id: item.job_id }];
  if (item.run_id !== null) processes.push({ kind: "RUN", id: item.run_id });
  return processes.map((ref) => [nodeId(ref), item]);
}

function allStale(items: readonly EdgeFreshness[]): boolean {
  return items.every((one) => one.status === "STALE");
}

/** The slowest decides. */
function leastComplete(items: readonly EdgeFreshness[]): string | null {
  const times = items.flatMap((one) => one.complete_up_to ?? []);
  return times.length === 0 ? null : times.reduce((a, b) => (Date.parse(b) < Date.parse(a) ? b : a));
}
