import "@mantine/core/styles.css";
import "@/shared/ui/ui.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/app/App";
import { finishLogin } from "@/shared/api/actions";
import { takeReturnPlace } from "@/shared/api/session";

/** Back from the identity provider, the address carries a code for the server; then the place before is opened again. */
async function returnFromLogin(): Promise<void> {
  const query = new URLSearchParams(window.location.search);
  if (!query.has("code")) return;
  try {
    await finishLogin(query);
  } catch {
    // The first question of the pages will be refused and lead to the login again.
  }
  const directory = new URL(".", window.location.href).pathname;
  window.history.replaceState(null, "", directory + takeReturnPlace());
}

function show(): void {
  const root = document.getElementById("root");
  if (root === null) throw new Error("index.html has no element with the id root");
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}

void returnFromLogin().then(show);
