/** Events that could not be taken in: why, what they were, and a second try. */
import { Box, Button, Modal, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { discardQuarantined, quarantineQuery, replayQuarantined, type QuarantinedEvent } from "@/shared/api/extensions";
import { formatBytes } from "@/shared/format";
import { Copy, Moment, Pager } from "@/shared/ui/bits";
import { DataTable, type Column } from "@/shared/ui/DataTable";
import { PageHead } from "@/shared/ui/PagedList";
import { Empty, Failure, Loading } from "@/shared/ui/States";
import type { ListSearch } from "../model/list";
import { useListSearch } from "./lists";

export function QuarantinePage({ search }: { search: ListSearch }) {
  const change = useListSearch();
  const { data, error, isPending, refetch } = useQuery(quarantineQuery({ page: search.page }));
  return (
    <Box component="section" aria-label="Quarantine">
      <PageHead title="Quarantine">
        <Text size="sm" c="dimmed">
          Events that were set aside, so that the others of their batch could land.
        </Text>
      </PageHead>
      {error ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <Loading what="quarantined events" />
      ) : data === null ? (
        <Empty title="This server keeps no quarantine">It is a server of another kind, or of an older version.</Empty>
      ) : data.items.length === 0 ? (
        <Empty title="Nothing in quarantine">Every event received so far could be taken in.</Empty>
      ) : (
        <>
          <EventTable events={data.items} />
          <Pager meta={data.meta} onPage={(page) => change({ page })} />
        </>
      )}
    </Box>
  );
}

function EventTable({ events }: { events: readonly QuarantinedEvent[] }) {
  const [shown, setShown] = useState<QuarantinedEvent | null>(null);
  const columns: readonly Column<QuarantinedEvent>[] = [
    { header: "Received", cell: (event) => <Moment iso={event.received_at} />, width: 130 },
    { header: "Reason", cell: (event) => <span className="wrap-anywhere">{event.reason}</span> },
    { header: "Kind", cell: (event) => <span className="mono">{event.code}</span>, width: 150 },
    { header: "From", cell: (event) => event.source, width: 90 },
    { header: "Tries", number: true, cell: (event) => event.tries, width: 70 },
    {
      header: "",
      width: 270,
      cell: (event) => (
        <div style={{ display: "flex", gap: 6, justifyContent: "flex-end" }}>
          <Button size="compact-xs" variant="default" onClick={() => setShown(event)}>
            Show event
          </Button>
          <Action label="Try again" act={() => replayQuarantined(event.id)} />
          <Action label="Discard" act={() => discardQuarantined(event.id)} />
        </div>
      ),
    },
  ];
  return (
    <>
      <DataTable caption="Quarantined events" columns={columns} items={events} rowKey={(event) => event.id} />
      <Modal opened={shown !== null} onClose={() => setShown(null)} size="xl" title="Event as it was received" closeButtonProps={{ "aria-label": "Close" }}>
        {shown && (
          <>
            <Text size="sm" mb="sm" className="wrap-anywhere">
              {shown.reason} {shown.bytes > shown.body.length && `(the beginning of ${formatBytes(shown.bytes)})`} <Copy text={shown.body} label="Copy event" />
            </Text>
            <pre className="sql" tabIndex={0} aria-label="Event">
              {pretty(shown.body)}
            </pre>
          </>
        )}
      </Modal>
    </>
  );
}

function Action({ label, act }: { label: string; act: () => Promise<void> }) {
  const cache = useQueryClient();
  const action = useMutation({
    mutationFn: act,
    // Whatever became of it, the catalog and the quarantine may have changed.
    onSettled: () => cache.invalidateQueries(),
  });
  return (
    <Button size="compact-xs" variant="light" loading={action.isPending} color={action.error ? "red" : undefined} title={action.error?.message} onClick={() => action.mutate()}>
      {action.error ? "Failed" : label}
    </Button>
  );
}

/** Indented when it is JSON, as it is otherwise. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
