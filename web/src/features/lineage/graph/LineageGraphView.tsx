/** The lineage graph on the canvas: layout, highlight, selection, and the keys of lineage. */
import { Box } from "@mantine/core";
import { useCallback, useMemo } from "react";
import { GraphCanvas } from "@/shared/graph/GraphCanvas";
import { useLayout } from "@/shared/graph/useLayout";
import { Loading } from "@/shared/ui/States";
import { highlight } from "../model/highlight";
import { changeLabels } from "../model/changes";
import { columnId, nodeId, parseFocus } from "../model/ids";
import type { Change, LineageEdgeData, LineageGraph, LineageNodeData } from "../model/types";
import { statusLook } from "@/shared/ui/status";
import { GraphContext, type GraphContextValue } from "./context";
import { EdgeMarkers, LineageEdgeView } from "./LineageEdgeView";
import { freshnessText } from "./FreshnessMark";
import { kindLabels } from "../kindLabels";
import { LineageNodeView } from "./LineageNodeView";

const nodeTypes = { lineage: LineageNodeView };
const edgeTypes = { lineage: LineageEdgeView };
const lineageType = (): string => "lineage";

export interface LineageGraphViewProps {
  graph: LineageGraph;
  focus: string;
  fitKey: string;
  /** Id of the node the question began at. */
  start: string;
  onFocus: (focus: string) => void;
  onOpen: (node: string) => void;
  onToggleColumns: (node: string) => void;
  /** Without: nodes cannot be expanded. */
  onExpand?: (node: string) => void;
  /** What became of nodes and edges, when two moments are compared. */
  changes?: ReadonlyMap<string, Change> | null;
  /** Keys that mean nothing here, for the page. */
  onOtherKey?: (key: string) => void;
}

/** Lays the graph out and draws it. */
export function LineageGraphView(props: LineageGraphViewProps) {
  const { graph, onFocus, onToggleColumns, changes = null } = props;
  const positions = useLayout(graph);
  const focus = useMemo(() => parseFocus(props.focus), [props.focus]);
  const bright = useMemo(() => highlight(graph, focus), [graph, focus]);
  const focusColumn = focus?.column ? columnId(focus.node, focus.column) : null;
  const context = useMemo<GraphContextValue>(
    () => ({
      highlight: bright,
      focusColumn,
      changes,
      onColumn: (node, column) => onFocus(columnId(node, column) === focusColumn ? "" : columnId(node, column)),
      onToggleColumns,
    }),
    [bright, focusColumn, changes, onFocus, onToggleColumns],
  );
  const label = useCallback(
    (data: LineageNodeData) => {
      const change = changes?.get(nodeId(data.ref));
      return change === undefined ? nodeLabel(data) : `${nodeLabel(data)}, ${changeLabels[change]}`;
    },
    [changes],
  );
  if (positions === null) return <Loading what="the graph" />;
  return (
    <GraphContext value={context}>
      <Box h="100%" pos="relative">
        <EdgeMarkers />
        <GraphCanvas<LineageNodeData, LineageEdgeData>
          graph={graph}
          positions={positions}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          nodeType={lineageType}
          edgeType={lineageType}
          nodeLabel={label}
          label={`Lineage graph, ${graph.nodes.length} nodes`}
          selected={focus?.node ?? null}
          bright={bright}
          fitKey={props.fitKey}
          home={props.start}
          onSelect={(id) => onFocus(id ?? "")}
          onOpen={props.onOpen}
          onKey={(key, selected) => {
            props.onOtherKey?.(key);
            if (selected === null) return;
            if (key === "e") props.onExpand?.(selected);
            if (key === "c" && selected.startsWith("DATASET:")) onToggleColumns(selected);
          }}
        />
      </Box>
    </GraphContext>
  );
}

function nodeLabel(data: LineageNodeData): string {
  const parts = [`${kindLabels[data.kind]} ${data.title}`, data.subtitle];
  if (data.status !== null) parts.push(statusLook(data.status).label);
  if (data.freshness) parts.push(freshnessText(data.freshness));
  if (data.columnCount > 0) parts.push(`${data.columnCount} columns`);
  return parts.filter((part) => part !== "").join(", ");
}
