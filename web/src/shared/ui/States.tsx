/** What a page says when there is nothing to show: it loads, it failed, there is nothing, or nothing matches. */
import { Alert, Button, Center, Loader, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { ApiError } from "@/shared/api/client";

/** Shown while the first answer is on its way. */
export function Loading({ what }: { what: string }) {
  return (
    <Center p="xl" role="status">
      <Loader size="sm" mr="sm" aria-hidden />
      <Text size="sm" c="dimmed">
        Loading {what}…
      </Text>
    </Center>
  );
}

/** Why a question failed, and a way to ask again. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  const requestId = error instanceof ApiError ? error.requestId : null;
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} aria-hidden />} title={titleOf(error)} role="alert" m="md">
      <Text size="sm">{error.message}</Text>
      {detailsOf(error).map((line) => (
        <Text size="sm" key={line}>
          {line}
        </Text>
      ))}
      {requestId !== null && (
        <Text size="xs" c="dimmed" mt={4}>
          Request {requestId}
        </Text>
      )}
      {retry && (
        <Button size="compact-sm" variant="default" mt="sm" onClick={retry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

function titleOf(error: Error): string {
  if (!(error instanceof ApiError)) return "This page failed";
  if (error.status === 0) return "No connection";
  if (error.status === 403) return "Not allowed";
  if (error.status === 404) return "Not there";
  if (error.status === 422) return "The server does not accept this question";
  return "The server failed";
}

/** For refused parameters: which, and why. */
function detailsOf(error: Error): string[] {
  if (!(error instanceof ApiError) || !Array.isArray(error.details)) return [];
  return (error.details as { location?: unknown[]; message?: string }[]).map(
    (one) => `${(one.location ?? []).join(".")}: ${one.message ?? "refused"}`,
  );
}

/** Nothing there, in words that say why and what to do. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Center p="xl" data-testid="empty">
      <Stack gap={4} align="center" maw={460}>
        <Title order={2} size="h5">
          {title}
        </Title>
        <Text size="sm" c="dimmed" ta="center" component="div">
          {children}
        </Text>
      </Stack>
    </Center>
  );
}
