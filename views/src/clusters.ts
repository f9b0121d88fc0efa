/** Marks that would lie on each other are one mark. */

import type { Spot } from "./projection";

export interface Placed<T> {
  what: T;
  spot: Spot;
}

export interface Cluster<T> {
  members: T[];
  /** The middle of its members. */
  spot: Spot;
}

/** One pass over a grid of cells, so that thousands of places take milliseconds. Spots are in pixels. */
export function clustered<T>(places: ReadonlyArray<Placed<T>>, cell: number): Array<Cluster<T>> {
  const cells = new Map<string, Cluster<T>>();
  for (const { what, spot } of places) {
    const name = `${Math.floor(spot[0] / cell)} ${Math.floor(spot[1] / cell)}`;
    const found = cells.get(name);
    if (!found) {
      cells.set(name, { members: [what], spot });
      continue;
    }
    const count = found.members.push(what);
    const [x, y] = found.spot;
    found.spot = [x + (spot[0] - x) / count, y + (spot[1] - y) / count];
  }
  return [...cells.values()];
}
