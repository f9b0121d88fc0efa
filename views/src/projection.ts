/** Equirectangular, true to scale at the trip's own latitude and centred on it, so that no trip is cut at 180 degrees. */

import type { Point } from "./model";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const RADIANS = Math.PI / 180;
const STEP = 2; // degrees of a great circle between two points of a drawn arc
const STEEPEST = 60; // the latitude beyond which the scale stays as it is, or polar maps were needles

export type Spot = readonly [number, number];

export class Projection {
  /** Of the longitudes; one degree of latitude is 1. */
  readonly stretch: number;

  constructor(
    readonly middle: number,
    latitude: number,
  ) {
    this.stretch = Math.cos(Math.min(Math.abs(latitude), STEEPEST) * RADIANS);
  }

  /** The width of the whole world. */
  get world(): number {
    return 360 * this.stretch;
  }

  static around(points: readonly Point[]): Projection {
    if (!points.length) return new Projection(0, 30);
    const latitudes = points.map(([, latitude]) => latitude);
    return new Projection(
      middleLongitude(points.map(([longitude]) => longitude)),
      (Math.min(...latitudes) + Math.max(...latitudes)) / 2,
    );
  }

  /** In the copy of the world that has the trip's middle in its middle. */
  at([longitude, latitude]: Point): Spot {
    return this.raw(wrapped(longitude - this.middle), latitude);
  }

  raw(eastwards: number, latitude: number): Spot {
    return [eastwards * this.stretch, -latitude];
  }

  /** Along the great circle. It may leave this copy of the world at one side; in the next copy it then enters at the other. */
  arc(from: Point, to: Point): Spot[] {
    let last: number | undefined;
    return greatCircle(from, to).map(([longitude, latitude]) => {
      const relative = wrapped(longitude - this.middle);
      last = last === undefined ? relative : last + wrapped(relative - last);
      return this.raw(last, latitude);
    });
  }
}

/** The middle of the smallest part of the globe that has them all. */
function middleLongitude(longitudes: readonly number[]): number {
  const sorted = [...new Set(longitudes.map((one) => wrapped(one)))].sort((one, other) => one - other);
  let widest = -1;
  let middle = 0;
  for (const [at, west] of sorted.entries()) {
    const next = sorted[at + 1];
    const east = next ?? (sorted[0] ?? 0) + 360;
    if (east - west > widest) {
      widest = east - west;
      middle = wrapped(east + (360 - widest) / 2);
    }
  }
  return middle;
}

export function wrapped(longitude: number): number {
  return longitude - 360 * Math.floor((longitude + 180) / 360);
}

export function greatCircle(from: Point, to: Point): Point[] {
  const [start, end] = [vector(from), vector(to)];
  const angle = Math.acos(Math.max(-1, Math.min(1, start[0] * end[0] + start[1] * end[1] + start[2] * end[2])));
  const count = Math.max(1, Math.ceil(angle / RADIANS / STEP));
  const sine = Math.sin(angle);
  if (sine < 1e-9) return [from, to];
  return Array.from({ length: count + 1 }, (_, step): Point => {
    if (step === 0) return from;
    if (step === count) return to;
    const [one, other] = [Math.sin((1 - step / count) * angle) / sine, Math.sin((step / count) * angle) / sine];
    const [x, y, z] = [0, 1, 2].map((axis) => one * (start[axis] ?? 0) + other * (end[axis] ?? 0)) as [number, number, number];
    return [Math.atan2(y, x) / RADIANS, Math.atan2(z, Math.hypot(x, y)) / RADIANS];
  });
}

function vector([longitude, latitude]: Point): [number, number, number] {
  const [east, north] = [longitude * RADIANS, latitude * RADIANS];
  return [Math.cos(north) * Math.cos(east), Math.cos(north) * Math.sin(east), Math.sin(north)];
}

export function kilometres(from: Point, to: Point): number {
  const [one, other] = [vector(from), vector(to)];
  const chord = Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
  return 12_742 * Math.asin(Math.min(1, chord / 2));
}

/** Lines as coastlines.mjs encodes them, as an SVG path: GRID degrees are 1, north is up. */
export function pathOf(encoded: string): string {
  let path = "";
  for (const line of encoded.split(",")) {
    let at = 0;
    const next = (): number => {
      let value = 0;
      for (let weight = 1; ; weight *= 32) {
        const bits = ALPHABET.indexOf(line[at++] ?? "A");
        value += (bits % 32) * weight;
        if (bits < 32) return value % 2 ? -(value + 1) / 2 : value / 2;
      }
    };
    path += `M${next()} ${-next()}l`;
    while (at < line.length) path += `${next()} ${-next()} `;
  }
  return path;
}
