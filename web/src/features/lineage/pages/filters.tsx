/** Filters that several lists share. */
import { MultiSelect, type MultiSelectProps } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { jobTypesQuery, locationTypesQuery, tagsQuery } from "@/shared/api/queries";
import { statusLook } from "@/shared/ui/status";

interface FilterProps {
  value: string[];
  onChange: (value: string[]) => void;
}

function Filter({ label, value, ...rest }: MultiSelectProps & { label: string; value: string[] }) {
  return (
    <MultiSelect
      size="xs"
      clearable
      searchable
      aria-label={label}
      placeholder={value.length === 0 ? label : undefined}
      value={value}
      comboboxProps={{ width: 260, position: "bottom-start" }}
      maw={280}
      miw={130}
      nothingFoundMessage="Nothing to choose"
      {...rest}
      label={undefined}
    />
  );
}

export function LocationTypeFilter(props: FilterProps) {
  const types = useQuery(locationTypesQuery).data ?? [];
  return <Filter label="Location type" data={withChosen(types, props.value)} {...props} />;
}

export function JobTypeFilter(props: FilterProps) {
  const types = useQuery(jobTypesQuery).data ?? [];
  return <Filter label="Job type" data={withChosen(types, props.value)} {...props} />;
}

const statuses = ["STARTED", "SUCCEEDED", "FAILED", "KILLED", "UNKNOWN"];

export function StatusFilter(props: FilterProps) {
  return <Filter label="State" data={statuses.map((value) => ({ value, label: statusLook(value).label }))} {...props} />;
}

export function TagFilter(props: FilterProps) {
  const tags = useQuery(tagsQuery).data ?? [];
  const data = tags.map((tag) => ({
    group: tag.name,
    items: (tag.values ?? []).map((one) => ({ value: String(one.id), label: `${tag.name}: ${one.value}` })),
  }));
  return <Filter label="Tags" data={data} {...props} />;
}

/** A type from the address that the server does not list can still be taken away. */
function withChosen(known: readonly string[], chosen: readonly string[]): string[] {
  return [...new Set([...known, ...chosen])];
}
