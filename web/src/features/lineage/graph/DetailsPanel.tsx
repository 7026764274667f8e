/** What is known of the selected node: its facts, its edges with their numbers, and where to go from it. */
import { ActionIcon, Button, Group, ScrollArea, Stack, Text, Title } from "@mantine/core";
import { IconArrowsMaximize, IconFocusCentered, IconX } from "@tabler/icons-react";
import { EntityLink } from "../EntityLink";
import type { Focus } from "../model/ids";
import { columnId } from "../model/ids";
import type { LineageEdge, LineageGraph, LineageNode } from "../model/types";
import { StatusBadge } from "@/shared/ui/StatusBadge";
import { ColumnPathList } from "./ColumnPathList";
import { kindOf, typeText } from "./columnKinds";
import { freshnessText } from "./FreshnessMark";
import { edgeText } from "./LineageEdgeView";
import { kindLabels } from "../kindLabels";

export interface DetailsPanelProps {
  graph: LineageGraph;
  focus: Focus;
  expanded?: boolean;
  /** Begin of the time range. */
  since: string;
  onFocus: (focus: string) => void;
  /** Without: nodes cannot be expanded. */
  onExpand?: (node: string) => void;
  onCentre: (node: string) => void;
}

/** Beside the graph. Nothing when the selected node is not in the graph. */
export function DetailsPanel(props: DetailsPanelProps) {
  const { graph, focus, onFocus } = props;
  const node = graph.nodes.find((one) => one.id === focus.node);
  if (!node) return null;
  return (
    <aside className="details-panel" aria-label="Selected node" data-testid="details">
      <Group justify="space-between" wrap="nowrap" align="flex-start" p="sm" pb={4}>
        <div style={{ minWidth: 0 }}>
          <Text size="xs" c="dimmed">
            {focus.column === null ? kindLabels[node.data.kind] : `column of ${node.data.title}`}
          </Text>
          <Title order={2} size="h5" className="wrap-anywhere">
            {focus.column ?? node.data.title}
          </Title>
        </div>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label="Close details" onClick={() => onFocus("")}>
          <IconX size={16} />
        </ActionIcon>
      </Group>
      <ScrollArea flex={1} px="sm" pb="sm" scrollbarSize={6}>
        {focus.column === null ? <NodeDetails {...props} node={node} /> : <ColumnDetails {...props} node={node} column={focus.column} />}
      </ScrollArea>
    </aside>
  );
}

function NodeDetails({ graph, node, expanded, onExpand, onCentre, onFocus }: DetailsPanelProps & { node: LineageNode }) {
  const { data } = node;
  return (
    <Stack gap="sm">
      <dl className="facts">
        <dt>{data.kind === "RUN" ? "Started" : data.kind === "OPERATION" ? "Job" : "Location"}</dt>
        <dd>{data.subtitle}</dd>
        {data.status !== null && (
          <>
            <dt>{data.kind === "JOB" ? "Last run" : "State"}</dt>
            <dd>
              <StatusBadge status={data.status} />
            </dd>
          </>
        )}
        {data.freshness && (
          <>
            <dt>Freshness</dt>
            <dd>{freshnessText(data.freshness)}</dd>
          </>
        )}
      </dl>
      <Group gap={6}>
        <EntityLink entity={data.ref} button>
          Open page
        </EntityLink>
        {onExpand && (
          <Button size="compact-sm" variant="default" leftSection={<IconArrowsMaximize size={13} aria-hidden />} onClick={() => onExpand(node.id)}>
            {expanded ? "Collapse" : "Expand"}
          </Button>
        )}
        {!data.isStart && (
          <Button size="compact-sm" variant="default" leftSection={<IconFocusCentered size={13} aria-hidden />} onClick={() => onCentre(node.id)}>
            Start here
          </Button>
        )}
      </Group>
      <EdgeList title="From" edges={graph.edges.filter((edge) => edge.target === node.id && edge.data.kind !== "column")} end="source" graph={graph} onFocus={onFocus} />
      <EdgeList title="To" edges={graph.edges.filter((edge) => edge.source === node.id && edge.data.kind !== "column")} end="target" graph={graph} onFocus={onFocus} />
    </Stack>
  );
}

interface EdgeListProps {
  title: string;
  edges: LineageEdge[];
  end: "source" | "target";
  graph: LineageGraph;
  onFocus: (focus: string) => void;
}

function EdgeList({ title, edges, end, graph, onFocus }: EdgeListProps) {
  if (edges.length === 0) return null;
  const titles = new Map(graph.nodes.map((node) => [node.id, node.data.title]));
  return (
    <div>
      <Text size="xs" fw={600} c="dimmed" mb={2}>
        {title}
      </Text>
      <Stack gap={6}>
        {edges.map((edge) => (
          <div key={edge.id}>
            <button type="button" className="link-button" onClick={() => onFocus(edge[end])}>
              {titles.get(edge[end]) ?? edge[end]}
            </button>
            <Text size="xs" c="dimmed">
              {edgeText(edge.data)}
            </Text>
          </div>
        ))}
      </Stack>
    </div>
  );
}

function ColumnDetails({ graph, node, column, since, onFocus }: DetailsPanelProps & { node: LineageNode; column: string }) {
  const row = node.data.columns.find((one) => one.name === column);
  const edges = graph.edges.filter((edge) => edge.data.kind === "column");
  const isHere = (edge: LineageEdge): boolean => edge.data.kind === "column" && (edge.data.targetColumn === column || edge.data.targetColumn === null);
  const sources = edges.filter((edge) => edge.target === node.id && isHere(edge));
  const targets = edges.filter((edge) => edge.source === node.id && edge.data.kind === "column" && edge.data.sourceColumn === column);
  return (
    <Stack gap="sm">
      <dl className="facts">
        <dt>Type</dt>
        <dd className="mono">{row?.type ?? "unknown"}</dd>
        {row?.description && (
          <>
            <dt>Meaning</dt>
            <dd>{row.description}</dd>
          </>
        )}
      </dl>
      <ColumnList title="Comes from" edges={sources} end="source" graph={graph} onFocus={onFocus} />
      <ColumnList title="Goes to" edges={targets} end="target" graph={graph} onFocus={onFocus} />
      {sources.length + targets.length === 0 && (
        <Text size="sm" c="dimmed">
          No column lineage is known in this time range.
        </Text>
      )}
      <ColumnPathList key={columnId(node.id, column)} datasetId={node.data.ref.id} column={column} since={since} />
    </Stack>
  );
}

function ColumnList({ title, edges, end, graph, onFocus }: EdgeListProps) {
  if (edges.length === 0) return null;
  const titles = new Map(graph.nodes.map((node) => [node.id, node.data.title]));
  return (
    <div>
      <Text size="xs" fw={600} c="dimmed" mb={2}>
        {title}
      </Text>
      <Stack gap={6}>
        {edges.map((edge) => {
          const { data } = edge;
          if (data.kind !== "column") return null;
          const column = end === "source" ? data.sourceColumn : data.targetColumn;
          const kind = kindOf(data.types, data.direct);
          return (
            <div key={edge.id}>
              <button type="button" className="link-button" onClick={() => onFocus(column === null ? edge[end] : columnId(edge[end], column))}>
                {titles.get(edge[end]) ?? edge[end]} · {column ?? "all rows"}
              </button>
              <Text size="xs">
                <span className={`column-dot column-${kind.tone}`} aria-hidden /> {kind.label}
                <span className="muted"> ({data.types.map(typeText).join(", ")})</span>
              </Text>
            </div>
          );
        })}
      </Stack>
    </div>
  );
}
