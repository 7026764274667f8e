/** A run: when, how it went, by whom, its operations and the runs it started. */
import { useState } from "react";
import { operationsQuery, runQuery, runsQuery } from "@/shared/api/queries";
import type { IoStatistics, OperationItem, RunItem } from "@/shared/api/types";
import { formatBytes, formatExact, formatMoment } from "@/shared/format";
import { Copy, ForeignLink, Moment, Took } from "@/shared/ui/bits";
import type { Column } from "@/shared/ui/DataTable";
import { PagedTable } from "@/shared/ui/PagedList";
import { StatusBadge } from "@/shared/ui/StatusBadge";
import { EntityLink } from "../EntityLink";
import { EntityFrame } from "./EntityFrame";
import { runColumns, runName } from "./lists";
import { RunEvents } from "./RunEvents";
import { Facts, Section } from "./Section";
import { useEntity } from "./useEntity";

export const operationColumns: readonly Column<OperationItem>[] = [
  { header: "Operation", cell: ({ data }) => <EntityLink entity={{ kind: "OPERATION", id: data.id }}>{data.name}</EntityLink>, width: "34%" },
  { header: "Type", cell: ({ data }) => <span className="mono">{data.type}</span> },
  { header: "State", cell: ({ data }) => <StatusBadge status={data.status} /> },
  { header: "Started", cell: ({ data }) => <Moment iso={data.started_at ?? data.created_at} /> },
  { header: "Took", cell: ({ data }) => <Took from={data.started_at} to={data.ended_at} /> },
  { header: "Rows read", number: true, cell: ({ statistics }) => rows(statistics.inputs) },
  { header: "Rows written", number: true, cell: ({ statistics }) => rows(statistics.outputs) },
];

function rows({ total_rows }: IoStatistics): string {
  return total_rows ? formatExact(total_rows) : "–";
}

const childColumns = runColumns(true);

export function RunPage({ id }: { id: string }) {
  const [page, setPage] = useState(1);
  const [childPage, setChildPage] = useState(1);
  const found = useEntity(runQuery(id), "run", id);
  if ("instead" in found) return found.instead;
  const { item } = found;
  return (
    <EntityFrame kind="RUN" id={id} title={`${item.job.name} · ${runName(item.data)}`} aside={<StatusBadge status={item.data.status} />}>
      <div className="sections">
        <RunFacts item={item} />
        <Section title="Data">
          <Facts
            facts={[
              ["Read", ioText(item.statistics.inputs)],
              ["Written", ioText(item.statistics.outputs)],
              ["Operations", formatExact(item.statistics.operations.total_operations ?? 0)],
            ]}
          />
        </Section>
        <Section title="Operations" wide flush>
          <PagedTable
            title="Operations of this run"
            what="operations"
            query={operationsQuery({ run_id: id, page })}
            columns={operationColumns}
            rowKey={(one) => one.id}
            filtered={false}
            whenEmpty="This run has touched no dataset so far."
            onPage={setPage}
          />
        </Section>
        <Section title="Runs started by this one" wide flush>
          <PagedTable
            title="Runs started by this one"
            what="runs"
            query={runsQuery({ parent_run_id: id, page: childPage })}
            columns={childColumns}
            rowKey={(one) => one.id}
            filtered={false}
            whenEmpty="No run names this one as its parent."
            onPage={setChildPage}
          />
        </Section>
        <RunEvents id={id} />
      </div>
    </EntityFrame>
  );
}

function RunFacts({ item: { data, job } }: { item: RunItem }) {
  return (
    <Section title="Run">
      <Facts
        facts={[
          ["Job", <EntityLink key="job" entity={{ kind: "JOB", id: job.id }}>{job.name}</EntityLink>],
          ["Id", <span key="id"><span className="mono">{data.id}</span> <Copy text={data.id} label="Copy id" /></span>],
          ["External id", data.external_id ? <span key="external"><span className="mono">{data.external_id}</span> <Copy text={data.external_id} label="Copy external id" /></span> : null],
          ["Started", data.started_at ? formatMoment(data.started_at) : null],
          ["Ended", data.ended_at ? formatMoment(data.ended_at) : null],
          ["Took", <Took key="took" from={data.started_at} to={data.ended_at} />],
          ["Reason of the end", data.end_reason],
          ["Started by", [data.started_by_user?.name, data.start_reason?.toLowerCase()].filter(Boolean).join(", ")],
          ["Attempt", data.attempt],
          ["Planned for", data.expected_start_at ? formatMoment(data.expected_start_at) : null],
          ["Parent run", data.parent_run_id ? <EntityLink key="parent" entity={{ kind: "RUN", id: data.parent_run_id }}>{data.parent_run_id}</EntityLink> : null],
          ["Log while running", data.running_log_url ? <ForeignLink key="running" url={data.running_log_url} /> : null],
          ["Log afterwards", data.persistent_log_url ? <ForeignLink key="persistent" url={data.persistent_log_url} /> : null],
        ]}
      />
    </Section>
  );
}

/** `3 datasets, 1,200 rows, 4.5 MiB`; what is zero is not known and left out. */
export function ioText({ total_datasets, total_rows, total_bytes, total_files }: IoStatistics): string {
  const parts = [`${total_datasets ?? 0} ${total_datasets === 1 ? "dataset" : "datasets"}`];
  if (total_rows) parts.push(`${formatExact(total_rows)} rows`);
  if (total_bytes) parts.push(formatBytes(total_bytes));
  if (total_files) parts.push(`${formatExact(total_files)} files`);
  return parts.join(", ");
}
