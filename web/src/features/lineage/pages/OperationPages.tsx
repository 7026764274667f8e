/** Operations: the list of those of a run, and the page of one with its SQL. */
import { useQuery } from "@tanstack/react-query";
import { operationQuery, operationsQuery, runQuery, runsQuery } from "@/shared/api/queries";
import { formatMoment } from "@/shared/format";
import { Copy, Moment, Took } from "@/shared/ui/bits";
import { DataTable, type Column } from "@/shared/ui/DataTable";
import { PagedList, PageHead } from "@/shared/ui/PagedList";
import { SearchBox } from "@/shared/ui/SearchBox";
import { Empty, Failure, Loading } from "@/shared/ui/States";
import { StatusBadge } from "@/shared/ui/StatusBadge";
import type { RunItem } from "@/shared/api/types";
import { Anchor, Box, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { EntityLink } from "../EntityLink";
import type { ListSearch } from "../model/list";
import { EntityFrame } from "./EntityFrame";
import { NothingIngested, searchText, useListSearch } from "./lists";
import { ioText, operationColumns } from "./RunPage";
import { Facts, Section } from "./Section";
import { useEntity } from "./useEntity";

export function OperationsPage({ search }: { search: ListSearch }) {
  const change = useListSearch();
  if (search.run === "") return <ChooseRun search={search} />;
  return (
    <PagedList
      title="Operations"
      what="operations"
      query={operationsQuery({ run_id: search.run, page: search.page })}
      columns={operationColumns}
      rowKey={(item) => item.id}
      filtered={false}
      whenEmpty="This run has touched no dataset so far."
      onPage={(page) => change({ page })}
      filters={<ChosenRun id={search.run} onClear={() => change({ run: "" })} />}
    />
  );
}

function ChosenRun({ id, onClear }: { id: string; onClear: () => void }) {
  const run = useQuery(runQuery(id)).data;
  return (
    <Text size="sm">
      of run <EntityLink entity={{ kind: "RUN", id }}>{run ? run.job.name : id}</EntityLink>
      {run && <span className="muted"> ({formatMoment(run.data.started_at ?? run.data.created_at)})</span>}{" "}
      <Anchor component="button" size="sm" onClick={onClear}>
        choose another
      </Anchor>
    </Text>
  );
}

const choiceColumns: readonly Column<RunItem>[] = [
  {
    header: "Run",
    width: "45%",
    cell: ({ data, job }) => (
      <Link className="entity-link" to="/operations" search={{ run: data.id }}>
        {job.name}
      </Link>
    ),
  },
  { header: "State", cell: ({ data }) => <StatusBadge status={data.status} /> },
  { header: "Started", cell: ({ data }) => <Moment iso={data.started_at ?? data.created_at} /> },
  { header: "Operations", number: true, cell: ({ statistics }) => statistics.operations.total_operations ?? 0 },
];

/** Operations belong to a run: it is chosen first. */
function ChooseRun({ search }: { search: ListSearch }) {
  const change = useListSearch();
  const { data, error, isPending, refetch } = useQuery(runsQuery({ search_query: searchText(search.q), page: search.page }));
  return (
    <Box component="section" aria-label="Operations">
      <PageHead title="Operations">
        <SearchBox label="Search runs by job or external id" value={search.q} onChange={(q) => change({ q })} />
        <Text size="sm" c="dimmed">
          Choose the run whose operations you want to see.
        </Text>
      </PageHead>
      {error ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <Loading what="runs" />
      ) : data.items.length === 0 ? (
        <Empty title={search.q === "" ? "No runs yet" : "No runs match"}>{search.q === "" ? <NothingIngested /> : "Search for less."}</Empty>
      ) : (
        <DataTable caption="Runs" columns={choiceColumns} items={data.items} rowKey={(item) => item.id} />
      )}
    </Box>
  );
}

export function OperationPage({ id }: { id: string }) {
  const found = useEntity(operationQuery(id), "operation", id);
  if ("instead" in found) return found.instead;
  const { data, statistics } = found.item;
  return (
    <EntityFrame kind="OPERATION" id={id} title={data.name} aside={<StatusBadge status={data.status} />}>
      <div className="sections">
        <Section title="Operation">
          <Facts
            facts={[
              ["Run", <EntityLink key="run" entity={{ kind: "RUN", id: data.run_id }}>{data.run_id}</EntityLink>],
              ["Type", <span key="type" className="mono">{data.type}</span>],
              ["Group", data.group],
              ["Position", data.position],
              ["Description", data.description],
              ["Started", data.started_at ? formatMoment(data.started_at) : null],
              ["Ended", data.ended_at ? formatMoment(data.ended_at) : null],
              ["Took", <Took key="took" from={data.started_at} to={data.ended_at} />],
            ]}
          />
        </Section>
        <Section title="Data">
          <Facts
            facts={[
              ["Read", ioText(statistics.inputs)],
              ["Written", ioText(statistics.outputs)],
            ]}
          />
        </Section>
        {data.sql_query !== null && (
          <Section title="SQL" wide>
            <div style={{ float: "right" }}>
              <Copy text={data.sql_query} label="Copy SQL" />
            </div>
            <pre className="sql" tabIndex={0} aria-label="SQL text">
              {data.sql_query}
            </pre>
          </Section>
        )}
      </div>
    </EntityFrame>
  );
}
