/** Who starts whom, and who waits for whom: parents, children and dependencies of a job. */
import { Group, Select, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { hierarchyQuery, jobQuery } from "@/shared/api/queries";
import type { HierarchyAnswer } from "@/shared/api/types";
import { beginning } from "@/shared/time";
import { DataTable, type Column } from "@/shared/ui/DataTable";
import { Empty, Failure, Loading } from "@/shared/ui/States";
import { EntityLink } from "../EntityLink";
import { EntityFrame } from "./EntityFrame";

export function HierarchyPage({ id }: { id: string }) {
  const [depth, setDepth] = useState(2);
  const [infer, setInfer] = useState(false);
  const job = useQuery(jobQuery(id)).data;
  const { data, error, isPending, refetch } = useQuery(hierarchyQuery(id, depth, beginning, infer));
  return (
    <EntityFrame kind="JOB" id={id} title={job?.data.name ?? id}>
      <Group px="md" py={7} gap="sm" className="lineage-toolbar" role="toolbar" aria-label="Hierarchy options">
        <Select
          size="xs"
          w={110}
          aria-label="Depth"
          allowDeselect={false}
          value={String(depth)}
          onChange={(value) => setDepth(Number(value ?? 1))}
          data={Array.from({ length: 10 }, (_, index) => ({ value: String(index + 1), label: `Depth ${index + 1}` }))}
        />
        <Switch size="xs" label="Also dependencies through data" checked={infer} onChange={(event) => setInfer(event.currentTarget.checked)} />
      </Group>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Loading what="hierarchy" /> : <Relations answer={data} id={id} />}
    </EntityFrame>
  );
}

interface Row {
  from: string;
  to: string;
  how: string;
}

function Relations({ answer, id }: { answer: HierarchyAnswer; id: string }) {
  const rows: Row[] = [
    ...answer.relations.parents.map(({ from, to }) => ({ from: from.id, to: to.id, how: "starts" })),
    ...answer.relations.dependencies.map(({ from, to, type }) => ({ from: from.id, to: to.id, how: dependencyText(type) })),
  ];
  if (rows.length === 0) return <Empty title="Stands alone">This job has no parent, no children and no dependencies that are known.</Empty>;
  const cell = (job: string) => (job === id ? <strong>{answer.nodes.jobs[job]?.name ?? job}</strong> : <EntityLink entity={{ kind: "JOB", id: job }}>{answer.nodes.jobs[job]?.name ?? job}</EntityLink>);
  const columns: readonly Column<Row>[] = [
    { header: "Job", cell: (row) => cell(row.from), width: "40%" },
    { header: "Relation", cell: (row) => row.how, width: "20%" },
    { header: "Job ", cell: (row) => cell(row.to) },
  ];
  return <DataTable caption="Hierarchy" columns={columns} items={rows} rowKey={(row) => `${row.from} ${row.how} ${row.to}`} />;
}

function dependencyText(type: string | null | undefined): string {
  if (!type) return "comes before";
  return type === "INFERRED_FROM_LINEAGE" ? "writes what is read by" : `comes before (${type.toLowerCase().replaceAll("_", " ")})`;
}
