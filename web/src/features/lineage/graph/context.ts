import { createContext } from "react";
import type { Highlight } from "../model/highlight";
import type { Change } from "../model/types";

/** What the parts inside a node need to know and to call. */
export interface GraphContextValue {
  highlight: Highlight | null;
  focusColumn: string | null;
  /** By node or edge; `null` when no moments are compared. */
  changes: ReadonlyMap<string, Change> | null;
  onColumn: (node: string, column: string) => void;
  onToggleColumns: (node: string) => void;
}

export const GraphContext = createContext<GraphContextValue>({
  highlight: null,
  focusColumn: null,
  changes: null,
  onColumn: () => undefined,
  onToggleColumns: () => undefined,
});
