import { useEffect, useRef, useState } from "react";
import type { LayoutAnswer, LayoutQuestion } from "./layout.worker";
import type { Position, Topology } from "./model";

type Positions = Map<string, Position>;

/**
 * Positions of the nodes of `topology`, or `null` while they are computed for the first time. A worker computes them;
 * where none can be started (an old proxy, a strict policy of the site), the page does it itself.
 */
export function useLayout(topology: Topology): ReadonlyMap<string, Position> | null {
  const [positions, setPositions] = useState<Positions | null>(null);
  const worker = useRef<Worker | null>(null);
  const asked = useRef<{ ticket: number; topology: Topology }>({ ticket: 0, topology });

  useEffect(() => {
    const answered = ({ ticket, positions: found }: LayoutAnswer): void => {
      // Only the newest question counts.
      if (ticket === asked.current.ticket) setPositions(new Map(found));
    };
    const started = startWorker();
    worker.current = started;
    if (started) {
      started.onmessage = (event: MessageEvent<LayoutAnswer>) => answered(event.data);
      started.onerror = () => {
        worker.current = null;
        void layoutHere(asked.current).then(answered);
      };
    }
    return () => {
      started?.terminate();
      worker.current = null;
      // What is still computed in the page is for nobody.
      asked.current = { ...asked.current, ticket: asked.current.ticket + 1 };
    };
  }, []);

  useEffect(() => {
    const question: LayoutQuestion = { ticket: asked.current.ticket + 1, topology: plain(topology) };
    asked.current = question;
    if (worker.current) worker.current.postMessage(question);
    else void layoutHere(question).then(({ ticket, positions: found }) => ticket === asked.current.ticket && setPositions(new Map(found)));
  }, [topology]);

  return positions;
}

function startWorker(): Worker | null {
  try {
    return new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
  } catch {
    return null;
  }
}

async function layoutHere({ ticket, topology }: LayoutQuestion): Promise<LayoutAnswer> {
  const { layeredLayout } = await import("./layout");
  return { ticket, positions: [...layeredLayout(topology)] };
}

/** Without the data of nodes and edges, which need not be copied to the worker. */
function plain(topology: Topology): Topology {
  return {
    nodes: topology.nodes.map(({ id, width, height }) => ({ id, width, height })),
    edges: topology.edges.map(({ id, source, target }) => ({ id, source, target })),
  };
}
