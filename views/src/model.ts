/** The data of the page, as `trips_mcp/formats/page.py` writes it. Every text is somebody's words, never markup. */

/** Longitude, latitude; degrees. */
export type Point = readonly [number, number];

/** A local wall time. `offset` is that of its zone from UTC in minutes; absent if time or zone is unknown. */
export interface When {
  date: string;
  time?: string;
  zone?: string;
  offset?: number;
}

export type ItemKind = "flight" | "stay" | "car" | "commitment" | "event";

/** Something that happens. `key` is the same before and after a change. */
export interface Item {
  key: string;
  kind: ItemKind;
  title: string;
  starts?: When;
  ends?: When;
  place?: string;
  point?: Point;
  /** Of a flight: where it lands. */
  toPlace?: string;
  toPoint?: Point;
  category?: string;
  pin?: string;
  leg?: string;
  details?: string[];
}

export interface Leg {
  key: string;
  name: string;
  destination?: string;
  starts?: string;
  ends?: string;
  zone?: string;
  point?: Point;
}

export interface Pin {
  key: string;
  name: string;
  category?: string;
  notes?: string;
  point: Point;
}

export interface FreeTime {
  from: string;
  until: string;
  zone?: string;
}

export interface Day {
  date: string;
  zone?: string;
  /** Keys of the legs that cover it. */
  legs?: string[];
  free?: FreeTime[];
}

/** What `check_trip` found. */
export interface Finding {
  grade: "certain" | "possible" | "not_checkable";
  kind: string;
  date?: string;
  why: string;
  doubt?: string;
  /** Keys of items, legs and pins. */
  about?: string[];
}

export interface ToDo {
  key: string;
  text: string;
  done: boolean;
  urgency?: string;
}

export interface Trip {
  id: string;
  title: string;
  starts?: string;
  ends?: string;
  days: Day[];
  legs: Leg[];
  items: Item[];
  pins: Pin[];
  toDos: ToDo[];
  findings: Finding[];
  /** Findings beyond those listed. */
  moreFindings?: number;
}

export interface TripPage {
  format: 1;
  trip: Trip;
  /** The trip as a plan would leave it. The page then shows what changes. */
  after?: Trip;
}

/** The application around the page, if there is one. */
export interface Host {
  callTool(name: string, args: Record<string, unknown>): Promise<unknown>;
  sendMessage(text: string): Promise<void>;
  openLink(url: string): Promise<void>;
}

export type Change = "added" | "changed" | "removed";

/** What differs between two states, by key. */
export function changes(before: Trip, after: Trip): Map<string, Change> {
  const found = new Map<string, Change>();
  const old = byKey(before);
  const now = byKey(after);
  for (const [key, one] of now) {
    const was = old.get(key);
    if (!was) found.set(key, "added");
    else if (JSON.stringify(was) !== JSON.stringify(one)) found.set(key, "changed");
  }
  for (const key of old.keys()) if (!now.has(key)) found.set(key, "removed");
  return found;
}

function byKey(trip: Trip): Map<string, object> {
  return new Map([...trip.legs, ...trip.items, ...trip.pins, ...trip.toDos].map((one) => [one.key, one]));
}
