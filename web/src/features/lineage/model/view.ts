/** Everything the user chose on a lineage page. It stands in the address, so that a copied link shows the same. */
import { granularities } from "@/shared/api/queries";
import type { Direction, EntityKind, Granularity } from "@/shared/api/types";
import { choiceOf, flagOf, intOf, listOf, textOf, type RawSearch } from "@/shared/search";
import { isMoment } from "@/shared/time";
import { parseFocus } from "./ids";

export interface LineageView {
  /** Relative (`7d`), ISO 8601, or `all`. */
  since: string;
  /** Empty: now. */
  until: string;
  depth: number;
  direction: Direction;
  granularity: Granularity;
  columns: boolean;
  indirect: boolean;
  parents: boolean;
  /** A node (`DATASET:3`) or a column (`DATASET:3#amount`); empty: none. */
  focus: string;
  /** Nodes whose neighbours were asked for. */
  expand: string[];
  /** Datasets with all columns shown. */
  open: string[];
  /** The graph, or the same as a table. */
  as: "GRAPH" | "TABLE";
}

export const directions: readonly Direction[] = ["BOTH", "UPSTREAM", "DOWNSTREAM"];
export const depthMax = 10;

/** How many nodes one link may expand: each is a question of its own. */
const expandedMax = 20;

/** Reads the fields of an address for a start of this kind. */
export function parseView(raw: RawSearch, kind: EntityKind): LineageView {
  const since = textOf(raw.since);
  const until = textOf(raw.until);
  const focus = textOf(raw.focus);
  const offered = granularities[kind];
  return {
    since: isMoment(since) ? since : "7d",
    until: until !== "all" && isMoment(until) ? until : "",
    depth: intOf(raw.depth, 3, 1, depthMax),
    direction: choiceOf(raw.direction, directions, "BOTH"),
    granularity: choiceOf(raw.granularity, offered, offered[0] ?? "OPERATION"),
    columns: flagOf(raw.columns, false),
    indirect: flagOf(raw.indirect, true),
    parents: flagOf(raw.parents, false),
    focus: parseFocus(focus) ? focus : "",
    expand: listOf(raw.expand).filter((one) => parseFocus(one)?.column === null).slice(0, expandedMax),
    open: listOf(raw.open).filter((one) => parseFocus(one)?.ref.kind === "DATASET"),
    as: choiceOf(raw.as, ["GRAPH", "TABLE"], "GRAPH"),
  };
}

/** The list with the item, or without it when it was there. */
export function toggled(list: readonly string[], item: string): string[] {
  return list.includes(item) ? list.filter((one) => one !== item) : [...list, item];
}
