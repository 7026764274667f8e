import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "@/shared/api/client";
import { ForeignLink, Tags } from "./bits";
import { SearchBox } from "./SearchBox";
import { Empty, Failure, Loading } from "./States";
import { StatusBadge } from "./StatusBadge";

const show = (element: React.ReactElement) => render(<MantineProvider>{element}</MantineProvider>);
afterEach(cleanup);

describe("states", () => {
  it("say what happens", () => {
    show(<Loading what="jobs" />);
    expect(screen.getByRole("status").textContent).toContain("Loading jobs");
  });

  it("say why it failed, with the request to ask about, and offer another try", async () => {
    const retry = vi.fn();
    show(<Failure error={new ApiError({ status: 500, code: "unknown", message: "Disk full", requestId: "r7" })} retry={retry} />);
    expect(screen.getByRole("alert").textContent).toMatch(/The server failed.*Disk full.*r7/s);
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(retry).toHaveBeenCalledOnce();
  });

  it("name the refused parameter", () => {
    show(<Failure error={new ApiError({ status: 422, code: "invalid_request", message: "Invalid request", details: [{ location: ["query", "depth"], message: "too deep" }] })} />);
    expect(screen.getByRole("alert").textContent).toContain("query.depth: too deep");
  });

  it("explain emptiness", () => {
    show(<Empty title="No jobs yet">Send events.</Empty>);
    expect(screen.getByRole("heading").textContent).toBe("No jobs yet");
  });
});

it("states of runs are words, not only colours", () => {
  show(<><StatusBadge status="FAILED" /><StatusBadge status="NEW_ONE" /></>);
  expect(screen.getByText("Failed")).toBeTruthy();
  expect(screen.getByText("NEW_ONE")).toBeTruthy();
});

it("a dangerous address stays text", () => {
  show(<><ForeignLink url="javascript:alert(1)" /><ForeignLink url="https://example.org/log" /></>);
  expect(screen.getAllByRole("link").map((link) => link.getAttribute("href"))).toEqual(["https://example.org/log"]);
});

it("tags beyond the limit are counted", () => {
  show(<Tags max={1} tags={[{ id: 1, name: "team", values: [{ id: 1, value: "a" }, { id: 2, value: "b" }] }]} />);
  expect(screen.getByText("team: a")).toBeTruthy();
  expect(screen.getByText("+1")).toBeTruthy();
});

describe("search", () => {
  it("is reported when the typing pauses, and cleared by a button", async () => {
    const change = vi.fn();
    show(<SearchBox label="Search jobs" value="" onChange={change} />);
    await userEvent.type(screen.getByLabelText("Search jobs"), "orders ");
    await waitFor(() => expect(change).toHaveBeenLastCalledWith("orders"));
    expect(change).toHaveBeenCalledOnce();
    await userEvent.click(screen.getByLabelText("Clear search"));
    await waitFor(() => expect(change).toHaveBeenLastCalledWith(""));
  });
});
