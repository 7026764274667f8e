/** Head of the page of one entity: kind, name, tabs. */
import { Box, Group, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { EntityKind } from "@/shared/api/types";
import { Copy } from "@/shared/ui/bits";
import { entityPaths, historyPaths, lineagePaths } from "../EntityLink";
import { kindLabels } from "../kindLabels";
import "../entity.css";
import { useDocumentTitle } from "@mantine/hooks";

export interface EntityFrameProps {
  kind: EntityKind;
  id: string;
  title: string;
  /** Beside the title, such as a state. */
  aside?: ReactNode;
  children: ReactNode;
}

const listPaths = { DATASET: "/datasets", JOB: "/jobs", RUN: "/runs", OPERATION: "/operations" } as const;

/** The frame; its content fills the rest of the window. */
export function EntityFrame({ kind, id, title, aside, children }: EntityFrameProps) {
  useDocumentTitle(`${title} · Headwater`);
  const tabs = [
    { to: entityPaths[kind], label: "Overview" },
    { to: lineagePaths[kind], label: "Lineage" },
    ...(kind === "DATASET" || kind === "JOB" ? [{ to: historyPaths[kind], label: "History" } as const] : []),
    ...(kind === "DATASET" ? [{ to: "/datasets/$id/impact", label: "Impact" } as const] : []),
    ...(kind === "JOB" ? [{ to: "/jobs/$id/hierarchy", label: "Hierarchy" } as const] : []),
  ];
  return (
    <Box className="entity-frame">
      <div className="entity-head">
        <Group gap={8} wrap="nowrap">
          <Text size="xs" c="dimmed">
            <Link to={listPaths[kind]} className="crumb">
              {kindLabels[kind]}s
            </Link>{" "}
            /
          </Text>
          <Title order={1} size="h5" className="entity-title" title={title}>
            {title}
          </Title>
          <Copy text={title} label="Copy name" />
          {aside}
        </Group>
        <nav aria-label="Views of this entity" className="tabs">
          {tabs.map(({ to, label }) => (
            <Link key={to} to={to} params={{ id }} search={{}} activeOptions={{ exact: true, includeSearch: false }} className="tab" activeProps={{ className: "tab active", "aria-current": "page" }}>
              {label}
            </Link>
          ))}
        </nav>
      </div>
      <div className="entity-body">{children}</div>
    </Box>
  );
}
