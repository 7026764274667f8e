/** The choices of a history page: the moment, the one to compare with, how far back counts, direction, depth. */
import { ActionIcon, Group, NativeSelect, SegmentedControl, Switch, TextInput } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useState } from "react";
import { resolveMoment, shiftMoment, toLocalInput } from "@/shared/time";
import type { HistoryView } from "../model/history";
import { depthMax, directions } from "../model/view";
import { ChangeLegend } from "./ChangeMark";
import { directionLabels } from "./labels";

export interface HistoryToolbarProps {
  kind: "DATASET" | "JOB";
  view: HistoryView;
  onChange: (change: Partial<HistoryView>) => void;
}

export const dayMs = 86_400_000;

/** The row of controls above the graph. */
export function HistoryToolbar({ kind, view, onChange }: HistoryToolbarProps) {
  return (
    <Group gap={8} px="md" py={7} wrap="wrap" align="flex-end" className="lineage-toolbar" role="toolbar" aria-label="History options">
      <MomentShown view={view} onChange={onChange} />
      <ComparedWith view={view} onChange={onChange} />
      <NativeSelect
        size="xs"
        label="Seen within"
        value={String(view.within)}
        onChange={(event) => onChange({ within: Number(event.currentTarget.value) })}
        data={withPresent(periods, view.within)}
      />
      <NativeSelect
        size="xs"
        label="Direction"
        value={view.direction}
        onChange={(event) => onChange({ direction: event.currentTarget.value as HistoryView["direction"] })}
        data={directions.map((value) => ({ value, label: directionLabels[value] }))}
      />
      <NativeSelect
        size="xs"
        label="Depth"
        value={String(view.depth)}
        onChange={(event) => onChange({ depth: Number(event.currentTarget.value) })}
        data={Array.from({ length: depthMax }, (_, index) => String(index + 1))}
      />
      {kind === "DATASET" && (
        <NativeSelect
          size="xs"
          label="Granularity"
          value={view.granularity}
          onChange={(event) => onChange({ granularity: event.currentTarget.value as HistoryView["granularity"], focus: "" })}
          data={[
            { value: "JOB", label: "Jobs" },
            { value: "DATASET", label: "Datasets only" },
          ]}
        />
      )}
      <Switch size="xs" pb={6} label="Columns" checked={view.columns} onChange={(event) => onChange({ columns: event.currentTarget.checked })} />
      <Group gap={8} ml="auto" align="center">
        {view.from !== "" && <ChangeLegend />}
        <SegmentedControl
          size="xs"
          aria-label="Show as"
          value={view.as}
          onChange={(value) => onChange({ as: value })}
          data={[
            { value: "GRAPH", label: "Graph" },
            { value: "TABLE", label: "Table" },
          ]}
        />
      </Group>
    </Group>
  );
}

const periods: readonly { value: string; label: string }[] = [
  { value: "0", label: "That very moment" },
  { value: "1", label: "An hour before" },
  { value: "24", label: "A day before" },
  { value: "168", label: "A week before" },
  { value: "720", label: "30 days before" },
];

/** A link may hold any number of hours. */
function withPresent(all: typeof periods, hours: number): { value: string; label: string }[] {
  const value = String(hours);
  return all.some((one) => one.value === value) ? [...all] : [...all, { value, label: `${value} hours before` }];
}

function MomentShown({ view, onChange }: Omit<HistoryToolbarProps, "kind">) {
  const [opened] = useState(() => Date.now());
  const shift = (milliseconds: number): void => onChange({ at: shiftMoment(view.at, milliseconds, Date.now()) });
  return (
    <Group gap={2} align="flex-end" wrap="nowrap">
      <ActionIcon variant="default" h={30} aria-label="A day earlier" onClick={() => shift(-dayMs)}>
        <IconChevronLeft size={15} />
      </ActionIcon>
      <TextInput
        size="xs"
        type="datetime-local"
        label="As of (empty: now)"
        value={view.at === "" ? "" : toLocalInput(resolveMoment(view.at, opened))}
        onChange={(event) => onChange({ at: absolute(event.currentTarget.value) })}
      />
      <ActionIcon variant="default" h={30} aria-label="A day later" disabled={view.at === ""} onClick={() => shift(dayMs)}>
        <IconChevronRight size={15} />
      </ActionIcon>
    </Group>
  );
}

const earlier: readonly { value: string; label: string }[] = [
  { value: "", label: "Nothing" },
  { value: "1h", label: "An hour ago" },
  { value: "1d", label: "A day ago" },
  { value: "7d", label: "7 days ago" },
  { value: "30d", label: "30 days ago" },
];

function ComparedWith({ view, onChange }: Omit<HistoryToolbarProps, "kind">) {
  const [opened] = useState(() => Date.now());
  const preset = earlier.some((one) => one.value === view.from);
  return (
    <Group gap={2} align="flex-end" wrap="nowrap">
      <NativeSelect
        size="xs"
        label="Compared with"
        value={preset ? view.from : "moment"}
        onChange={(event) => {
          const { value } = event.currentTarget;
          onChange({ from: value === "moment" ? new Date(Date.now() - dayMs).toISOString() : value });
        }}
        data={[...earlier, { value: "moment", label: "A moment" }]}
      />
      {!preset && (
        <TextInput
          size="xs"
          type="datetime-local"
          aria-label="Moment to compare with"
          value={toLocalInput(resolveMoment(view.from, opened))}
          onChange={(event) => onChange({ from: absolute(event.currentTarget.value) || view.from })}
        />
      )}
    </Group>
  );
}

/** The text of an input as a moment that a link keeps; empty when it is none. */
function absolute(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? "" : new Date(time).toISOString();
}
