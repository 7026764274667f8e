/** Lineage as it was at a moment, and what came and went since an earlier one. All choices stand in the address. */
import { useNavigate } from "@tanstack/react-router";
import { useCallback, type ReactNode } from "react";
import { formatMoment } from "@/shared/format";
import { resolveMoment, shiftMoment } from "@/shared/time";
import { Empty, Failure, Loading } from "@/shared/ui/States";
import { historyPaths } from "../EntityLink";
import { DetailsPanel } from "../graph/DetailsPanel";
import { dayMs, HistoryToolbar } from "../graph/HistoryToolbar";
import { LineageGraphView } from "../graph/LineageGraphView";
import { TableView } from "../graph/TableView";
import { changesText } from "../model/changes";
import type { HistoryView } from "../model/history";
import { nodeId, parseFocus } from "../model/ids";
import { toggled } from "../model/view";
import { useHistory, type History } from "../useHistory";
import { useChange, useOpenPage, useTitle } from "../useNavigation";
import { EntityFrame } from "./EntityFrame";

export interface HistoryPageProps {
  kind: "DATASET" | "JOB";
  id: string;
  view: HistoryView;
}

type Change = (change: Partial<HistoryView>) => void;

/** The page. */
export function HistoryPage({ kind, id, view }: HistoryPageProps) {
  const history = useHistory({ kind, id }, view);
  const change = useChange<HistoryView>();
  return (
    <EntityFrame kind={kind} id={id} title={useTitle(kind, id)}>
      <HistoryToolbar kind={kind} view={view} onChange={change} />
      <div className={view.columns ? "lineage-body column-mode" : "lineage-body"}>
        <div className="lineage-main">
          <Summary history={history} view={view} />
          <Body history={history} kind={kind} id={id} view={view} change={change} />
        </div>
        <Details history={history} view={view} change={change} />
      </div>
    </EntityFrame>
  );
}

/** In words what the graph shows, also for those who cannot see it. */
function Summary({ history, view }: { history: History; view: HistoryView }) {
  if (history.loading || history.unknown || history.error) return null;
  return (
    <div className="renewing" role="status" data-testid="history-summary">
      {history.renewing ? "Loading…" : summaryText(history, view)}
    </div>
  );
}

function summaryText({ graph, changes }: History, view: HistoryView): string {
  const text = (moment: string): string => (moment === "" ? "now" : formatMoment(resolveMoment(moment, Date.now())));
  if (changes === null) return `As of ${text(view.at)}`;
  const between = `between ${text(view.from)} and ${text(view.at)}`;
  const counts = changesText(changes, graph);
  return counts === "" ? `Nothing changed ${between}` : `${counts} ${between}`;
}

interface BodyProps extends HistoryPageProps {
  history: History;
  change: Change;
}

function Body({ history, kind, id, view, change }: BodyProps): ReactNode {
  const openPage = useOpenPage();
  const { open } = view;
  const toggleColumns = useCallback((node: string) => change({ open: toggled(open, node) }), [open, change]);
  if (history.error) return <Failure error={history.error} retry={history.retry} />;
  if (history.loading) return <Loading what="lineage" />;
  if (history.unknown) return <Empty title="This server cannot tell">It is a server of another kind, or of an older version.</Empty>;
  if (history.graph.edges.length === 0) {
    return <Empty title="No lineage at this moment">Nothing read or wrote it then. Choose another moment, or let more time before it count.</Empty>;
  }
  if (view.as === "TABLE") return <TableView graph={history.graph} changes={history.changes} />;
  return (
    <LineageGraphView
      graph={history.graph}
      changes={history.changes}
      focus={view.focus}
      start={nodeId({ kind, id })}
      fitKey={[kind, id, view.at, view.from, view.granularity, view.depth, view.direction, view.columns].join(" ")}
      onFocus={(focus) => change({ focus })}
      onOpen={openPage}
      onToggleColumns={toggleColumns}
      onOtherKey={(key) => {
        if (key === "[") change({ at: shiftMoment(view.at, -dayMs, Date.now()) });
        if (key === "]") change({ at: shiftMoment(view.at, dayMs, Date.now()) });
      }}
    />
  );
}

function Details({ history, view, change }: { history: History; view: HistoryView; change: Change }): ReactNode {
  const navigate = useNavigate();
  const focus = parseFocus(view.focus);
  if (!focus) return null;
  const centre = (node: string): void => {
    const ref = parseFocus(node)?.ref;
    if (ref?.kind !== "DATASET" && ref?.kind !== "JOB") return;
    void navigate({ to: historyPaths[ref.kind], params: { id: ref.id }, search: (old: object) => ({ ...old, focus: "" }) });
  };
  return <DetailsPanel graph={history.graph} focus={focus} since="all" onFocus={(text) => change({ focus: text })} onCentre={centre} />;
}
