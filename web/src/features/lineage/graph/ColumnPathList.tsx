/** A column from end to end, through all jobs, with the expressions; farther than the drawn graph. */
import { Button, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { columnPathsQuery, type ColumnHop } from "@/shared/api/extensions";
import { EntityLink } from "../EntityLink";
import { typeText } from "./columnKinds";

/** More are counted, not listed. */
const pathsShownMax = 12;

export interface ColumnPathListProps {
  datasetId: string;
  column: string;
  since: string;
}

/** Asked for by a button: the graph shows the near part already. */
export function ColumnPathList(props: ColumnPathListProps) {
  const [opened, setOpened] = useState(false);
  if (!opened) {
    return (
      <Button size="compact-sm" variant="default" onClick={() => setOpened(true)}>
        All paths, with expressions
      </Button>
    );
  }
  return (
    <>
      <Direction {...props} direction="UPSTREAM" title="From the very first" />
      <Direction {...props} direction="DOWNSTREAM" title="To the very last" />
    </>
  );
}

function Direction({ datasetId, column, since, direction, title }: ColumnPathListProps & { direction: "UPSTREAM" | "DOWNSTREAM"; title: string }) {
  const { data, error, isPending } = useQuery(columnPathsQuery(datasetId, column, direction, since));
  if (error) return <Text size="sm">{error.message}</Text>;
  if (isPending) return <Text size="sm">Loading paths…</Text>;
  if (data === null) return <Text size="sm">This server does not know paths.</Text>;
  const nameOf = (id: string): string => data.nodes.datasets[id]?.name ?? `dataset ${id}`;
  return (
    <div data-testid={`paths-${direction.toLowerCase()}`}>
      <Text size="xs" fw={600} c="dimmed" mb={2}>
        {title}
      </Text>
      {data.paths.length === 0 && <Text size="xs">{direction === "UPSTREAM" ? "It begins here." : "It ends here."}</Text>}
      <Stack gap={8}>
        {data.paths.slice(0, pathsShownMax).map((path, index) => (
          <ol key={index} className="column-path">
            {path.map((hop) => (
              <Hop key={`${hop.dataset_id} ${hop.column}`} hop={hop} dataset={nameOf(hop.dataset_id)} />
            ))}
          </ol>
        ))}
      </Stack>
      {data.paths.length > pathsShownMax && <Text size="xs">and {data.paths.length - pathsShownMax} more</Text>}
    </div>
  );
}

function Hop({ hop, dataset }: { hop: ColumnHop; dataset: string }) {
  return (
    <li>
      <EntityLink entity={{ kind: "DATASET", id: hop.dataset_id }}>{dataset}</EntityLink>
      <span className="mono"> · {hop.column}</span>
      <div className="muted wrap-anywhere">
        {hop.types.map(typeText).join(", ")}
        {hop.expression !== null && hop.expression !== "" && <code> {hop.expression}</code>}
      </div>
    </li>
  );
}
