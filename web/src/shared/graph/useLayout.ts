import { useEffect, useRef, useState } from "react";
import type { LayoutAnswer, LayoutQuestion } from "./layout.worker";
import type { Position, Topology } from "./model";

/** Positions of the nodes of `topology`, or `null` while they are computed for the first time. */
export function useLayout(topology: Topology): ReadonlyMap<string, Position> | null {
  const [answer, setAnswer] = useState<{ topology: Topology; positions: Map<string, Position> } | null>(null);
  const worker = useRef<Worker | null>(null);
  const asked = useRef<{ ticket: number; topology: Topology }>({ ticket: 0, topology });

  useEffect(() => {
    const started = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
    started.onmessage = (event: MessageEvent<LayoutAnswer>) => {
      // Only the newest question counts.
      if (event.data.ticket !== asked.current.ticket) return;
      setAnswer({ topology: asked.current.topology, positions: new Map(event.data.positions) });
    };
    worker.current = started;
    return () => {
      started.terminate();
      worker.current = null;
    };
  }, []);

  useEffect(() => {
    asked.current = { ticket: asked.current.ticket + 1, topology };
    worker.current?.postMessage({ ticket: asked.current.ticket, topology: plain(topology) } satisfies LayoutQuestion);
  }, [topology]);

  return answer?.positions ?? null;
}

/** Without the data of nodes and edges, which need not be copied to the worker. */
function plain(topology: Topology): Topology {
  return {
    nodes: topology.nodes.map(({ id, width, height }) => ({ id, width, height })),
    edges: topology.edges.map(({ id, source, target }) => ({ id, source, target })),
  };
}
