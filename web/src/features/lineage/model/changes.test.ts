import { describe, expect, it } from "vitest";
import type { LineageAnswer } from "@/shared/api/types";
import { buildGraph } from "./build";
import { changesOf, changesText, withRemoved } from "./changes";
import { parseHistory } from "./history";
import { emptyAnswer } from "./merge";
import { at, flow, options, ref, sample } from "./sample";

function answer(change: (empty: LineageAnswer) => void): LineageAnswer {
  const empty = emptyAnswer();
  change(empty);
  return empty;
}

const column = (field: string, type: string) => ({ field, types: [type], last_used_at: at });
const pair = { from: ref("DATASET", "1"), to: ref("DATASET", "3") };

describe("the difference of two moments", () => {
  it("names what came, what went, and what is on both sides but differs", () => {
    const added = answer((one) => {
      one.nodes.datasets["2"] = sample().nodes.datasets["2"]!;
      one.nodes.datasets["3"] = sample().nodes.datasets["3"]!;
      one.relations.inputs.push(flow(ref("DATASET", "2"), ref("JOB", "1")));
      one.relations.direct_column_lineage.push({ ...pair, fields: { who: [column("user", "IDENTITY")], total: [column("amount", "AGGREGATION")], new: [column("note", "IDENTITY")] } });
    });
    const removed = answer((one) => {
      one.nodes.datasets["3"] = { ...sample().nodes.datasets["3"]!, schema: null };
      one.nodes.jobs["9"] = sample().nodes.jobs["9"]!;
      one.relations.direct_column_lineage.push({ ...pair, fields: { who: [column("user", "IDENTITY")], total: [column("amount", "IDENTITY")] } });
    });
    expect(Object.fromEntries(changesOf({ added, removed }))).toEqual({
      "DATASET:2": "ADDED",
      "DATASET:3": "CHANGED",
      "JOB:9": "REMOVED",
      "flow DATASET:2 JOB:1": "ADDED",
      "column DATASET:1#amount DATASET:3#total": "CHANGED",
      "column DATASET:1#note DATASET:3#new": "ADDED",
    });
  });

  it("draws what is gone beside what is there, with the schema of the later moment", () => {
    const removed = answer((one) => {
      one.nodes.datasets["5"] = { ...sample().nodes.datasets["2"]!, id: "5", name: "gone" };
      one.nodes.datasets["3"] = { ...sample().nodes.datasets["3"]!, schema: { id: "8", fields: [{ name: "old" }] } };
      one.relations.outputs.push(flow(ref("JOB", "1"), ref("DATASET", "5")));
    });
    const difference = { added: emptyAnswer(), removed };
    const graph = buildGraph(withRemoved(sample(), difference), options({ columns: true }));
    expect(graph.nodes.map((node) => node.id)).toContain("DATASET:5");
    expect(graph.nodes.find((node) => node.id === "DATASET:3")?.data.columns.map((one) => one.name)).toEqual(["total", "who"]);
    expect(changesText(changesOf(difference), graph)).toBe("3 removed");
    expect(changesText(new Map(), graph)).toBe("");
  });
});

describe("the address of a history page", () => {
  it("keeps moments and falls back to now and a day", () => {
    expect(parseHistory({ at: "2026-01-01T00:00:00Z", from: "7d", within: "0", depth: "99" }, "DATASET")).toMatchObject({ at: "2026-01-01T00:00:00Z", from: "7d", within: 0, depth: 10 });
    expect(parseHistory({ at: "yesterday", from: "all", granularity: "DATASET" }, "JOB")).toMatchObject({ at: "", from: "", within: 24, granularity: "JOB" });
  });
});
