import { describe, expect, it } from "vitest";
import { buildGraph } from "./build";
import { highlight } from "./highlight";
import { parseFocus } from "./ids";
import { flow, options, ref, sample } from "./sample";

const graph = buildGraph(sample(), options({ columns: true }));
const sorted = (set: Iterable<string> | undefined): string[] => [...(set ?? [])].sort();

describe("highlight", () => {
  it("of a node is every path through it, without siblings", () => {
    const found = highlight(graph, parseFocus("DATASET:1"));
    expect(sorted(found?.nodes)).toEqual(["DATASET:1", "DATASET:3", "DATASET:4", "JOB:1"]);
    expect(found?.edges.has("flow DATASET:2 JOB:1")).toBe(false);
  });

  it("follows two names of a dataset both ways", () => {
    expect(sorted(highlight(graph, parseFocus("DATASET:4"))?.nodes)).toEqual(["DATASET:1", "DATASET:2", "DATASET:3", "DATASET:4", "JOB:1"]);
  });

  it("of a column is its column path and the jobs on it", () => {
    const found = highlight(graph, parseFocus("DATASET:1#amount"));
    expect(sorted(found?.columns)).toEqual(["DATASET:1#amount", "DATASET:3#total"]);
    expect(sorted(found?.nodes)).toEqual(["DATASET:1", "DATASET:3", "JOB:1"]);
    expect(found?.edges.has("flow DATASET:1 JOB:1")).toBe(true);
    expect(found?.edges.has("column DATASET:1#user DATASET:3#who")).toBe(false);
  });

  it("of a target column shows what decides about its rows", () => {
    const found = highlight(graph, parseFocus("DATASET:3#who"));
    expect(sorted(found?.columns)).toEqual(["DATASET:1#user", "DATASET:2#id", "DATASET:3#who"]);
  });

  it("of a filter ends at the dataset it filters", () => {
    const found = highlight(graph, parseFocus("DATASET:2#id"));
    expect(sorted(found?.columns)).toEqual(["DATASET:2#id"]);
    expect(sorted(found?.nodes)).toEqual(["DATASET:2", "DATASET:3", "JOB:1"]);
  });

  it("survives cycles", () => {
    const answer = sample();
    answer.relations.inputs.push(flow(ref("DATASET", "3"), ref("JOB", "1")));
    const cyclic = buildGraph(answer, options());
    expect(highlight(cyclic, parseFocus("JOB:1"))?.nodes.size).toBe(5);
  });

  it("is nothing for what is not there", () => {
    expect(highlight(graph, null)).toBeNull();
    expect(highlight(graph, parseFocus("RUN:unknown"))).toBeNull();
  });
});
