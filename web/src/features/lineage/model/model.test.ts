import { describe, expect, it } from "vitest";
import type { EdgeFreshness } from "@/shared/api/extensions";
import { freshnessById } from "./freshness";
import { parseFocus } from "./ids";
import { isFiltered, parseList } from "./list";
import { emptyAnswer, mergeAnswers } from "./merge";
import { flow, ref, sample } from "./sample";
import { parseView } from "./view";

describe("focus", () => {
  it.each([
    ["DATASET:3", { node: "DATASET:3", ref: ref("DATASET", "3"), column: null }],
    ["DATASET:3#a#b", { node: "DATASET:3", ref: ref("DATASET", "3"), column: "a#b" }],
    ["RUN:01a1-x", { node: "RUN:01a1-x", ref: ref("RUN", "01a1-x"), column: null }],
    ["", null],
    ["TABLE:3", null],
    ["DATASET:", null],
    ["3", null],
  ])("%s", (text, expected) => expect(parseFocus(text)).toEqual(expected));
});

describe("merge", () => {
  it("of one answer is that answer", () => {
    const one = sample();
    expect(mergeAnswers([one])).toBe(one);
  });

  it("does not count the same twice, in any order", () => {
    const [a, b] = [sample(), sample()];
    b.relations.inputs.push(flow(ref("DATASET", "7"), ref("JOB", "1")));
    b.relations.direct_column_lineage[0]!.fields = { total: [{ field: "tax", types: ["AGGREGATION"], last_used_at: "2026-11-03T00:00:00Z" }] };
    for (const merged of [mergeAnswers([a, b]), mergeAnswers([b, a])]) {
      expect(merged.relations.inputs).toHaveLength(a.relations.inputs.length + 1);
      expect(merged.relations.symlinks).toHaveLength(2);
      expect(merged.relations.direct_column_lineage[0]?.fields?.total?.map((one) => one.field).sort()).toEqual(["amount", "tax"]);
    }
  });

  it("keeps the newest numbers and the schema that is known", () => {
    const [a, b] = [emptyAnswer(), emptyAnswer()];
    a.relations.inputs = [{ ...flow(ref("DATASET", "1"), ref("JOB", "1"), 5), last_interaction_at: "2026-11-02T10:00:00Z" }];
    b.relations.inputs = [{ ...flow(ref("DATASET", "1"), ref("JOB", "1"), 9), last_interaction_at: "2026-11-02T11:00:00Z" }];
    a.nodes.datasets["1"] = sample().nodes.datasets["1"]!;
    b.nodes.datasets["1"] = { ...sample().nodes.datasets["1"]!, schema: null };
    const merged = mergeAnswers([a, b]);
    expect(merged.relations.inputs.map((one) => one.num_rows)).toEqual([9]);
    expect(merged.nodes.datasets["1"]?.schema?.fields).toHaveLength(3);
  });

  it("says when any part was cut", () => expect(mergeAnswers([emptyAnswer(), { ...emptyAnswer(), truncated: true }]).truncated).toBe(true));
});

describe("addresses", () => {
  it("of lineage have defaults", () =>
    expect(parseView({}, "DATASET")).toEqual({ since: "7d", until: "", depth: 3, direction: "BOTH", granularity: "JOB", columns: false, indirect: true, parents: false, focus: "", expand: [], open: [], as: "GRAPH" }));

  it("of lineage drop what makes no sense", () => {
    const view = parseView({ since: "soon", until: "all", depth: "99", direction: "sideways", granularity: "DATASET", focus: "x", expand: ["JOB:1", "JOB:1", "y", "DATASET:1#c"], open: "JOB:1" }, "JOB");
    expect(view).toMatchObject({ since: "7d", until: "", depth: 10, direction: "BOTH", granularity: "JOB", focus: "", expand: ["JOB:1"], open: [] });
  });

  it("of lists keep filters", () => {
    const search = parseList({ q: "orders", page: "3", tag: ["1", "2"], status: "FAILED" });
    expect(search).toMatchObject({ q: "orders", page: 3, tag: ["1", "2"], status: ["FAILED"] });
    expect([isFiltered(search), isFiltered(parseList({ page: "2" }))]).toEqual([true, false]);
  });
});

describe("freshness", () => {
  const edge = (change: Partial<EdgeFreshness>): EdgeFreshness => ({
    dataset_id: "1",
    job_id: "1",
    run_id: "r",
    direction: "OUTPUT",
    last_heard_at: "2026-11-02T09:00:00Z",
    complete_up_to: null,
    status: "LIVE",
    ...change,
  });

  it("is nothing when the server tells nothing", () => expect(freshnessById(null).size).toBe(0));

  it("is by edge of job and run, the slowest run deciding for the job", () => {
    const slow = edge({ run_id: "s", complete_up_to: "2026-11-02T08:00:00.500000Z" });
    const found = freshnessById({ items: [edge({ complete_up_to: "2026-11-02T08:00:00.700Z" }), slow], datasets: { 1: { complete_up_to: "2026-11-02T07:00:00Z" } } });
    expect(found.get("flow JOB:1 DATASET:1")?.completeUpTo).toBe(slow.complete_up_to);
    expect(found.get("flow RUN:r DATASET:1")?.completeUpTo).toBe("2026-11-02T08:00:00.700Z");
    expect(found.get("DATASET:1")).toEqual({ completeUpTo: "2026-11-02T07:00:00Z", stale: false });
  });

  it("is silence only when all that is open is silent", () => {
    const stale = edge({ status: "STALE" });
    expect(freshnessById({ items: [stale], datasets: {} }).get("DATASET:1")?.stale).toBe(true);
    expect(freshnessById({ items: [stale], datasets: {} }).get("JOB:1")?.stale).toBe(true);
    expect(freshnessById({ items: [stale, edge({ run_id: "s" })], datasets: {} }).get("JOB:1")?.stale).toBe(false);
    expect(freshnessById({ items: [edge({ status: "ENDED" })], datasets: {} }).size).toBe(0);
  });

  it("of a source is that of its reader's edge, not of the dataset", () => {
    const found = freshnessById({ items: [edge({ direction: "INPUT", status: "STALE" })], datasets: {} });
    expect(found.get("flow DATASET:1 JOB:1")?.stale).toBe(true);
    expect(found.has("DATASET:1")).toBe(false);
  });
});
