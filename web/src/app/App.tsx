/** Puts together theme, cache, router, and the gate that asks for a login. */
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect, useState, useSyncExternalStore } from "react";
import { LoginPage, RedirectPage } from "@/features/account/LoginPage";
import { ApiError } from "@/shared/api/client";
import { currentGate, subscribeGate } from "@/shared/api/session";
import { router } from "./router";
import { theme } from "./theme";

const retriesMax = 2;

function newClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        refetchOnWindowFocus: true,
        // What the server refuses it refuses again; only a silent or broken server is asked once more.
        retry: (count, error) => count < retriesMax && error instanceof ApiError && (error.status === 0 || error.status >= 502),
      },
    },
  });
}

export function App() {
  const [client] = useState(newClient);
  const gate = useSyncExternalStore(subscribeGate, currentGate);
  // Answers to somebody else are forgotten while nothing on a page waits for one.
  useEffect(() => {
    if (gate.kind !== "open") client.clear();
  }, [gate.kind, client]);
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      {gate.kind === "login" ? (
        <LoginPage />
      ) : gate.kind === "redirect" ? (
        <RedirectPage url={gate.url} />
      ) : (
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      )}
    </MantineProvider>
  );
}
