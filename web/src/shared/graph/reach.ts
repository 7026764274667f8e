/** What lies on the paths through one place: everything upstream of it, and everything downstream. */

export interface Link {
  id: string;
  source: string;
  target: string;
}

export interface Reach {
  places: Set<string>;
  links: Set<string>;
}

/**
 * Two one-way walks, as the server's own: siblings of an upstream node are not on a path through the start. Cycles are
 * safe: each place is visited once per walk. `upstream` names the links of the walk against the flow, where they differ.
 */
export function pathsThrough(start: string, downstream: readonly Link[], upstream: readonly Link[] = downstream): Reach {
  const reach: Reach = { places: new Set([start]), links: new Set() };
  walk(start, groupBy(downstream, (link) => link.source), (link) => link.target, reach);
  walk(start, groupBy(upstream, (link) => link.target), (link) => link.source, reach);
  return reach;
}

function walk(start: string, byPlace: Map<string, Link[]>, next: (link: Link) => string, reach: Reach): void {
  const seen = new Set([start]);
  const queue = [start];
  for (let place = queue.pop(); place !== undefined; place = queue.pop()) {
    for (const link of byPlace.get(place) ?? []) {
      reach.links.add(link.id);
      const other = next(link);
      reach.places.add(other);
      if (!seen.has(other)) {
        seen.add(other);
        queue.push(other);
      }
    }
  }
}

/** Items by a key, in their order. */
export function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
