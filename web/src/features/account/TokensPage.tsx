/** Personal tokens: for programs that act in one's own name. */
import { Alert, Button, Code, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { createToken, renewToken, revokeToken } from "@/shared/api/actions";
import { pageSizeMax, tokensQuery } from "@/shared/api/queries";
import type { NewPersonalToken, PersonalTokenItem } from "@/shared/api/types";
import { Copy } from "@/shared/ui/bits";
import type { Column } from "@/shared/ui/DataTable";
import { PagedList } from "@/shared/ui/PagedList";
import { Failure } from "@/shared/ui/States";

type Task = { kind: "create" } | { kind: "renew" | "revoke"; item: PersonalTokenItem };

export function TokensPage() {
  const [page, setPage] = useState(1);
  const [task, setTask] = useState<Task | null>(null);
  const columns: readonly Column<PersonalTokenItem>[] = [
    { header: "Name", cell: ({ data }) => data.name },
    { header: "May", cell: ({ data }) => data.scopes.join(", ") },
    { header: "From", cell: ({ data }) => data.since },
    { header: "Until", cell: ({ data }) => data.until },
    {
      header: "",
      cell: (item) => (
        <Group gap={6} justify="flex-end">
          <Button size="compact-xs" variant="default" onClick={() => setTask({ kind: "renew", item })} aria-label={`Renew ${item.data.name}`}>
            Renew
          </Button>
          <Button size="compact-xs" variant="light" color="red" onClick={() => setTask({ kind: "revoke", item })} aria-label={`Revoke ${item.data.name}`}>
            Revoke
          </Button>
        </Group>
      ),
    },
  ];
  return (
    <>
      <PagedList
        title="Personal tokens"
        what="tokens"
        query={tokensQuery({ page, page_size: pageSizeMax })}
        columns={columns}
        rowKey={(item) => item.id}
        filtered={false}
        whenEmpty="A token lets a program, such as a producer of events, act in your name. Create one to begin."
        onPage={setPage}
        filters={
          <Button size="compact-sm" ml="auto" onClick={() => setTask({ kind: "create" })}>
            New token
          </Button>
        }
      />
      {task && <TaskDialog task={task} onClose={() => setTask(null)} />}
    </>
  );
}

const titles = { create: "New token", renew: "Renew token", revoke: "Revoke token" } as const;

function TaskDialog({ task, onClose }: { task: Task; onClose: () => void }) {
  const [name, setName] = useState("");
  const [until, setUntil] = useState("");
  const cache = useQueryClient();
  const act = useMutation<NewPersonalToken | undefined>({
    mutationFn: async () => {
      if (task.kind === "create") return createToken({ name, until: until === "" ? null : until });
      if (task.kind === "renew") return renewToken(task.item.id);
      await revokeToken(task.item.id);
      return undefined;
    },
    onSuccess: (created) => {
      void cache.invalidateQueries({ queryKey: ["v1/personal-tokens"] });
      if (created === undefined) onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={titles[task.kind]} closeButtonProps={{ "aria-label": "Close" }}>
      {act.data ? (
        <Secret token={act.data} onClose={onClose} />
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            act.mutate();
          }}
        >
          <Stack gap="sm">
            {act.error && <Failure error={act.error} />}
            {task.kind === "create" && <TextInput label="Name" required maxLength={256} value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />}
            {task.kind === "create" && (
              <TextInput type="date" label="Valid until" description="Empty: as long as the server allows" value={until} onChange={(event) => setUntil(event.currentTarget.value)} />
            )}
            {task.kind === "renew" && <Text size="sm">“{task.item.data.name}” gets a new secret. Programs that use the old one stop working at once.</Text>}
            {task.kind === "revoke" && <Text size="sm">Programs that use “{task.item.data.name}” stop working at once.</Text>}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" size="xs" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" size="xs" color={task.kind === "revoke" ? "red" : undefined} loading={act.isPending}>
                {task.kind === "create" ? "Create" : task.kind === "renew" ? "Renew" : "Revoke"}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

/** Shown once; the server keeps no copy. */
function Secret({ token, onClose }: { token: NewPersonalToken; onClose: () => void }) {
  return (
    <Stack gap="sm">
      <Alert color="teal" variant="light">
        Copy the token now: it is not shown again.
      </Alert>
      <Group gap={4} wrap="nowrap" align="flex-start">
        <Code block className="wrap-anywhere" flex={1} style={{ whiteSpace: "pre-wrap" }}>
          {token.content}
        </Code>
        <Copy text={token.content} label="Copy token" />
      </Group>
      <Button size="xs" onClick={onClose} ml="auto">
        Done
      </Button>
    </Stack>
  );
}
