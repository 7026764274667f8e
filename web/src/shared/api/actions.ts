/** Calls that change something. */
import { safeUrl } from "@/shared/url";
import { request, requestWithHeaders } from "./client";
import { forgetToken, keepToken } from "./session";
import type { LocationItem, NewPersonalToken } from "./types";

/** Signs in with a name and a password and keeps the token. */
export async function signIn(username: string, password: string): Promise<void> {
  const answer = await request<{ access_token: string; expires_at: number }>("v1/auth/token", {
    method: "POST",
    form: { grant_type: "password", username, password },
  });
  keepToken(answer.access_token, answer.expires_at);
}

/** Ends the session, at the identity provider too. A server that keeps no sessions says so, which is fine. */
export async function signOut(): Promise<void> {
  let provider: string | null = null;
  try {
    const { headers } = await requestWithHeaders("v1/auth/logout");
    provider = safeUrl(headers.get("x-logout-url"));
  } catch {
    // The token is forgotten below, whatever the server thinks of it.
  }
  forgetToken();
  if (provider !== null) window.location.assign(provider);
}

/** Hands the code of the identity provider to the server, which sets its cookie. */
export function finishLogin(query: URLSearchParams): Promise<void> {
  return request("v1/auth/callback", { query: Object.fromEntries(query) });
}

export interface TokenRequest {
  name: string;
  /** Last day it is valid, `2026-12-31`; `null`: as long as the server allows. */
  until: string | null;
}

export function createToken(token: TokenRequest): Promise<NewPersonalToken> {
  return request("v1/personal-tokens", { method: "POST", json: token.until === null ? { name: token.name } : token });
}

/** Makes a new secret; the old one is void. */
export function renewToken(id: string): Promise<NewPersonalToken> {
  return request(`v1/personal-tokens/${encodeURIComponent(id)}`, { method: "PATCH", json: {} });
}

export function revokeToken(id: string): Promise<void> {
  return request(`v1/personal-tokens/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export function setLocationExternalId(id: string, externalId: string | null): Promise<LocationItem> {
  return request(`v1/locations/${encodeURIComponent(id)}`, { method: "PATCH", json: { external_id: externalId } });
}
