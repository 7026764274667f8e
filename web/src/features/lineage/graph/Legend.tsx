/** What the shapes and colours of the graph mean. */
import { Button, Popover, Stack, Text } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import type { EntityKind } from "@/shared/api/types";
import { columnKinds } from "./columnKinds";
import { kindLabels } from "../kindLabels";
import "./lineage.css";

const kinds: EntityKind[] = ["DATASET", "JOB", "RUN", "OPERATION"];

/** A button that opens the legend. */
export function Legend({ columns }: { columns: boolean }) {
  return (
    <Popover position="bottom-end" shadow="md" withArrow trapFocus={false}>
      <Popover.Target>
        <Button variant="default" size="compact-sm" leftSection={<IconInfoCircle size={14} aria-hidden />}>
          Legend
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={6} className="legend" data-testid="legend">
          {kinds.map((kind) => (
            <div key={kind} className="legend-row">
              <span className={`legend-swatch kind-${kind.toLowerCase()}`} aria-hidden />
              <Text size="xs">{kindLabels[kind]}</Text>
            </div>
          ))}
          <LegendLine className="edge-flow" text="data flows, with rows or bytes so far" />
          <LegendLine className="edge-symlink" text="two names of the same data" />
          <LegendLine className="edge-parent" text="started by (a scheduler, a parent job)" />
          {columns && columnKinds.map((kind) => <LegendLine key={kind.tone} className={`edge-column column-${kind.tone}`} text={`${kind.label}. ${kind.meaning}`} />)}
          <Text size="xs" c="dimmed">
            A clock shows how far a dataset is behind; a clock with a mark, that nothing was heard for too long.
          </Text>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function LegendLine({ className, text }: { className: string; text: string }) {
  return (
    <div className="legend-row">
      <svg width="34" height="10" aria-hidden className={`lineage-edge ${className}`}>
        <path className="react-flow__edge-path" d="M1 5H33" />
      </svg>
      <Text size="xs">{text}</Text>
    </div>
  );
}
