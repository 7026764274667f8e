/** The edges: flows with their numbers, columns in the colour of their kind, two names of one dataset, parents. */
import { BaseEdge, EdgeLabelRenderer, getBezierPath, type Edge, type EdgeProps } from "@xyflow/react";
import { useContext } from "react";
import { formatBytes, formatCount, formatExact, formatMoment } from "@/shared/format";
import type { Change, FlowData, LineageEdgeData } from "../model/types";
import { changeClass, changeSigns, changeText } from "./ChangeMark";
import { kindOf, typeText } from "./columnKinds";
import { GraphContext } from "./context";
import { freshnessText } from "./FreshnessMark";

export type LineageFlowEdge = Edge<LineageEdgeData & Record<string, unknown>, "lineage">;

/** Edge type `lineage` of the canvas. */
export function LineageEdgeView(props: EdgeProps<LineageFlowEdge>) {
  const { data, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition } = props;
  const [path, labelX, labelY] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  const { highlight, changes } = useContext(GraphContext);
  if (!data) return null;
  const bright = highlight === null || highlight.edges.has(props.id);
  const change = changes?.get(props.id);
  const short = bright ? shortText(data, change) : "";
  const late = data.kind === "flow" && data.freshness?.stale ? " late" : "";
  return (
    <>
      <g className={`lineage-edge ${edgeClass(data)}${late} ${changeClass(change)}`}>
        <title>{edgeText(data)}</title>
        <BaseEdge id={props.id} path={path} interactionWidth={10} markerEnd={data.kind === "flow" ? "url(#flow-arrow)" : undefined} />
      </g>
      {short !== "" && (
        <EdgeLabelRenderer>
          <span className={`edge-label${late} ${changeClass(change)}`} style={{ transform: `translate(-50%, -100%) translate(${labelX}px, ${labelY - 2}px)` }} title={edgeText(data)}>
            {short}
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

/** The arrow head; once in each canvas. */
export function EdgeMarkers() {
  return (
    <svg width="0" height="0" aria-hidden style={{ position: "absolute" }}>
      <defs>
        <marker id="flow-arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse" markerUnits="userSpaceOnUse">
          <path d="M0 1 9 5 0 9z" className="arrow-head" />
        </marker>
      </defs>
    </svg>
  );
}

/** What little fits on an edge: what became of it, else its numbers. Between columns there is room for a sign. */
function shortText(data: LineageEdgeData, change: Change | undefined): string {
  if (change === undefined) return edgeLabel(data);
  return data.kind === "column" ? changeSigns[change] : changeText(change);
}

function edgeClass(data: LineageEdgeData): string {
  if (data.kind === "column") return `edge-column column-${kindOf(data.types, data.direct).tone}`;
  return `edge-${data.kind}`;
}

/** Rows, else bytes. */
function edgeLabel(data: LineageEdgeData): string {
  if (data.kind === "symlink") return "same data";
  if (data.kind !== "flow") return "";
  if (data.rows !== null && data.rows > 0) return `${formatCount(data.rows)} rows`;
  if (data.bytes !== null && data.bytes > 0) return formatBytes(data.bytes);
  return "";
}

const roles: Record<FlowData["role"], string> = { input: "Read", output: "Written", derived: "Derived" };

/** Everything known of an edge, for the hover text and for tables. */
export function edgeText(data: LineageEdgeData): string {
  switch (data.kind) {
    case "flow": {
      const parts = [roles[data.role]];
      if (data.outputTypes.length > 0) parts.push(`(${data.outputTypes.map(typeText).join(", ")})`);
      if (data.rows !== null) parts.push(`${formatExact(data.rows)} rows`);
      if (data.bytes !== null) parts.push(formatBytes(data.bytes));
      if (data.files !== null) parts.push(`${formatExact(data.files)} files`);
      const fresh = data.freshness ? `; ${freshnessText(data.freshness)}` : "";
      return `${parts.join(" ")}, last ${formatMoment(data.lastAt)}${fresh}`;
    }
    case "column":
      return `${data.sourceColumn} → ${data.targetColumn ?? "all rows"}: ${data.types.map(typeText).join(", ") || "unknown"}`;
    case "symlink":
      return `Two names of the same data (${data.types.map(typeText).join(", ")})`;
    case "parent":
      return "Started by";
  }
}
