import { createContext } from "react";
import type { Highlight } from "../model/highlight";

/** What the parts inside a node need to know and to call. */
export interface GraphContextValue {
  highlight: Highlight | null;
  focusColumn: string | null;
  onColumn: (node: string, column: string) => void;
  onToggleColumns: (node: string) => void;
}

export const GraphContext = createContext<GraphContextValue>({
  highlight: null,
  focusColumn: null,
  onColumn: () => undefined,
  onToggleColumns: () => undefined,
});
