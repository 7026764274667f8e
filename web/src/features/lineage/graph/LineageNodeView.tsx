/** A dataset, job, run or operation as a card; a dataset with its columns, each with two ports for column edges. */
import { IconBolt, IconChevronDown, IconChevronUp, IconDatabase, IconPlayerPlay, IconSettings } from "@tabler/icons-react";
import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { useContext, type KeyboardEvent } from "react";
import type { EntityKind } from "@/shared/api/types";
import { StatusBadge } from "@/shared/ui/StatusBadge";
import { columnId } from "../model/ids";
import type { ColumnRow, LineageNodeData } from "../model/types";
import { kindLabels } from "../kindLabels";
import { changeClass, ChangeMark } from "./ChangeMark";
import { GraphContext } from "./context";
import { FreshnessMark } from "./FreshnessMark";
import "./lineage.css";

export type LineageFlowNode = Node<LineageNodeData & Record<string, unknown>, "lineage">;

const icons: Record<EntityKind, typeof IconDatabase> = {
  DATASET: IconDatabase,
  JOB: IconSettings,
  RUN: IconPlayerPlay,
  OPERATION: IconBolt,
};

/** Node type `lineage` of the canvas. */
export function LineageNodeView({ id, data, selected }: NodeProps<LineageFlowNode>) {
  const Icon = icons[data.kind];
  const change = useContext(GraphContext).changes?.get(id);
  const classes = ["lineage-node", `kind-${data.kind.toLowerCase()}`, selected ? "selected" : "", data.isStart ? "start" : "", changeClass(change)];
  return (
    <div className={classes.join(" ")} data-node={id} data-title={data.title}>
      <Handle type="target" position={Position.Left} id="in" style={{ top: 29 }} isConnectable={false} />
      <Handle type="source" position={Position.Right} id="out" style={{ top: 29 }} isConnectable={false} />
      <div className="node-head">
        <div className="node-title-row">
          <Icon size={14} className="node-icon" aria-label={kindLabels[data.kind]} />
          <span className="node-title" title={data.title}>
            {data.title}
          </span>
        </div>
        <div className="node-sub-row">
          <span className="node-subtitle" title={data.subtitle}>
            {data.subtitle}
          </span>
          {change && <ChangeMark change={change} />}
          {data.status !== null && <StatusBadge status={data.status} />}
          {data.freshness && <FreshnessMark freshness={data.freshness} />}
        </div>
      </div>
      {data.columns.map((column) => (
        <ColumnRowView key={column.name} node={id} column={column} />
      ))}
      {data.columnCount > 0 && <ColumnsToggle id={id} data={data} />}
    </div>
  );
}

function ColumnRowView({ node, column }: { node: string; column: ColumnRow }) {
  const { highlight, focusColumn, onColumn } = useContext(GraphContext);
  const id = columnId(node, column.name);
  const lit = highlight?.columns.has(id) ?? false;
  const dim = highlight !== null && highlight.columns.size > 0 && !lit;
  const choose = (): void => onColumn(node, column.name);
  return (
    <div
      className={["node-column", column.linked ? "linked" : "", lit ? "lit" : "", dim ? "unlit" : "", focusColumn === id ? "chosen" : ""].join(" ")}
      role="button"
      tabIndex={column.linked ? 0 : -1}
      aria-pressed={focusColumn === id}
      aria-label={`column ${column.name}${column.type ? `, ${column.type}` : ""}`}
      title={[column.name, column.type, column.description].filter(Boolean).join(" · ")}
      data-column={id}
      onClick={(event) => {
        event.stopPropagation();
        choose();
      }}
      onKeyDown={(event) => {
        if (pressed(event)) choose();
      }}
    >
      <Handle type="target" position={Position.Left} id={`in:${column.name}`} isConnectable={false} />
      <span className="column-name">{column.name}</span>
      <span className="column-type">{column.type}</span>
      <Handle type="source" position={Position.Right} id={`out:${column.name}`} isConnectable={false} />
    </div>
  );
}

function ColumnsToggle({ id, data }: { id: string; data: LineageNodeData }) {
  const { onToggleColumns } = useContext(GraphContext);
  const hidden = data.columnCount - data.columns.length;
  const noun = data.columnCount === 1 ? "column" : "columns";
  const text = data.opened ? "fewer columns" : hidden === 0 ? `${data.columnCount} ${noun}` : data.columns.length === 0 ? `${hidden} ${noun}` : `${hidden} more`;
  const fixed = hidden === 0 && !data.opened;
  return (
    <button
      type="button"
      className="node-foot"
      disabled={fixed}
      aria-expanded={data.opened}
      onClick={(event) => {
        event.stopPropagation();
        onToggleColumns(id);
      }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      {!fixed && (data.opened ? <IconChevronUp size={12} aria-hidden /> : <IconChevronDown size={12} aria-hidden />)}
      {text}
    </button>
  );
}

/** Enter or space on something that acts as a button; then the canvas must not see the key. */
function pressed(event: KeyboardEvent): boolean {
  if (event.key !== "Enter" && event.key !== " ") return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}
