/** Where datasets and jobs live: clusters, databases, hosts. The id in another system is the one thing to edit. */
import { ActionIcon, Button, Group, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { IconPencil } from "@tabler/icons-react";
import { useState } from "react";
import { setLocationExternalId } from "@/shared/api/actions";
import { locationsQuery } from "@/shared/api/queries";
import type { LocationItem } from "@/shared/api/types";
import { formatExact } from "@/shared/format";
import type { Column } from "@/shared/ui/DataTable";
import { PagedList } from "@/shared/ui/PagedList";
import { SearchBox } from "@/shared/ui/SearchBox";
import { isFiltered, type ListSearch } from "../model/list";
import { LocationTypeFilter } from "./filters";
import { NothingIngested, searchText, useListSearch } from "./lists";

const columns: readonly Column<LocationItem>[] = [
  { header: "Type", cell: ({ data }) => <span className="location-type">{data.type}</span>, width: 110 },
  { header: "Name", cell: ({ data }) => <span className="wrap-anywhere">{data.name}</span> },
  { header: "Addresses", cell: ({ data }) => data.addresses.map((one) => <div className="mono" key={one.url}>{one.url}</div>) },
  { header: "External id", cell: ({ data }) => <ExternalId id={data.id} name={data.name} value={data.external_id} /> },
  { header: "Datasets", number: true, cell: ({ id, statistics }) => <CountLink to="/datasets" id={id} count={statistics.datasets.total_datasets} /> },
  { header: "Jobs", number: true, cell: ({ id, statistics }) => <CountLink to="/jobs" id={id} count={statistics.jobs.total_jobs} /> },
];

function CountLink({ to, id, count }: { to: "/datasets" | "/jobs"; id: string; count: number }) {
  if (count === 0) return <span className="muted">0</span>;
  return (
    <Link className="entity-link" to={to} search={{ at: id }}>
      {formatExact(count)}
    </Link>
  );
}

function ExternalId({ id, name, value }: { id: string; name: string; value: string | null }) {
  const [text, setText] = useState<string | null>(null);
  const cache = useQueryClient();
  const save = useMutation({
    mutationFn: (next: string) => setLocationExternalId(id, next === "" ? null : next),
    onSuccess: () => {
      setText(null);
      return cache.invalidateQueries({ queryKey: ["v1/locations"] });
    },
  });
  if (text === null) {
    return (
      <Group gap={4} wrap="nowrap">
        <span className={value === null ? "muted" : ""}>{value ?? "–"}</span>
        <ActionIcon variant="subtle" color="gray" size="xs" aria-label={`Edit external id of ${name}`} onClick={() => setText(value ?? "")}>
          <IconPencil size={13} />
        </ActionIcon>
      </Group>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(text.trim());
      }}
    >
      <Group gap={4} wrap="nowrap" align="flex-start">
        <TextInput size="xs" aria-label="External id" value={text} onChange={(event) => setText(event.currentTarget.value)} error={save.error?.message} data-autofocus autoFocus />
        <Button size="xs" type="submit" loading={save.isPending}>
          Save
        </Button>
        <Button size="xs" variant="subtle" color="gray" onClick={() => setText(null)}>
          Cancel
        </Button>
      </Group>
    </form>
  );
}

export function LocationsPage({ search }: { search: ListSearch }) {
  const change = useListSearch();
  return (
    <PagedList
      title="Locations"
      what="locations"
      query={locationsQuery({ page: search.page, search_query: searchText(search.q), location_type: search.location })}
      columns={columns}
      rowKey={(item) => item.id}
      filtered={isFiltered(search)}
      whenEmpty={<NothingIngested />}
      onPage={(page) => change({ page })}
      filters={
        <>
          <SearchBox label="Search locations" value={search.q} onChange={(q) => change({ q })} />
          <LocationTypeFilter value={search.location} onChange={(location) => change({ location })} />
        </>
      }
    />
  );
}
