/** What someone sees who is not signed in. */
import { Alert, Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState, type SyntheticEvent } from "react";
import { signIn } from "@/shared/api/actions";
import { leaveForLogin } from "@/shared/api/session";

/** With name and password. */
export function LoginPage() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    setBusy(true);
    signIn(name, password)
      .catch((failure: unknown) => setError(failure instanceof Error ? failure.message : String(failure)))
      .finally(() => setBusy(false));
  };
  return (
    <LoginFrame>
      <form onSubmit={submit}>
        <Stack gap="sm">
          {error !== null && (
            <Alert color="red" variant="light" role="alert">
              {error}
            </Alert>
          )}
          <TextInput label="Name" name="username" autoComplete="username" required value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
          <PasswordInput label="Password" name="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
          <Button type="submit" loading={busy}>
            Sign in
          </Button>
        </Stack>
      </form>
    </LoginFrame>
  );
}

/** At an identity provider, in another page. */
export function RedirectPage({ url }: { url: string }) {
  return (
    <LoginFrame>
      <Stack gap="sm">
        <Text size="sm">You sign in at {new URL(url).host} and come back here.</Text>
        <Button onClick={() => leaveForLogin(url)}>Continue to sign in</Button>
      </Stack>
    </LoginFrame>
  );
}

function LoginFrame({ children }: { children: React.ReactNode }) {
  return (
    <Center mih="100vh" component="main">
      <Paper withBorder p="xl" w={340} radius="md">
        <Title order={1} size="h4" mb="md">
          Headwater
        </Title>
        {children}
      </Paper>
    </Center>
  );
}
