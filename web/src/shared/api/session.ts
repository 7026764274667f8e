/**
 * Who is signed in, as far as the pages know. With the dummy provider the server gives a token that the pages keep and
 * send; with OpenID Connect the server keeps the tokens in a cookie the pages cannot read, and tells where to sign in.
 */
import { isHttpUrl } from "@/shared/url";

const tokenKey = "headwater.token";
const returnKey = "headwater.return-to";

interface StoredToken {
  token: string;
  /** Seconds since 1970. */
  expiresAt: number;
}

/** What stands between the user and the data. */
export type Gate = { kind: "open" } | { kind: "login" } | { kind: "redirect"; url: string };

let gate: Gate = { kind: "open" };
const listeners = new Set<() => void>();

/** For `useSyncExternalStore`. */
export function subscribeGate(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The present state; the same object until it changes. */
export function currentGate(): Gate {
  return gate;
}

function setGate(next: Gate): void {
  gate = next;
  for (const listener of listeners) listener();
}

/** Called when the server answered that it knows no such user. */
export function closeGate(redirectUrl: string | null): void {
  localStorage.removeItem(tokenKey);
  if (redirectUrl !== null && isHttpUrl(redirectUrl)) setGate({ kind: "redirect", url: redirectUrl });
  else if (gate.kind !== "login") setGate({ kind: "login" });
}

/** The token to send, unless it has expired. */
export function bearerToken(): string | null {
  const text = localStorage.getItem(tokenKey);
  if (text === null) return null;
  try {
    const stored = JSON.parse(text) as StoredToken;
    return stored.expiresAt * 1000 > Date.now() ? stored.token : null;
  } catch {
    localStorage.removeItem(tokenKey);
    return null;
  }
}

/** Keeps a token and opens the pages. */
export function keepToken(token: string, expiresAt: number): void {
  localStorage.setItem(tokenKey, JSON.stringify({ token, expiresAt } satisfies StoredToken));
  setGate({ kind: "open" });
}

/** Forgets the token and shows the login page. */
export function forgetToken(): void {
  localStorage.removeItem(tokenKey);
  setGate({ kind: "login" });
}

/** Leaves for the page of the identity provider; the place in the pages is found again afterwards. */
export function leaveForLogin(url: string): void {
  sessionStorage.setItem(returnKey, window.location.hash);
  window.location.assign(url);
}

/** The place noted by `leaveForLogin`, once. */
export function takeReturnPlace(): string {
  const place = sessionStorage.getItem(returnKey) ?? "";
  sessionStorage.removeItem(returnKey);
  return place.startsWith("#/") ? place : "#/";
}
