/** The events of a run as its producer sent them. */
import { Button, Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { eventsQuery, type StoredEvent } from "@/shared/api/extensions";
import { Copy, Moment, Pager } from "@/shared/ui/bits";
import { DataTable, type Column } from "@/shared/ui/DataTable";
import { Section } from "./Section";

/** Nothing for a server that does not keep events. */
export function RunEvents({ id }: { id: string }) {
  const [page, setPage] = useState(1);
  const [shown, setShown] = useState<StoredEvent | null>(null);
  const answer = useQuery(eventsQuery(id, page)).data;
  if (!answer || answer.items.length === 0) return null;
  const columns: readonly Column<StoredEvent>[] = [
    { header: "Event", cell: ({ event }) => <span className="mono">{event?.eventType ?? "OTHER"}</span> },
    { header: "Time", cell: ({ event }) => <Moment iso={event?.eventTime} /> },
    { header: "Received", cell: (one) => <Moment iso={one.received_at} /> },
    { header: "Producer", cell: ({ event }) => <span className="wrap-anywhere muted">{event?.producer}</span> },
    {
      header: "",
      width: 110,
      cell: (one) => (
        <Button size="compact-xs" variant="default" onClick={() => setShown(one)}>
          Show event
        </Button>
      ),
    },
  ];
  const text = shown ? JSON.stringify(shown.event, null, 2) : "";
  return (
    <Section title="Events" wide flush>
      <DataTable caption="Events of this run" columns={columns} items={answer.items} rowKey={(one) => one.id} />
      <Pager meta={answer.meta} onPage={setPage} />
      <Modal opened={shown !== null} onClose={() => setShown(null)} size="xl" title="Event as it was received" closeButtonProps={{ "aria-label": "Close" }}>
        <Copy text={text} label="Copy event" />
        <pre className="sql" tabIndex={0} aria-label="Event">
          {text}
        </pre>
      </Modal>
    </Section>
  );
}
