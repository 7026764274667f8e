import { layeredLayout } from "./layout";
import type { Topology } from "./model";

/** What the worker is asked and what it answers; `ticket` pairs the two. */
export interface LayoutQuestion {
  ticket: number;
  topology: Topology;
}
export interface LayoutAnswer {
  ticket: number;
  positions: [string, { x: number; y: number }][];
}

self.onmessage = (event: MessageEvent<LayoutQuestion>) => {
  const { ticket, topology } = event.data;
  self.postMessage({ ticket, positions: [...layeredLayout(topology)] } satisfies LayoutAnswer);
};
