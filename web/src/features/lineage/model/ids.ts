/** Names of nodes and columns inside the pages and their addresses: `DATASET:7` and `DATASET:7#amount`. */
import type { EntityKind, EntityRef } from "@/shared/api/types";

const kinds: readonly string[] = ["DATASET", "JOB", "RUN", "OPERATION"] satisfies EntityKind[];

/** The id of a node of the graph. */
export function nodeId(ref: EntityRef): string {
  return `${ref.kind}:${ref.id}`;
}

/** The id of a column of a dataset. */
export function columnId(dataset: string, column: string): string {
  return `${dataset}#${column}`;
}

/** What is selected: a node or one of its columns. */
export interface Focus {
  node: string;
  ref: EntityRef;
  column: string | null;
}

/** Reads the text of an address; `null` for text that names nothing. */
export function parseFocus(text: string): Focus | null {
  const hash = text.indexOf("#");
  const node = hash < 0 ? text : text.slice(0, hash);
  const colon = node.indexOf(":");
  const kind = node.slice(0, colon);
  const id = node.slice(colon + 1);
  if (colon < 0 || id === "" || !kinds.includes(kind)) return null;
  return { node, ref: { kind: kind as EntityKind, id }, column: hash < 0 ? null : text.slice(hash + 1) };
}
