import { describe, expect, it } from "vitest";
import { queryText } from "./api/client";
import { formatAgo, formatBytes, formatCount, formatDuration } from "./format";
import { layeredLayout } from "./graph/layout";
import { pathsThrough } from "./graph/reach";
import { neighbour } from "./graph/walk";
import { flagOf, intOf, listOf, parseSearchText, searchText } from "./search";
import { beginning, isMoment, resolveMoment, shiftMoment } from "./time";
import { safeUrl } from "./url";

describe("addresses of strangers", () => {
  it.each([
    ["https://example.org/a", "https://example.org/a"],
    ["http://h:1/#/job/running/x", "http://h:1/#/job/running/x"],
    ["javascript:alert(1)", null],
    ["JavaScript:alert(1)", null],
    [" javascript:alert(1)", null],
    ["data:text/html,<script>", null],
    ["//example.org", null],
    ["", null],
    [null, null],
  ])("%s", (text, expected) => expect(safeUrl(text)).toBe(expected));
});

describe("moments", () => {
  const now = Date.parse("2026-11-02T12:00:00Z");
  it.each([
    ["7d", "2026-10-26T12:00:00.000Z"],
    ["90m", "2026-11-02T10:30:00.000Z"],
    ["24h", "2026-11-01T12:00:00.000Z"],
    ["2026-01-01T00:00:00+02:00", "2025-12-31T22:00:00.000Z"],
    ["all", beginning],
    ["nonsense", beginning],
  ])("%s", (text, expected) => expect(resolveMoment(text, now)).toBe(expected));

  const hour = 3_600_000;
  it.each([
    ["", -hour, "2026-11-02T11:00:00.000Z"],
    ["7d", hour, "2026-10-26T13:00:00.000Z"],
    ["2026-11-02T11:30:00Z", hour, ""],
    ["2026-11-02T10:59:50Z", hour, ""],
    ["2026-11-02T10:58:00Z", hour, "2026-11-02T11:58:00.000Z"],
    ["1970-01-01T00:00:00Z", -hour, beginning],
  ])("%s moved by %d ms", (text, by, expected) => expect(shiftMoment(text, by, now)).toBe(expected));

  it("nonsense is none", () => expect(["7d", "all", "2026-01-01", "7 days", ""].map(isMoment)).toEqual([true, true, true, false, false]));
});

describe("search text", () => {
  it("comes back as it was", () => {
    const text = searchText({ q: "a b&c", tag: ["1", "2"], page: 2, on: true, empty: "", none: [] });
    expect(text).toBe("?q=a+b%26c&tag=1&tag=2&page=2&on=1");
    expect(parseSearchText(text)).toEqual({ q: "a b&c", tag: ["1", "2"], page: "2", on: "1" });
  });

  it("reads fields carefully", () => {
    expect([intOf("5", 1, 1, 9), intOf("50", 1, 1, 9), intOf("x", 1, 1, 9), intOf(["4", "5"], 1, 1, 9)]).toEqual([5, 9, 1, 4]);
    expect([flagOf("1", false), flagOf("0", true), flagOf(undefined, true), flagOf(false, true)]).toEqual([true, false, true, false]);
    expect(listOf(["a", "a", "", 7])).toEqual(["a", "7"]);
  });

  it("of a question repeats keys and leaves out what is absent", () => {
    expect(queryText({ id: ["1", "2"], since: null, until: undefined, q: "", deep: 3, on: false })).toBe("?id=1&id=2&deep=3&on=false");
    expect(queryText({})).toBe("");
  });
});

it("numbers read well", () => {
  expect([formatCount(1_248_000), formatBytes(512), formatBytes(1536), formatBytes(150 * 2 ** 20)]).toEqual(["1.2M", "512 B", "1.5 KiB", "150 MiB"]);
  expect([formatDuration(12_000), formatDuration(90_000), formatDuration(3 * 3_600_000), formatDuration(50 * 3_600_000)]).toEqual(["12 s", "1 min 30 s", "3 h", "2 d 2 h"]);
  const now = Date.parse("2026-11-02T12:00:00Z");
  expect(["2026-11-02T11:57:00Z", "2026-11-02T14:00:00Z", "2026-11-02T12:00:00Z"].map((iso) => formatAgo(iso, now))).toEqual(["3 min ago", "in 2 h", "just now"]);
});

describe("graphs", () => {
  const edges = [
    { id: "ab", source: "a", target: "b" },
    { id: "bc", source: "b", target: "c" },
    { id: "xb", source: "x", target: "b" },
    { id: "ca", source: "c", target: "a" },
  ];
  const topology = { nodes: ["a", "b", "c", "x"].map((id) => ({ id, width: 100, height: 40 })), edges: edges.slice(0, 3) };

  it("paths end in cycles", () => expect(pathsThrough("a", edges).places).toEqual(new Set(["a", "b", "c", "x"])));
  it("paths have no siblings", () => expect(pathsThrough("a", edges.slice(0, 3)).places).toEqual(new Set(["a", "b", "c"])));

  it("the layout goes from left to right and nothing overlaps", () => {
    const at = layeredLayout(topology);
    const x = (id: string): number => at.get(id)?.x ?? NaN;
    expect(x("a") + 100).toBeLessThan(x("b"));
    expect(x("b") + 100).toBeLessThan(x("c"));
    expect(Math.abs((at.get("a")?.y ?? 0) - (at.get("x")?.y ?? 0))).toBeGreaterThanOrEqual(40);
  });

  it("the layout takes loops, cycles and edges to nowhere", () => {
    const odd = [...edges, { id: "aa", source: "a", target: "a" }, { id: "a?", source: "a", target: "?" }];
    expect(layeredLayout({ nodes: topology.nodes, edges: odd }).size).toBe(4);
    expect(layeredLayout({ nodes: [], edges: [] }).size).toBe(0);
  });

  it("arrow keys follow edges and columns", () => {
    const at = layeredLayout(topology);
    const [upper, lower] = (at.get("a")?.y ?? 0) < (at.get("x")?.y ?? 0) ? ["a", "x"] : ["x", "a"];
    expect(neighbour("a", "ArrowRight", topology, at)).toBe("b");
    expect(neighbour("b", "ArrowRight", topology, at)).toBe("c");
    expect(neighbour("c", "ArrowRight", topology, at)).toBeNull();
    expect(neighbour(upper, "ArrowDown", topology, at)).toBe(lower);
    expect(neighbour(lower, "ArrowUp", topology, at)).toBe(upper);
    expect(neighbour(null, "ArrowRight", topology, at)).toBe(upper);
  });
});
