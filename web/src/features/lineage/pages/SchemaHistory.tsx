/** Every schema a dataset had, and what each change means for those who read it. */
import { useQuery } from "@tanstack/react-query";
import { schemasQuery, type SchemaVersion } from "@/shared/api/extensions";
import { Moment } from "@/shared/ui/bits";
import { DataTable, type Column } from "@/shared/ui/DataTable";
import { EntityLink } from "../EntityLink";
import { Section } from "./Section";

const verdicts: Record<string, string> = {
  INITIAL: "first known",
  FULL: "compatible both ways",
  BACKWARD: "new readers can read old data",
  FORWARD: "old readers can read new data",
  BREAKING: "breaks readers",
};

const columns: readonly Column<SchemaVersion>[] = [
  { header: "First seen", width: 130, cell: (one) => <Moment iso={one.first_seen_at} /> },
  { header: "Last seen", width: 130, cell: (one) => <Moment iso={one.last_seen_at} /> },
  { header: "Columns", number: true, width: 80, cell: (one) => one.fields.length },
  { header: "Verdict", cell: (one) => <strong className={one.verdict === "BREAKING" ? "breaking" : ""}>{verdicts[one.verdict] ?? one.verdict}</strong> },
  { header: "Changes", cell: (one) => one.changes.map((change) => <div key={change}>{change}</div>) },
  { header: "Brought by", cell: (one) => (one.first_run_id === null ? "" : <EntityLink entity={{ kind: "RUN", id: one.first_run_id }}>run {one.first_run_id.slice(-4)}</EntityLink>) },
];

/** Nothing for a dataset with one schema, and for a server that keeps no history. */
export function SchemaHistory({ id }: { id: string }) {
  const versions = useQuery(schemasQuery(id)).data?.items ?? [];
  if (versions.length < 2) return null;
  return (
    <Section title="History of the schema" wide flush>
      <DataTable caption="Versions of the schema" columns={columns} items={versions} rowKey={(one) => `${one.schema_id} ${one.direction} ${one.first_seen_at}`} />
    </Section>
  );
}
