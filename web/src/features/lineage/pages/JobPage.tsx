/** A job: what and where it is, and its runs. */
import { useState } from "react";
import { jobQuery, runsQuery } from "@/shared/api/queries";
import { Moment, Tags } from "@/shared/ui/bits";
import { PagedTable } from "@/shared/ui/PagedList";
import { StatusBadge } from "@/shared/ui/StatusBadge";
import { EntityLink } from "../EntityLink";
import { LocationMark } from "../LocationMark";
import { EntityFrame } from "./EntityFrame";
import { runColumns } from "./lists";
import { Facts, Section } from "./Section";
import { useEntity } from "./useEntity";

const columns = runColumns(false);

export function JobPage({ id }: { id: string }) {
  const [page, setPage] = useState(1);
  const found = useEntity(jobQuery(id), "job", id);
  if ("instead" in found) return found.instead;
  const { data, tags, last_run: run } = found.item;
  return (
    <EntityFrame kind="JOB" id={id} title={data.name} aside={run && <StatusBadge status={run.status} />}>
      <div className="sections">
        <Section title="Job">
          <Facts
            facts={[
              ["Name", <span className="mono" key="name">{data.name}</span>],
              ["Type", <span className="mono" key="type">{data.type}</span>],
              ["Location", <LocationMark key="location" location={data.location} />],
              ["Part of", data.parent_job_id ? <EntityLink key="parent" entity={{ kind: "JOB", id: data.parent_job_id }}>job {data.parent_job_id}</EntityLink> : null],
              ["Last started", <Moment key="started" iso={run?.started_at ?? run?.created_at} />],
              ["Tags", tags && tags.length > 0 ? <Tags key="tags" tags={tags} max={50} /> : null],
            ]}
          />
        </Section>
        <Section title="Runs" wide flush>
          <PagedTable
            title="Runs of this job"
            what="runs"
            query={runsQuery({ job_id: id, page })}
            columns={columns}
            rowKey={(item) => item.id}
            filtered={false}
            whenEmpty="This job is known only by name: a child named it as its parent, or its events have not arrived."
            onPage={setPage}
          />
        </Section>
      </div>
    </EntityFrame>
  );
}
