/** What of a trip has a place on the map. */

import { categoryOf, type Category } from "./categories";
import type { Item, Leg, Point, Trip } from "./model";
import { kilometres } from "./projection";
import type { Selection } from "./selection";

const SAME_KM = 0.05;
const AIRPORT_KM = 60; // from a city to its airport; that way is not drawn

export interface Mark {
  selection: NonNullable<Selection>;
  name: string;
  category: Category;
  point: Point;
}

export interface Way {
  kind: "route" | "flight";
  key: string;
  from: Point;
  to: Point;
}

/** Pins, and the items at places that have no pin. */
export function marksOf(trip: Trip): Mark[] {
  const marks: Mark[] = trip.pins.map((pin) => ({
    selection: { kind: "pin", key: pin.key },
    name: pin.name,
    category: categoryOf(pin),
    point: pin.point,
  }));
  const taken = new Set([...trip.pins, ...trip.legs].flatMap((one) => (one.point ? [one.point.join()] : [])));
  for (const item of trip.items) {
    if (!item.point || item.kind === "flight" || taken.has(item.point.join())) continue;
    taken.add(item.point.join());
    marks.push({ selection: { kind: "item", key: item.key }, name: item.title, category: categoryOf(item), point: item.point });
  }
  return marks;
}

/** Flights, and from leg to leg what no flight covers: the way to the airport, or all of it. */
export function waysOf(trip: Trip): Way[] {
  const flights = trip.items.filter(hasBothEnds);
  const ways: Way[] = flights.map((one) => ({ kind: "flight", key: one.key, from: one.point, to: one.toPoint }));
  const stops = trip.legs.filter((leg): leg is Leg & { point: Point } => leg.point !== undefined);
  for (const [at, leg] of stops.entries()) {
    const before = stops[at - 1];
    if (!before) continue;
    const flown = flights.filter(
      (one) =>
        (one.leg === leg.key || one.leg === before.key) &&
        kilometres(one.toPoint, leg.point) < kilometres(one.point, leg.point) &&
        kilometres(one.point, before.point) < kilometres(one.toPoint, before.point),
    );
    let from = before.point;
    for (const one of [...flown, undefined]) {
      const to = one ? one.point : leg.point;
      const isLong = kilometres(from, to) > (flown.length ? AIRPORT_KM : SAME_KM);
      if (isLong) ways.push({ kind: "route", key: leg.key, from, to });
      if (one) from = one.toPoint;
    }
  }
  return ways;
}

/** Where a selection is; for a day, everything that it touches. */
export function pointsOf(trip: Trip, selection: NonNullable<Selection>): Point[] {
  if (selection.kind === "day") {
    const { date } = selection;
    const legs = trip.legs.filter((leg) => leg.starts && leg.starts <= date && (leg.ends ?? leg.starts) >= date);
    const items = trip.items.filter((item) => isOn(item, date));
    return [...legs, ...items].flatMap(ends);
  }
  const { key } = selection;
  if (selection.kind === "pin") return trip.pins.filter((pin) => pin.key === key).map((pin) => pin.point);
  if (selection.kind === "leg") return trip.legs.filter((leg) => leg.key === key).flatMap(ends);
  const item = trip.items.find((one) => one.key === key);
  const own = item ? ends(item) : [];
  return own.length ? own : trip.legs.filter((leg) => leg.key === item?.leg).flatMap(ends);
}

export function isOn(item: Item, date: string): boolean {
  const days = [item.starts?.date, item.ends?.date].filter((day) => day !== undefined).sort();
  const [first, last] = [days[0], days.at(-1)];
  return first !== undefined && last !== undefined && first <= date && date <= last;
}

function hasBothEnds(item: Item): item is Item & { point: Point; toPoint: Point } {
  return item.kind === "flight" && item.point !== undefined && item.toPoint !== undefined;
}

function ends(one: Item | Leg): Point[] {
  return [one.point, "toPoint" in one ? one.toPoint : undefined].filter((point) => point !== undefined);
}
