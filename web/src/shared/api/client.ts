/** One function through which all calls go: query text, token, errors in one shape. */
import { bearerToken, closeGate } from "./session";

/** Why a call failed, in words for the user. `status` is 0 when no answer came. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: unknown;
  readonly requestId: string | null;

  constructor(fields: { status: number; code: string; message: string; details?: unknown; requestId?: string | null }) {
    super(fields.message);
    this.name = "ApiError";
    this.status = fields.status;
    this.code = fields.code;
    this.details = fields.details;
    this.requestId = fields.requestId ?? null;
  }
}

export type QueryValue = string | number | boolean | null | undefined | readonly (string | number)[];
export type Query = Record<string, QueryValue>;

export interface RequestOptions {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  query?: Query;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent urlencoded. */
  form?: Record<string, string>;
  signal?: AbortSignal;
}

/** Lists become repeated keys; absent and empty values are left out. */
export function queryText(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    const values: readonly (string | number | boolean | null | undefined)[] = isList(value) ? value : [value];
    for (const one of values) if (one !== null && one !== undefined && one !== "") parameters.append(key, String(one));
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

function isList(value: QueryValue): value is readonly (string | number)[] {
  return Array.isArray(value);
}

/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters -- the caller knows the shape of the answer, as the contract has it */
/** Calls the server and answers the JSON body (undefined when there is none). Throws `ApiError`. */
export async function request<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
  return (await requestWithHeaders<Answer>(path, options)).body;
}

/** As `request`, with the headers of the answer. */
export async function requestWithHeaders<Answer>(path: string, options: RequestOptions = {}): Promise<{ body: Answer; headers: Headers }> {
  const response = await send(path, options);
  if (!response.ok) throw await failure(response);
  const text = await response.text();
  return { body: (text === "" ? undefined : JSON.parse(text)) as Answer, headers: response.headers };
}
/* eslint-enable @typescript-eslint/no-unnecessary-type-parameters */

async function send(path: string, options: RequestOptions): Promise<Response> {
  const headers = new Headers({ Accept: "application/json" });
  const token = bearerToken();
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  let body: BodyInit | undefined;
  if (options.json !== undefined) {
    headers.set("Content-Type", "application/json");
    body = JSON.stringify(options.json);
  } else if (options.form !== undefined) {
    body = new URLSearchParams(options.form);
  }
  // Relative to the page, so that the pages work below a path too.
  const url = new URL(path.replace(/^\//, "") + queryText(options.query ?? {}), pageDirectory());
  try {
    return await fetch(url, { method: options.method ?? "GET", headers, body, signal: options.signal, credentials: "same-origin" });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError({ status: 0, code: "unreachable", message: "The server does not answer. Is it running?" });
  }
}

function pageDirectory(): string {
  return new URL(".", window.location.origin + window.location.pathname).href;
}

interface ErrorBody {
  error?: { code?: string; message?: string; details?: unknown };
  detail?: string;
}

function errorBody(text: string): ErrorBody {
  try {
    return JSON.parse(text) as ErrorBody;
  } catch {
    // Not JSON: the status says enough.
    return {};
  }
}

async function failure(response: Response): Promise<ApiError> {
  // A call that is given up while its answer arrives says nothing about the login, so that error passes through.
  const body = errorBody(await response.text());
  const code = body.error?.code ?? "unknown";
  const details = body.error?.details;
  if (response.status === 401) closeGate(code === "auth_redirect" && typeof details === "string" ? details : null);
  return new ApiError({
    status: response.status,
    code,
    message: body.error?.message ?? body.detail ?? `The server answered ${response.status}.`,
    details,
    requestId: response.headers.get("x-request-id"),
  });
}
