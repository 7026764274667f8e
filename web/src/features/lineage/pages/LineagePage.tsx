/** Lineage of one entity: toolbar, graph or table, details of what is selected. All choices stand in the address. */
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo, type ReactNode } from "react";
import type { EntityKind, EntityRef } from "@/shared/api/types";
import { Empty, Failure, Loading } from "@/shared/ui/States";
import { lineagePaths } from "../EntityLink";
import { DetailsPanel } from "../graph/DetailsPanel";
import { LineageGraphView } from "../graph/LineageGraphView";
import { TableView } from "../graph/TableView";
import { Toolbar } from "../graph/Toolbar";
import { nodeId, parseFocus } from "../model/ids";
import { toggled, type LineageView } from "../model/view";
import { useLineage, type Lineage } from "../useLineage";
import { useChange, useOpenPage, useTitle } from "../useNavigation";
import { EntityFrame } from "./EntityFrame";

export interface LineagePageProps {
  kind: EntityKind;
  id: string;
  view: LineageView;
}

/** The page. */
export function LineagePage({ kind, id, view }: LineagePageProps) {
  const start = useMemo<EntityRef>(() => ({ kind, id }), [kind, id]);
  const title = useTitle(kind, id);
  const lineage = useLineage(start, view);
  const change = useChange<LineageView>();
  return (
    <EntityFrame kind={kind} id={id} title={title}>
      <Toolbar kind={kind} view={view} onChange={change} />
      <div className={view.columns ? "lineage-body column-mode" : "lineage-body"}>
        <div className="lineage-main">
          {lineage.renewing && (
            <div className="renewing" role="status">
              Loading…
            </div>
          )}
          <Body lineage={lineage} start={start} view={view} change={change} />
        </div>
        <Details lineage={lineage} view={view} change={change} />
      </div>
    </EntityFrame>
  );
}

type Change = (change: Partial<LineageView>) => void;

interface PartProps {
  lineage: Lineage;
  view: LineageView;
  change: Change;
}

function Body({ lineage, start, view, change }: PartProps & { start: EntityRef }): ReactNode {
  const openPage = useOpenPage();
  const { toggleColumns, expand } = useToggles(view, change);
  if (lineage.error) return <Failure error={lineage.error} retry={lineage.retry} />;
  if (lineage.loading) return <Loading what="lineage" />;
  if (lineage.graph.nodes.length === 0) {
    return <Empty title="No lineage in this time range">Nothing is known of this {start.kind.toLowerCase()} in the chosen time. Choose a longer time range.</Empty>;
  }
  if (view.as === "TABLE") return <TableView graph={lineage.graph} />;
  const notice = noticeOf(lineage, start);
  return (
    <>
      {notice !== null && (
        <div className="renewing" role="status">
          {notice}
        </div>
      )}
      <LineageGraphView
        graph={lineage.graph}
        focus={view.focus}
        start={nodeId(start)}
        fitKey={[start.kind, start.id, view.granularity, view.depth, view.direction, view.columns].join(" ")}
        onFocus={(focus) => change({ focus })}
        onOpen={openPage}
        onToggleColumns={toggleColumns}
        onExpand={expand}
      />
    </>
  );
}

/** What the graph cannot tell by itself. */
function noticeOf({ answer, graph }: Lineage, start: EntityRef): string | null {
  if (answer.truncated) return "The graph is cut: it is larger than the server shows at once. Choose less depth or one direction.";
  if (graph.edges.length === 0) return `Nothing connects to this ${start.kind.toLowerCase()} in the chosen time. Choose a longer time range.`;
  return null;
}

function Details({ lineage, view, change }: PartProps): ReactNode {
  const navigate = useNavigate();
  const { expand } = useToggles(view, change);
  const focus = parseFocus(view.focus);
  if (!focus) return null;
  const centre = (node: string): void => {
    const ref = parseFocus(node)?.ref;
    if (!ref) return;
    const { since, until, depth, direction, columns, indirect } = view;
    void navigate({ to: lineagePaths[ref.kind], params: { id: ref.id }, search: { since, until, depth, direction, columns, indirect } });
  };
  return (
    <DetailsPanel
      graph={lineage.graph}
      focus={focus}
      since={view.since}
      expanded={view.expand.includes(focus.node)}
      onFocus={(text) => change({ focus: text })}
      onExpand={expand}
      onCentre={centre}
    />
  );
}

function useToggles(view: LineageView, change: Change) {
  const { open, expand } = view;
  return {
    toggleColumns: useCallback((node: string) => change({ open: toggled(open, node) }), [open, change]),
    expand: useCallback((node: string) => change({ expand: toggled(expand, node) }), [expand, change]),
  };
}
