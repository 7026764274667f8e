/** How the pages with a graph change their address. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import { datasetQuery, jobQuery, operationQuery, runQuery } from "@/shared/api/queries";
import type { EntityKind } from "@/shared/api/types";
import { entityPaths } from "./EntityLink";
import { parseFocus } from "./model/ids";
import { runName } from "./pages/lists";

/** Changes some of the choices in the address. */
export function useChange<View>(): (change: Partial<View>) => void {
  const navigate = useNavigate();
  return useCallback(
    (change) =>
      void navigate({
        to: ".",
        search: (old: object) => ({ ...old, ...change }),
        // A selection is not a step the back button should undo one by one.
        replace: Object.keys(change).every((key) => key === "focus"),
      }),
    [navigate],
  );
}

/** Opens the page of a node. */
export function useOpenPage(): (node: string) => void {
  const navigate = useNavigate();
  return (node) => {
    const ref = parseFocus(node)?.ref;
    if (ref) void navigate({ to: entityPaths[ref.kind], params: { id: ref.id } });
  };
}

/** The name of an entity, also when no graph holds it. */
export function useTitle(kind: EntityKind, id: string): string {
  const dataset = useQuery({ ...datasetQuery(id), enabled: kind === "DATASET" }).data;
  const job = useQuery({ ...jobQuery(id), enabled: kind === "JOB" }).data;
  const run = useQuery({ ...runQuery(id), enabled: kind === "RUN" }).data;
  const operation = useQuery({ ...operationQuery(id), enabled: kind === "OPERATION" }).data;
  if (run) return `${run.job.name} · ${runName(run.data)}`;
  return dataset?.data.name ?? job?.data.name ?? operation?.data.name ?? id;
}
