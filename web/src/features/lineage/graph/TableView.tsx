/** The graph as a table: for screen readers, for reading numbers, for copying. */
import { ScrollArea, Table } from "@mantine/core";
import { useMemo } from "react";
import { formatBytes, formatExact } from "@/shared/format";
import { Moment } from "@/shared/ui/bits";
import { EntityLink } from "../EntityLink";
import type { Change, LineageEdge, LineageEdgeData, LineageGraph, LineageNode } from "../model/types";
import { ChangeMark } from "./ChangeMark";
import { kindOf, typeText } from "./columnKinds";

/** All edges, flows first. */
export function TableView({ graph, changes = null }: { graph: LineageGraph; changes?: ReadonlyMap<string, Change> | null }) {
  const nodes = useMemo(() => new Map(graph.nodes.map((node) => [node.id, node])), [graph]);
  return (
    <ScrollArea h="100%">
      <Table className="data-table" stickyHeader verticalSpacing={5} data-testid="lineage-table">
        <caption className="visually-hidden">Lineage, one row for each edge</caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>From</Table.Th>
            <Table.Th>To</Table.Th>
            {changes && <Table.Th>Change</Table.Th>}
            <Table.Th>How</Table.Th>
            <Table.Th className="number">Rows</Table.Th>
            <Table.Th className="number">Size</Table.Th>
            <Table.Th>Last seen</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {graph.edges.map((edge) => (
            <Row key={edge.id} edge={edge} from={nodes.get(edge.source)} to={nodes.get(edge.target)} changes={changes} />
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea>
  );
}

interface RowProps {
  edge: LineageEdge;
  from: LineageNode | undefined;
  to: LineageNode | undefined;
  changes: ReadonlyMap<string, Change> | null;
}

function Row({ edge, from, to, changes }: RowProps) {
  const { data } = edge;
  const flow = data.kind === "flow" ? data : null;
  const column = data.kind === "column" ? data : null;
  const change = changes?.get(edge.id);
  return (
    <Table.Tr>
      <Table.Td>{from && <EndView node={from} column={column?.sourceColumn ?? null} />}</Table.Td>
      <Table.Td>{to && <EndView node={to} column={column?.targetColumn ?? null} />}</Table.Td>
      {changes && <Table.Td>{change ? <ChangeMark change={change} /> : "same"}</Table.Td>}
      <Table.Td>{howText(data)}</Table.Td>
      <Table.Td className="number">{flow?.rows == null ? "" : formatExact(flow.rows)}</Table.Td>
      <Table.Td className="number">{flow?.bytes == null ? "" : formatBytes(flow.bytes)}</Table.Td>
      <Table.Td>{flow || column ? <Moment iso={(flow ?? column)?.lastAt} /> : ""}</Table.Td>
    </Table.Tr>
  );
}

function EndView({ node, column }: { node: LineageNode; column: string | null }) {
  return (
    <>
      <EntityLink entity={node.data.ref}>{node.data.title}</EntityLink>
      {column !== null && <span className="mono"> · {column}</span>}
    </>
  );
}

function howText(data: LineageEdgeData): string {
  switch (data.kind) {
    case "flow":
      return data.role === "input" ? "read" : data.role === "derived" ? "derived" : ["written", ...data.outputTypes.map(typeText)].join(", ");
    case "column":
      return `column: ${kindOf(data.types, data.direct).label.toLowerCase()} (${data.types.map(typeText).join(", ")})`;
    case "symlink":
      return "same data";
    case "parent":
      return "started by";
  }
}
