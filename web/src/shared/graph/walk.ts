/** Moving through a drawn graph with the arrow keys. */
import type { Position, Topology } from "./model";

export type Arrow = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

/**
 * The node an arrow key leads to: left and right follow edges to the neighbour nearest in height; up and down go to the
 * nearest node of the same column of the layout. `null` when there is none. Without a present node: the first one.
 */
export function neighbour(
  from: string | null,
  arrow: Arrow,
  topology: Topology,
  positions: ReadonlyMap<string, Position>,
): string | null {
  const here = from === null ? undefined : positions.get(from);
  if (from === null || here === undefined) return firstOf(topology, positions);
  const candidates =
    arrow === "ArrowLeft" || arrow === "ArrowRight"
      ? alongEdges(from, arrow === "ArrowRight", topology)
      : inColumn(from, arrow === "ArrowDown", topology, positions);
  return nearest(candidates, here, positions);
}

function firstOf(topology: Topology, positions: ReadonlyMap<string, Position>): string | null {
  const placed = topology.nodes.filter((node) => positions.has(node.id));
  return nearest(placed.map((node) => node.id), { x: -Infinity, y: 0 }, positions) ?? topology.nodes[0]?.id ?? null;
}

function alongEdges(from: string, forward: boolean, topology: Topology): string[] {
  const found: string[] = [];
  for (const edge of topology.edges) {
    if (forward && edge.source === from) found.push(edge.target);
    if (!forward && edge.target === from) found.push(edge.source);
  }
  return found.filter((id) => id !== from);
}

function inColumn(from: string, down: boolean, topology: Topology, positions: ReadonlyMap<string, Position>): string[] {
  const node = topology.nodes.find((one) => one.id === from);
  const here = positions.get(from);
  if (!node || !here) return [];
  return topology.nodes
    .filter((other) => {
      const there = positions.get(other.id);
      if (!there || other.id === from) return false;
      const overlaps = there.x < here.x + node.width && there.x + other.width > here.x;
      return overlaps && (down ? there.y > here.y : there.y < here.y);
    })
    .map((other) => other.id);
}

function nearest(ids: readonly string[], here: Position, positions: ReadonlyMap<string, Position>): string | null {
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const id of ids) {
    const there = positions.get(id);
    if (!there) continue;
    const distance = here.x === -Infinity ? there.x * 1e4 + there.y : Math.abs(there.y - here.y);
    if (distance < bestDistance) {
      best = id;
      bestDistance = distance;
    }
  }
  return best;
}
