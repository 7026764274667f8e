/** Who is hit when a dataset, or one column of it, changes or stops. */
import { Group, NativeSelect, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { impactQuery, type ImpactAnswer } from "@/shared/api/extensions";
import { datasetQuery, lineageQuery } from "@/shared/api/queries";
import type { Job } from "@/shared/api/types";
import { beginning } from "@/shared/time";
import { Moment } from "@/shared/ui/bits";
import { DataTable, type Column } from "@/shared/ui/DataTable";
import { Empty, Failure, Loading } from "@/shared/ui/States";
import { EntityLink } from "../EntityLink";
import { LocationMark } from "../LocationMark";
import { flattenSchema } from "../model/columns";
import { wholeDatasetQuestion } from "../model/questions";
import { EntityFrame } from "./EntityFrame";
import { Section } from "./Section";

export function ImpactPage({ id, column }: { id: string; column: string }) {
  const navigate = useNavigate();
  const dataset = useQuery(datasetQuery(id)).data;
  const lineage = useQuery(lineageQuery(wholeDatasetQuestion(id), { since: beginning, until: null })).data;
  const names = flattenSchema(lineage?.nodes.datasets[id]?.schema).map((row) => row.name);
  const { data, error, isPending, refetch } = useQuery(impactQuery(id, column));
  return (
    <EntityFrame kind="DATASET" id={id} title={dataset?.data.name ?? id}>
      <Group px="md" py={7} gap="sm" className="lineage-toolbar" role="toolbar" aria-label="Impact options">
        <NativeSelect
          size="xs"
          aria-label="What changes"
          value={column}
          onChange={(event) => void navigate({ to: ".", search: { column: event.currentTarget.value } })}
          data={[{ value: "", label: "The whole dataset" }, ...[...new Set([...names, ...(column === "" ? [] : [column])])].map((name) => ({ value: name, label: `Column ${name}` }))]}
        />
        <Text size="sm" c="dimmed">
          Everything downstream that is hit when it changes or stops.
        </Text>
      </Group>
      {error ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <Loading what="impact" />
      ) : data === null ? (
        <Empty title="This server cannot tell">It is a server of another kind, or of an older version.</Empty>
      ) : (
        <Hit answer={data} />
      )}
    </EntityFrame>
  );
}

type HitDataset = ImpactAnswer["datasets"][number];

const datasetColumns: readonly Column<HitDataset>[] = [
  { header: "Dataset", width: "34%", cell: ({ dataset }) => (dataset ? <EntityLink entity={{ kind: "DATASET", id: dataset.id }}>{dataset.name}</EntityLink> : "removed") },
  { header: "Location", cell: ({ dataset }) => dataset && <LocationMark location={dataset.location} /> },
  { header: "Steps away", number: true, width: 90, cell: ({ distance }) => distance },
  { header: "Columns hit", cell: ({ columns }) => (columns.length === 0 ? "all rows" : <span className="mono">{columns.join(", ")}</span>) },
  { header: "Complete up to", cell: ({ complete_up_to: at }) => <Moment iso={at} /> },
];

const jobColumns: readonly Column<Job>[] = [
  { header: "Job", width: "50%", cell: (job) => <EntityLink entity={{ kind: "JOB", id: job.id }}>{job.name}</EntityLink> },
  { header: "Type", cell: (job) => <span className="mono">{job.type}</span> },
  { header: "Location", cell: (job) => <LocationMark location={job.location} /> },
];

function Hit({ answer: { datasets, jobs } }: { answer: ImpactAnswer }) {
  if (datasets.length + jobs.length === 0) return <Empty title="Nobody is hit">No job that is known reads it now.</Empty>;
  return (
    <div className="sections">
      <Section title={`Datasets (${datasets.length})`} wide flush>
        {datasets.length === 0 ? <Empty title="No dataset">What reads it writes nothing.</Empty> : <DataTable caption="Datasets hit" columns={datasetColumns} items={datasets} rowKey={(one) => one.dataset?.id ?? ""} />}
      </Section>
      <Section title={`Jobs that read (${jobs.length})`} wide flush>
        {jobs.length === 0 ? <Empty title="No job">Nothing reads what is hit.</Empty> : <DataTable caption="Jobs hit" columns={jobColumns} items={jobs} rowKey={(one) => one.id} />}
      </Section>
    </div>
  );
}
