import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, request } from "./client";
import { bearerToken, currentGate, forgetToken, keepToken } from "./session";

function answer(status: number, body: unknown): void {
  vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { "x-request-id": "r1" } }))));
}

beforeEach(() => {
  localStorage.clear();
  keepToken("secret", Date.now() / 1000 + 60);
});
afterEach(() => vi.unstubAllGlobals());

describe("request", () => {
  it("sends the token and answers the body", async () => {
    answer(200, { name: "me" });
    await expect(request("v1/users/me")).resolves.toEqual({ name: "me" });
    const [, options] = vi.mocked(fetch).mock.calls[0]!;
    expect(new Headers(options?.headers).get("authorization")).toBe("Bearer secret");
  });

  it("answers nothing for 204", async () => {
    answer(204, undefined);
    await expect(request("v1/auth/logout")).resolves.toBeUndefined();
  });

  it("says what the server said", async () => {
    answer(409, { error: { code: "conflict", message: "There is one", details: { field: "name" } } });
    await expect(request("v1/x")).rejects.toMatchObject({ status: 409, code: "conflict", message: "There is one", requestId: "r1" });
  });

  it("takes the bare body of an unknown path", async () => {
    answer(404, { detail: "Not Found" });
    await expect(request("v1/x")).rejects.toMatchObject({ status: 404, message: "Not Found" });
  });

  it("says when nobody answers", async () => {
    vi.stubGlobal("fetch", vi.fn(() => Promise.reject(new TypeError("refused"))));
    await expect(request("v1/x")).rejects.toBeInstanceOf(ApiError);
    await expect(request("v1/x")).rejects.toMatchObject({ status: 0, code: "unreachable" });
  });
});

describe("the gate", () => {
  const refuse = async (code: string, details: unknown): Promise<void> => {
    answer(401, { error: { code, message: "no", details } });
    await expect(request("v1/x")).rejects.toMatchObject({ status: 401 });
  };

  it("asks for a login and forgets the token", async () => {
    await refuse("unauthorized", null);
    expect([currentGate().kind, bearerToken()]).toEqual(["login", null]);
  });

  it("leads to the identity provider", async () => {
    await refuse("auth_redirect", "https://id.example/sign-in");
    expect(currentGate()).toEqual({ kind: "redirect", url: "https://id.example/sign-in" });
  });

  it("does not lead to a script", async () => {
    forgetToken();
    await refuse("auth_redirect", "javascript:alert(1)");
    expect(currentGate().kind).toBe("login");
  });

  it("stays as it is when a call is given up while its refusal arrives", async () => {
    keepToken("secret", Date.now() / 1000 + 60);
    const given = new Response(new ReadableStream({ start: (stream) => stream.error(new DOMException("given up", "AbortError")) }), { status: 401 });
    vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(given)));
    await expect(request("v1/x")).rejects.toMatchObject({ name: "AbortError" });
    expect(currentGate().kind).toBe("open");
  });

  it("an expired token is none", () => {
    keepToken("old", Date.now() / 1000 - 1);
    expect(bearerToken()).toBeNull();
  });
});
