/** One search over datasets, jobs and runs; keys alone are enough. */
import { Modal, ScrollArea, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconDatabase, IconPlayerPlay, IconSearch, IconSettings } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState, type KeyboardEvent } from "react";
import { datasetsQuery, jobsQuery, runsQuery } from "@/shared/api/queries";
import { searchLengthMin } from "@/shared/ui/SearchBox";

interface Hit {
  to: "/datasets/$id" | "/jobs/$id" | "/runs/$id";
  id: string;
  name: string;
  where: string;
}

const icons = { "/datasets/$id": IconDatabase, "/jobs/$id": IconSettings, "/runs/$id": IconPlayerPlay } as const;
const hitsPerKind = 6;

function useHits(text: string): { hits: Hit[]; searching: boolean } {
  const enabled = text.length >= searchLengthMin;
  const query = { search_query: text, page_size: hitsPerKind };
  const [datasets, jobs, runs] = useQueries({
    queries: [
      { ...datasetsQuery(query), enabled },
      { ...jobsQuery(query), enabled },
      { ...runsQuery(query), enabled },
    ],
  });
  const hits = useMemo<Hit[]>(() => {
    if (!enabled) return [];
    return [
      ...(datasets.data?.items ?? []).map(({ data }) => ({ to: "/datasets/$id" as const, id: data.id, name: data.name, where: `${data.location.type}://${data.location.name}` })),
      ...(jobs.data?.items ?? []).map(({ data }) => ({ to: "/jobs/$id" as const, id: data.id, name: data.name, where: data.type })),
      ...(runs.data?.items ?? []).map(({ data, job }) => ({ to: "/runs/$id" as const, id: data.id, name: job.name, where: data.external_id ?? data.id })),
    ];
  }, [enabled, datasets.data, jobs.data, runs.data]);
  return { hits, searching: datasets.isFetching || jobs.isFetching || runs.isFetching };
}

/** The dialog. */
export function GlobalSearch({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const [settled] = useDebouncedValue(text.trim(), 180);
  const { hits, searching } = useHits(settled);
  const navigate = useNavigate();
  const chosen = Math.min(active, hits.length - 1);
  const open = (hit: Hit | undefined): void => {
    if (!hit) return;
    onClose();
    void navigate({ to: hit.to, params: { id: hit.id } });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") setActive(Math.min(chosen + 1, hits.length - 1));
    else if (event.key === "ArrowUp") setActive(Math.max(chosen - 1, 0));
    else if (event.key === "Enter") open(hits[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal opened onClose={onClose} withCloseButton={false} padding="xs" size={560} yOffset="12vh" aria-label="Search everything">
      <TextInput
        data-autofocus
        type="search"
        role="combobox"
        aria-label="Search everything"
        aria-expanded={hits.length > 0}
        aria-controls="hits"
        aria-activedescendant={hits.length > 0 ? `hit-${chosen}` : undefined}
        placeholder="Datasets, jobs, runs"
        leftSection={<IconSearch size={15} aria-hidden />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ScrollArea.Autosize mah="50vh" mt={6}>
        <div id="hits" role="listbox" aria-label="Found">
          {hits.map((hit, index) => {
            const Icon = icons[hit.to];
            return (
              <div key={hit.to + hit.id} id={`hit-${index}`} role="option" aria-selected={index === chosen} data-active={index === chosen} className="hit" onMouseEnter={() => setActive(index)} onClick={() => open(hit)}>
                <Icon size={15} aria-hidden style={{ flex: "none" }} />
                <span className="hit-name">{hit.name}</span>
                <span className="hit-where">{hit.where}</span>
              </div>
            );
          })}
        </div>
        <Text size="xs" c="dimmed" p={6} role="status">
          {text.trim().length < searchLengthMin ? `Type ${searchLengthMin} letters or more.` : searching ? "Searching…" : hits.length === 0 ? "Nothing found." : ""}
        </Text>
      </ScrollArea.Autosize>
    </Modal>
  );
}
