/** A dataset: where it is, its columns, who writes and who reads it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { datasetQuery, lineageQuery } from "@/shared/api/queries";
import type { DatasetItem, LineageAnswer } from "@/shared/api/types";
import { beginning } from "@/shared/time";
import { ForeignLink, Moment, Tags } from "@/shared/ui/bits";
import { DataTable, type Column } from "@/shared/ui/DataTable";
import { Empty, Failure, Loading } from "@/shared/ui/States";
import { EntityLink } from "../EntityLink";
import { LocationMark } from "../LocationMark";
import { flattenSchema } from "../model/columns";
import { columnId, nodeId } from "../model/ids";
import { wholeDatasetQuestion } from "../model/questions";
import { EntityFrame } from "./EntityFrame";
import { FreshnessFact } from "./FreshnessFact";
import { SchemaHistory } from "./SchemaHistory";
import { Facts, Section } from "./Section";
import { useEntity } from "./useEntity";

export function DatasetPage({ id }: { id: string }) {
  const found = useEntity(datasetQuery(id), "dataset", id);
  if ("instead" in found) return found.instead;
  return (
    <EntityFrame kind="DATASET" id={id} title={found.item.data.name}>
      <Overview item={found.item} />
    </EntityFrame>
  );
}

function Overview({ item }: { item: DatasetItem }) {
  const { data, tags } = item;
  const lineage = useQuery(lineageQuery(wholeDatasetQuestion(data.id), { since: beginning, until: null }));
  return (
    <div className="sections">
      <Section title="Dataset">
        <Facts
          facts={[
            ["Name", <span className="mono" key="name">{data.name}</span>],
            ["Location", <LocationMark key="location" location={data.location} />],
            ["Addresses", data.location.addresses.map((one) => <div className="mono" key={one.url}>{one.url}</div>)],
            ["Freshness", <FreshnessFact key="freshness" id={data.id} />],
            ["External id", data.external_id],
            ["External page", data.external_url ? <ForeignLink url={data.external_url} /> : null],
            ["Tags", tags && tags.length > 0 ? <Tags tags={tags} max={50} /> : null],
          ]}
        />
      </Section>
      <Section title="Written and read by" flush>
        {lineage.error ? <Failure error={lineage.error} /> : lineage.data ? <Users id={data.id} answer={lineage.data} /> : <Loading what="jobs" />}
      </Section>
      <Section title="Columns" wide flush>
        {lineage.error ? <Failure error={lineage.error} /> : lineage.data ? <Columns id={data.id} answer={lineage.data} /> : <Loading what="columns" />}
      </Section>
      <SchemaHistory id={data.id} />
    </div>
  );
}

interface User {
  job: { id: string; name: string };
  how: string;
  at: string;
}

const userColumns: readonly Column<User>[] = [
  { header: "Job", cell: ({ job }) => <EntityLink entity={{ kind: "JOB", id: job.id }}>{job.name}</EntityLink>, width: "60%" },
  { header: "", cell: ({ how }) => how },
  { header: "Last", cell: ({ at }) => <Moment iso={at} /> },
];

function Users({ id, answer }: { id: string; answer: LineageAnswer }) {
  const user = (jobId: string, how: string, at: string): User => ({ job: { id: jobId, name: answer.nodes.jobs[jobId]?.name ?? jobId }, how, at });
  const { inputs, outputs } = answer.relations;
  const users = [
    ...outputs.filter((one) => one.to.id === id && one.from.kind === "JOB").map((one) => user(one.from.id, "writes", one.last_interaction_at)),
    ...inputs.filter((one) => one.from.id === id && one.to.kind === "JOB").map((one) => user(one.to.id, "reads", one.last_interaction_at)),
  ];
  if (users.length === 0) return <Empty title="No job">No job has written or read this dataset.</Empty>;
  return <DataTable caption="Jobs that write or read this dataset" columns={userColumns} items={users} rowKey={(one) => one.how + one.job.id} />;
}

function Columns({ id, answer }: { id: string; answer: LineageAnswer }) {
  const rows = flattenSchema(answer.nodes.datasets[id]?.schema);
  if (rows.length === 0) return <Empty title="No columns known">No producer has told the schema of this dataset.</Empty>;
  const columns: readonly Column<(typeof rows)[number]>[] = [
    { header: "Column", cell: (row) => <span className="mono">{row.name}</span> },
    { header: "Type", cell: (row) => <span className="mono muted">{row.type}</span> },
    { header: "Description", cell: (row) => row.description },
    {
      header: "",
      width: 120,
      cell: (row) => (
        <Link className="entity-link" to="/datasets/$id/lineage" params={{ id }} search={{ columns: true, focus: columnId(nodeId({ kind: "DATASET", id }), row.name) }} aria-label={`Lineage of column ${row.name}`}>
          Trace
        </Link>
      ),
    },
  ];
  return <DataTable caption="Columns" columns={columns} items={rows} rowKey={(row) => row.name} />;
}
