/** The graph of one moment, or of two with what became of each node and edge. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { differenceQuery, snapshotQuery, type HistoryQuestion } from "@/shared/api/extensions";
import { buildGraph } from "./model/build";
import { changesOf, withRemoved } from "./model/changes";
import type { HistoryView } from "./model/history";
import { parseFocus } from "./model/ids";
import { emptyAnswer } from "./model/merge";
import type { Change, LineageGraph } from "./model/types";

export interface History {
  graph: LineageGraph;
  /** By node or edge; `null` when nothing is compared. */
  changes: ReadonlyMap<string, Change> | null;
  /** The server cannot look back. */
  unknown: boolean;
  loading: boolean;
  renewing: boolean;
  error: Error | null;
  retry: () => void;
}

/** Asks for the later moment and, with an earlier one, for the difference. */
export function useHistory(start: { kind: HistoryQuestion["kind"]; id: string }, view: HistoryView): History {
  const { kind, id } = start;
  const { granularity, direction, depth, columns, within } = view;
  const question: HistoryQuestion = { kind, id, granularity, direction, depth, columns, within };
  const snapshot = useQuery(snapshotQuery(question, view.at));
  const difference = useQuery(differenceQuery(question, view.from, view.at));
  const compares = view.from !== "";
  const differs = compares ? (difference.data ?? null) : null;
  const changes = useMemo(() => (differs === null ? null : changesOf(differs)), [differs]);
  const graph = useMemo(() => {
    const after = snapshot.data ?? emptyAnswer();
    const focus = parseFocus(view.focus);
    return buildGraph(differs === null ? after : withRemoved(after, differs), {
      start: { kind, id },
      granularity,
      columns,
      indirect: true,
      parents: false,
      opened: new Set(view.open),
      focusColumn: focus?.column ? { node: focus.node, column: focus.column } : null,
      jobStatus: new Map(),
      freshness: new Map(),
    });
  }, [snapshot.data, differs, kind, id, granularity, columns, view.open, view.focus]);
  return {
    graph,
    changes,
    unknown: snapshot.data === null || difference.data === null,
    loading: snapshot.isPending || (compares && difference.isPending),
    renewing: (snapshot.isFetching && !snapshot.isPending) || (difference.isFetching && !difference.isPending),
    error: snapshot.error ?? difference.error,
    retry: () => {
      void snapshot.refetch();
      if (compares) void difference.refetch();
    },
  };
}
