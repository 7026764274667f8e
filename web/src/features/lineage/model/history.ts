/** Everything the user chose on a history page. It stands in the address, as that of a lineage page does. */
import type { HistoryQuestion } from "@/shared/api/extensions";
import type { Direction } from "@/shared/api/types";
import { choiceOf, flagOf, intOf, listOf, textOf, type RawSearch } from "@/shared/search";
import { isMoment } from "@/shared/time";
import { parseFocus } from "./ids";
import { depthMax, directions } from "./view";

export interface HistoryView {
  /** The moment that is shown: relative (`7d`), ISO 8601, or empty: now. */
  at: string;
  /** The earlier moment that it is compared with; empty: none. */
  from: string;
  /** Lineage seen in so many hours before a moment belongs to it. */
  within: number;
  depth: number;
  direction: Direction;
  granularity: "DATASET" | "JOB";
  columns: boolean;
  /** A node or a column; empty: none. */
  focus: string;
  /** Datasets with all columns shown. */
  open: string[];
  as: "GRAPH" | "TABLE";
}

/** Hours of a year, the most the server looks back. */
const withinMax = 24 * 366;

/** Unless told, what ran once in a day before a moment belongs to it: most batch jobs. */
const withinUsual = 24;

/** Reads the fields of an address. */
export function parseHistory(raw: RawSearch, kind: HistoryQuestion["kind"]): HistoryView {
  const focus = textOf(raw.focus);
  return {
    at: momentOf(raw.at),
    from: momentOf(raw.from),
    within: intOf(raw.within, withinUsual, 0, withinMax),
    depth: intOf(raw.depth, 3, 1, depthMax),
    direction: choiceOf(raw.direction, directions, "BOTH"),
    granularity: kind === "JOB" ? "JOB" : choiceOf(raw.granularity, ["JOB", "DATASET"], "JOB"),
    columns: flagOf(raw.columns, false),
    focus: parseFocus(focus) ? focus : "",
    open: listOf(raw.open).filter((one) => parseFocus(one)?.ref.kind === "DATASET"),
    as: choiceOf(raw.as, ["GRAPH", "TABLE"], "GRAPH"),
  };
}

function momentOf(value: unknown): string {
  const text = textOf(value);
  return text !== "all" && isMoment(text) ? text : "";
}
