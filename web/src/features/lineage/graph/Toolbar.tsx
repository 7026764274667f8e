/** The choices of a lineage page: time, depth, direction, granularity, columns. */
import { Button, Checkbox, Group, NativeSelect, Popover, SegmentedControl, Stack, Switch, Text, TextInput } from "@mantine/core";
import { IconCalendarTime } from "@tabler/icons-react";
import { useState } from "react";
import { granularities } from "@/shared/api/queries";
import type { EntityKind } from "@/shared/api/types";
import { formatMoment } from "@/shared/format";
import { resolveMoment, toLocalInput } from "@/shared/time";
import { depthMax, directions, type LineageView } from "../model/view";
import { directionLabels } from "./labels";
import { Legend } from "./Legend";

export interface ToolbarProps {
  kind: EntityKind;
  view: LineageView;
  onChange: (change: Partial<LineageView>) => void;
}

const granularityLabels = { DATASET: "Datasets only", JOB: "Jobs", RUN: "Runs", OPERATION: "Operations" } as const;

/** The row of controls above the graph. */
export function Toolbar({ kind, view, onChange }: ToolbarProps) {
  return (
    <Group gap={8} px="md" py={7} wrap="wrap" className="lineage-toolbar" role="toolbar" aria-label="Lineage options">
      <TimeRange view={view} onChange={onChange} />
      <NativeSelect
        size="xs"
        aria-label="Direction"
        value={view.direction}
        onChange={(event) => onChange({ direction: event.currentTarget.value as LineageView["direction"] })}
        data={directions.map((value) => ({ value, label: directionLabels[value] }))}
      />
      <NativeSelect
        size="xs"
        aria-label="Depth"
        value={String(view.depth)}
        onChange={(event) => onChange({ depth: Number(event.currentTarget.value) })}
        data={Array.from({ length: depthMax }, (_, index) => ({ value: String(index + 1), label: `Depth ${index + 1}` }))}
      />
      <NativeSelect
        size="xs"
        aria-label="Granularity"
        value={view.granularity}
        disabled={granularities[kind].length < 2}
        onChange={(event) => onChange({ granularity: event.currentTarget.value as LineageView["granularity"], expand: [], focus: "" })}
        data={granularities[kind].map((value) => ({ value, label: granularityLabels[value] }))}
      />
      <Switch size="xs" label="Columns" checked={view.columns} onChange={(event) => onChange({ columns: event.currentTarget.checked })} />
      {view.columns && <Checkbox size="xs" label="Filters, joins, groups" checked={view.indirect} onChange={(event) => onChange({ indirect: event.currentTarget.checked })} />}
      {view.granularity !== "DATASET" && <Checkbox size="xs" label="Parents" checked={view.parents} onChange={(event) => onChange({ parents: event.currentTarget.checked })} />}
      <Group gap={8} ml="auto">
        {view.expand.length > 0 && (
          <Button size="compact-sm" variant="subtle" onClick={() => onChange({ expand: [] })}>
            Collapse {view.expand.length} expanded
          </Button>
        )}
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
        <Legend columns={view.columns} />
      </Group>
    </Group>
  );
}

const presets: readonly { value: string; label: string }[] = [
  { value: "1h", label: "Last hour" },
  { value: "1d", label: "Last day" },
  { value: "7d", label: "Last 7 days" },
  { value: "30d", label: "Last 30 days" },
  { value: "365d", label: "Last year" },
  { value: "all", label: "All time" },
];

function TimeRange({ view, onChange }: Omit<ToolbarProps, "kind">) {
  const [opened, setOpened] = useState(false);
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" shadow="md" trapFocus>
      <Popover.Target>
        <Button size="compact-sm" h={30} variant="default" leftSection={<IconCalendarTime size={14} aria-hidden />} onClick={() => setOpened(!opened)} aria-label={`Time range: ${rangeText(view)}`}>
          {rangeText(view)}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Group align="flex-start" gap="lg">
          <Stack gap={2}>
            {presets.map(({ value, label }) => (
              <Button
                key={value}
                size="compact-sm"
                justify="flex-start"
                variant={view.since === value && view.until === "" ? "light" : "subtle"}
                onClick={() => {
                  onChange({ since: value, until: "" });
                  setOpened(false);
                }}
              >
                {label}
              </Button>
            ))}
          </Stack>
          <CustomRange view={view} onChange={onChange} />
        </Group>
      </Popover.Dropdown>
    </Popover>
  );
}

function CustomRange({ view, onChange }: Omit<ToolbarProps, "kind">) {
  const set = (key: "since" | "until") => (text: string) => {
    const time = Date.parse(text);
    if (key === "until" && text === "") onChange({ until: "" });
    else if (!Number.isNaN(time)) onChange({ [key]: new Date(time).toISOString() });
  };
  // `all` begins in 1970, which no one wants to edit.
  const [opened] = useState(() => Date.now());
  return (
    <Stack gap={8} w={220}>
      <TextInput size="xs" type="datetime-local" label="Since" value={view.since === "all" ? "" : toLocalInput(resolveMoment(view.since, opened))} onChange={(event) => set("since")(event.currentTarget.value)} />
      <TextInput size="xs" type="datetime-local" label="Until" description="Empty: now" value={view.until === "" ? "" : toLocalInput(resolveMoment(view.until, opened))} onChange={(event) => set("until")(event.currentTarget.value)} />
      <Text size="xs" c="dimmed">
        Lineage that was seen in this time. Presets stay relative in a copied link; moments do not.
      </Text>
    </Stack>
  );
}

function rangeText({ since, until }: LineageView): string {
  const preset = presets.find((one) => one.value === since);
  const from = preset?.label ?? `Since ${formatMoment(resolveMoment(since, Date.now()))}`;
  return until === "" ? from : `${from} until ${formatMoment(until)}`;
}
