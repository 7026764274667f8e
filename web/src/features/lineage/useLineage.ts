/** All answers a lineage page needs, as one graph. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { freshnessQuery } from "@/shared/api/extensions";
import { jobsByIdQuery, lineageQuery, type LineageQuestion } from "@/shared/api/queries";
import type { EntityRef, LineageAnswer } from "@/shared/api/types";
import { resolveMoment } from "@/shared/time";
import { buildGraph } from "./model/build";
import { freshnessById } from "./model/freshness";
import { parseFocus } from "./model/ids";
import { emptyAnswer, mergeAnswers } from "./model/merge";
import type { LineageGraph } from "./model/types";
import type { LineageView } from "./model/view";

export interface Lineage {
  answer: LineageAnswer;
  graph: LineageGraph;
  loading: boolean;
  /** The first answer is there, a newer one is on its way. */
  renewing: boolean;
  error: Error | null;
  retry: () => void;
}

/** Asks for the start and each expanded node, and for the state and freshness of what comes back. */
export function useLineage(start: EntityRef, view: LineageView): Lineage {
  const questions = useMemo(() => questionsOf(start, view), [start, view]);
  const results = useQueries({
    queries: questions.map((question) => ({
      ...lineageQuery(question, moments(view)),
    })),
    combine: (all) => ({
      data: all.flatMap((one) => (one.data ? [one.data] : [])),
      first: all[0],
      error: all.find((one) => one.error)?.error ?? null,
      fetching: all.some((one) => one.isFetching),
      retry: () => all.forEach((one) => void one.refetch()),
    }),
  });
  const answer = useMemo(() => (results.data.length === 0 ? emptyAnswer() : mergeAnswers(results.data)), [results.data]);
  const jobStatus = useJobStatus(answer);
  const datasetIds = useMemo(() => Object.keys(answer.nodes.datasets).sort(), [answer]);
  const freshnessAnswer = useQuery(freshnessQuery(datasetIds)).data;
  const freshness = useMemo(() => freshnessById(freshnessAnswer ?? null), [freshnessAnswer]);
  const graph = useMemo(() => {
    const focus = parseFocus(view.focus);
    return buildGraph(answer, {
      start,
      granularity: view.granularity,
      columns: view.columns,
      indirect: view.indirect,
      parents: view.parents,
      opened: new Set(view.open),
      focusColumn: focus?.column ? { node: focus.node, column: focus.column } : null,
      jobStatus,
      freshness,
    });
  }, [answer, start, view, jobStatus, freshness]);
  return {
    answer,
    graph,
    loading: results.first?.data === undefined && results.error === null,
    renewing: results.fetching && results.first?.data !== undefined,
    error: results.error,
    retry: results.retry,
  };
}

function moments(view: LineageView): { since: string; until: string | null } {
  const now = Date.now();
  return { since: resolveMoment(view.since, now), until: view.until === "" ? null : resolveMoment(view.until, now) };
}

function questionsOf(start: EntityRef, view: LineageView): LineageQuestion[] {
  const common = {
    granularity: view.granularity,
    since: view.since,
    until: view.until === "" ? null : view.until,
    columns: view.columns,
  };
  const expanded = view.expand.flatMap((text) => parseFocus(text)?.ref ?? []);
  return [
    { ...common, kind: start.kind, id: start.id, direction: view.direction, depth: view.depth },
    ...expanded.map((ref) => ({ ...common, kind: ref.kind, id: ref.id, direction: "BOTH" as const, depth: 1 })),
  ];
}

/** Lineage answers do not tell the state of jobs: their last run does. */
function useJobStatus(answer: LineageAnswer): ReadonlyMap<string, string> {
  const ids = useMemo(() => Object.keys(answer.nodes.jobs).sort(), [answer]);
  const jobs = useQuery(jobsByIdQuery(ids)).data;
  return useMemo(() => new Map((jobs ?? []).flatMap((job) => (job.last_run ? [[job.id, job.last_run.status] as const] : []))), [jobs]);
}
