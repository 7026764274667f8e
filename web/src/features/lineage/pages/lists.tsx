/** The lists: datasets, jobs, runs, operations, locations. */
import { Anchor } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { datasetsQuery, jobsQuery, runsSinceQuery } from "@/shared/api/queries";
import type { DatasetItem, JobItem, RunItem } from "@/shared/api/types";
import { formatBytes, formatCount } from "@/shared/format";
import { Moment, Tags, Took } from "@/shared/ui/bits";
import type { Column } from "@/shared/ui/DataTable";
import { PagedList } from "@/shared/ui/PagedList";
import { SearchBox, searchLengthMin } from "@/shared/ui/SearchBox";
import { StatusBadge } from "@/shared/ui/StatusBadge";
import { EntityLink } from "../EntityLink";
import { LocationMark } from "../LocationMark";
import { isFiltered, type ListSearch } from "../model/list";
import { JobTypeFilter, LocationTypeFilter, StatusFilter, TagFilter } from "./filters";

interface ListProps {
  search: ListSearch;
}

/** Changes the filters in the address; the list starts over at its first page. */
export function useListSearch(): (change: Partial<ListSearch>) => void {
  const navigate = useNavigate();
  return (change) => void navigate({ to: ".", search: (old: object) => ({ ...old, page: 1, ...change }), replace: "q" in change });
}

/** Shorter text is not sent: the server refuses it. */
export function searchText(q: string): string | null {
  return q.length < searchLengthMin ? null : q;
}

const datasetColumns: readonly Column<DatasetItem>[] = [
  { header: "Name", cell: ({ data }) => <EntityLink entity={{ kind: "DATASET", id: data.id }}>{data.name}</EntityLink>, width: "45%" },
  { header: "Location", cell: ({ data }) => <LocationMark location={data.location} /> },
  { header: "Tags", cell: ({ tags }) => <Tags tags={tags} /> },
  { header: "", cell: ({ data }) => <LineageLink kind="datasets" id={data.id} name={data.name} />, width: 80 },
];

export function DatasetsPage({ search }: ListProps) {
  const change = useListSearch();
  const { page, q, location, tag, at } = search;
  return (
    <PagedList
      title="Datasets"
      what="datasets"
      query={datasetsQuery({ page, search_query: searchText(q), location_type: location, tag_value_id: tag, location_id: at })}
      columns={datasetColumns}
      rowKey={(item) => item.id}
      filtered={isFiltered(search)}
      whenEmpty={<NothingIngested />}
      onPage={(next) => change({ page: next })}
      filters={
        <>
          <SearchBox label="Search datasets" value={q} onChange={(value) => change({ q: value })} />
          <LocationTypeFilter value={location} onChange={(value) => change({ location: value })} />
          <TagFilter value={tag} onChange={(value) => change({ tag: value })} />
        </>
      }
    />
  );
}

const jobColumns: readonly Column<JobItem>[] = [
  { header: "Name", cell: ({ data }) => <EntityLink entity={{ kind: "JOB", id: data.id }}>{data.name}</EntityLink>, width: "36%" },
  { header: "Type", cell: ({ data }) => <span className="mono">{data.type}</span> },
  { header: "Location", cell: ({ data }) => <LocationMark location={data.location} /> },
  {
    header: "Last run",
    cell: ({ last_run: run }) => (run ? <StatusBadge status={run.status} /> : <span className="muted">never</span>),
  },
  { header: "Started", cell: ({ last_run: run }) => <Moment iso={run?.started_at ?? run?.created_at} /> },
  { header: "", cell: ({ data }) => <LineageLink kind="jobs" id={data.id} name={data.name} />, width: 80 },
];

export function JobsPage({ search }: ListProps) {
  const change = useListSearch();
  const { page, q, type, location, tag, at } = search;
  return (
    <PagedList
      title="Jobs"
      what="jobs"
      query={jobsQuery({ page, search_query: searchText(q), job_type: type, location_type: location, tag_value_id: tag, location_id: at })}
      columns={jobColumns}
      rowKey={(item) => item.id}
      filtered={isFiltered(search)}
      whenEmpty={<NothingIngested />}
      onPage={(next) => change({ page: next })}
      filters={
        <>
          <SearchBox label="Search jobs" value={q} onChange={(value) => change({ q: value })} />
          <JobTypeFilter value={type} onChange={(value) => change({ type: value })} />
          <LocationTypeFilter value={location} onChange={(value) => change({ location: value })} />
          <TagFilter value={tag} onChange={(value) => change({ tag: value })} />
        </>
      }
    />
  );
}

/** Columns of runs; inside the page of a job its name is left out. */
export function runColumns(withJob: boolean): readonly Column<RunItem>[] {
  const job: Column<RunItem> = { header: "Job", cell: ({ job: one }) => <EntityLink entity={{ kind: "JOB", id: one.id }}>{one.name}</EntityLink>, width: "30%" };
  return [
    { header: "Run", cell: ({ data }) => <EntityLink entity={{ kind: "RUN", id: data.id }}>{runName(data)}</EntityLink> },
    ...(withJob ? [job] : []),
    { header: "State", cell: ({ data }) => <StatusBadge status={data.status} /> },
    { header: "Started", cell: ({ data }) => <Moment iso={data.started_at ?? data.created_at} /> },
    { header: "Took", cell: ({ data }) => <Took from={data.started_at} to={data.ended_at} /> },
    { header: "Read", number: true, cell: ({ statistics }) => amount(statistics.inputs.total_rows, statistics.inputs.total_bytes) },
    { header: "Written", number: true, cell: ({ statistics }) => amount(statistics.outputs.total_rows, statistics.outputs.total_bytes) },
  ];
}

const allRunColumns = runColumns(true);

/** The client's own name of a run, else the beginning of its id and the end, where the random part is. */
export function runName(run: { id: string; external_id?: string | null }): string {
  return run.external_id ?? `${run.id.slice(0, 8)}…${run.id.slice(-4)}`;
}

function amount(rows: number | undefined, bytes: number | undefined): string {
  if (rows) return `${formatCount(rows)} ${rows === 1 ? "row" : "rows"}`;
  return bytes ? formatBytes(bytes) : "–";
}

export function RunsPage({ search }: ListProps) {
  const change = useListSearch();
  const { page, q, type, status, job, since } = search;
  return (
    <PagedList
      title="Runs"
      what="runs"
      query={runsSinceQuery({ page, search_query: searchText(q), job_type: type, status, job_id: job }, since)}
      columns={allRunColumns}
      rowKey={(item) => item.id}
      filtered={isFiltered(search)}
      whenEmpty={<NothingIngested />}
      onPage={(next) => change({ page: next })}
      filters={
        <>
          <SearchBox label="Search runs by job or external id" value={q} onChange={(value) => change({ q: value })} />
          <StatusFilter value={status} onChange={(value) => change({ status: value })} />
          <JobTypeFilter value={type} onChange={(value) => change({ type: value })} />
          {job !== "" && (
            <Anchor component="button" size="sm" onClick={() => change({ job: "" })}>
              Runs of all jobs
            </Anchor>
          )}
        </>
      }
    />
  );
}

function LineageLink({ kind, id, name }: { kind: "datasets" | "jobs"; id: string; name: string }) {
  return (
    <Link className="entity-link nowrap" to={`/${kind}/$id/lineage`} params={{ id }} search={{}} aria-label={`Lineage of ${name}`}>
      Lineage
    </Link>
  );
}

/** What to do about an empty catalog. */
export function NothingIngested() {
  return (
    <>
      Nothing has been received. Point a producer of OpenLineage events here, such as a job of Headwater with <code>openlineage.yml</code>: its HTTP transport posts to{" "}
      <code>{window.location.origin}/v1/openlineage</code>.
    </>
  );
}
