import { describe, expect, it } from "vitest";
import { buildGraph, nodeSize } from "./build";
import { emptyAnswer } from "./merge";
import { flow, options, ref, sample } from "./sample";
import type { BuildOptions, LineageGraph } from "./types";

const nodesOf = (graph: LineageGraph): string[] => graph.nodes.map((node) => node.id).sort();
const edgesOf = (graph: LineageGraph): string[] => graph.edges.map((edge) => edge.id).sort();

describe("levels", () => {
  const datasets = ["DATASET:1", "DATASET:2", "DATASET:3", "DATASET:4"];
  const cases: [string, Partial<BuildOptions>, string[]][] = [
    ["jobs", {}, ["JOB:1"]],
    ["runs", { granularity: "RUN" }, ["RUN:r"]],
    ["operations", { granularity: "OPERATION" }, ["OPERATION:o"]],
    ["jobs with their parents", { parents: true }, ["JOB:1", "JOB:9", "OPERATION:o", "RUN:r"]],
    ["a job seen as its runs", { start: ref("JOB", "1"), granularity: "RUN" }, ["RUN:r"]],
  ];
  it.each(cases)("draws %s", (_, change, processes) => {
    const graph = buildGraph(sample(), options(change));
    expect(nodesOf(graph)).toEqual([...datasets, ...processes].sort());
  });

  it("draws each flow once, at the finest level", () => {
    const graph = buildGraph(sample(), options({ granularity: "RUN" }));
    expect(edgesOf(graph)).toEqual(["flow DATASET:1 RUN:r", "flow DATASET:2 RUN:r", "flow RUN:r DATASET:3", "symlink DATASET:3 DATASET:4"]);
  });

  it("draws datasets alone", () => {
    const answer = { ...sample(), nodes: { ...sample().nodes, jobs: {}, runs: {}, operations: {} } };
    answer.relations.inputs = [flow(ref("DATASET", "1"), ref("DATASET", "3"))];
    answer.relations.outputs = [];
    const graph = buildGraph(answer, options({ granularity: "DATASET" }));
    expect(edgesOf(graph)).toEqual(["flow DATASET:1 DATASET:3", "symlink DATASET:3 DATASET:4"]);
    expect(graph.edges[0]?.data).toMatchObject({ kind: "flow", role: "derived" });
  });
});

describe("nodes", () => {
  it("carry state, start, freshness and the numbers of their edges", () => {
    const fresh = { completeUpTo: "2026-11-02T08:59:00Z", stale: false };
    const graph = buildGraph(sample(), options({ jobStatus: new Map([["1", "FAILED"]]), freshness: new Map([["DATASET:3", fresh]]) }));
    const data = new Map(graph.nodes.map((node) => [node.id, node.data]));
    expect(data.get("JOB:1")).toMatchObject({ title: "aggregate", status: "FAILED" });
    expect(data.get("DATASET:1")).toMatchObject({ isStart: true, subtitle: "kafka://broker:9092" });
    expect(data.get("DATASET:3")?.freshness).toEqual(fresh);
    expect(graph.edges.find((edge) => edge.id === "flow JOB:1 DATASET:3")?.data).toMatchObject({ role: "output", rows: 10, outputTypes: ["APPEND"] });
  });

  it("a running job that is silent says so, an ended one does not", () => {
    const freshness = new Map([["JOB:1", { completeUpTo: null, stale: true }]]);
    const status = (last: string) => buildGraph(sample(), options({ freshness, jobStatus: new Map([["1", last]]) })).nodes.find((node) => node.id === "JOB:1")?.data.status;
    expect([status("STARTED"), status("FAILED")]).toEqual(["STALE", "FAILED"]);
  });

  it("a run has the name of its job and its own state", () => {
    const graph = buildGraph(sample(), options({ granularity: "RUN" }));
    expect(graph.nodes.find((node) => node.id === "RUN:r")?.data).toMatchObject({ title: "aggregate", status: "STARTED" });
  });

  it("a lone start is drawn, an unknown one is not", () => {
    const alone = emptyAnswer();
    alone.nodes.jobs["1"] = sample().nodes.jobs["1"]!;
    expect(nodesOf(buildGraph(alone, options({ start: ref("JOB", "1") })))).toEqual(["JOB:1"]);
    expect(buildGraph(emptyAnswer(), options())).toEqual({ nodes: [], edges: [] });
  });

  it("leaves out an edge whose end is not in the answer", () => {
    const answer = sample();
    answer.relations.inputs.push(flow(ref("DATASET", "77"), ref("JOB", "1")));
    const graph = buildGraph(answer, options());
    expect(nodesOf(graph)).not.toContain("DATASET:77");
  });
});

describe("columns", () => {
  it("are edges between ports; indirect ones enter the dataset", () => {
    const graph = buildGraph(sample(), options({ columns: true }));
    const columns = graph.edges.filter((edge) => edge.data.kind === "column");
    expect(columns.map((edge) => [edge.source, edge.sourcePort, edge.target, edge.targetPort])).toEqual([
      ["DATASET:1", "amount", "DATASET:3", "total"],
      ["DATASET:1", "user", "DATASET:3", "who"],
      ["DATASET:2", "id", "DATASET:3", undefined],
    ]);
  });

  it("make a node as high as its rows", () => {
    const graph = buildGraph(sample(), options({ columns: true }));
    const orders = graph.nodes.find((node) => node.id === "DATASET:1");
    expect(orders?.data.columns.map((column) => [column.name, column.linked])).toEqual([["amount", true], ["user", true], ["note", false]]);
    expect(orders?.height).toBe(nodeSize.headerHeight + 3 * nodeSize.columnHeight + nodeSize.footerHeight);
  });

  it("indirect ones can be left out", () => {
    const graph = buildGraph(sample(), options({ columns: true, indirect: false }));
    expect(graph.edges.filter((edge) => edge.data.kind === "column").every((edge) => edge.data.kind === "column" && edge.data.direct)).toBe(true);
  });

  it("of a wide dataset only those with lineage are drawn, and the selected one, until it is opened", () => {
    const answer = sample();
    const wide = Array.from({ length: 40 }, (_, index) => ({ name: `c${index}`, type: "INT" }));
    answer.nodes.datasets["1"]!.schema = { id: "1", fields: [...wide, { name: "amount" }, { name: "user" }] };
    const drawn = (change: Partial<BuildOptions>) =>
      buildGraph(answer, options({ columns: true, ...change })).nodes.find((node) => node.id === "DATASET:1")?.data.columns.map((column) => column.name);
    expect(drawn({})).toEqual(["amount", "user"]);
    expect(drawn({ focusColumn: { node: "DATASET:1", column: "c7" } })).toEqual(["c7", "amount", "user"]);
    expect(drawn({ opened: new Set(["DATASET:1"]) })).toHaveLength(42);
  });

  it("that only lineage speaks of are drawn too", () => {
    const answer = sample();
    answer.nodes.datasets["1"]!.schema = null;
    const graph = buildGraph(answer, options({ columns: true }));
    expect(graph.nodes.find((node) => node.id === "DATASET:1")?.data.columns.map((column) => column.name)).toEqual(["amount", "user"]);
  });

  it("of nested fields have dotted names", () => {
    const answer = sample();
    answer.nodes.datasets["2"]!.schema = { id: "2", fields: [{ name: "address", type: "ROW", fields: [{ name: "city", type: "STRING" }] }] };
    const graph = buildGraph(answer, options({ opened: new Set(["DATASET:2"]) }));
    expect(graph.nodes.find((node) => node.id === "DATASET:2")?.data.columns.map((column) => column.name)).toContain("address.city");
  });
});
