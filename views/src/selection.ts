/** What is selected, for map, timeline and list alike. */

import type { Trip } from "./model";

export type Selection =
  | { kind: "day"; date: string }
  | { kind: "item" | "pin" | "leg"; key: string }
  | null;

export class Selected {
  private current: Selection = null;
  private readonly listeners: Array<(selection: Selection, by: string) => void> = [];

  get value(): Selection {
    return this.current;
  }

  /** `by` names the part of the page that chose, which need not scroll. Choosing the same again deselects it. */
  choose(selection: Selection, by: string): void {
    this.current = same(selection, this.current) ? null : selection;
    this.announce(by);
  }

  keepOnly(exists: (selection: NonNullable<Selection>) => boolean): void {
    if (this.current && !exists(this.current)) this.current = null;
    this.announce("update");
  }

  onChange(listener: (selection: Selection, by: string) => void): void {
    this.listeners.push(listener);
  }

  private announce(by: string): void {
    for (const listener of this.listeners) listener(this.current, by);
  }
}

export function same(one: Selection, other: Selection): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Marks what is selected: elements name their selection in `data-select`. */
export function paintSelected(root: HTMLElement, selection: Selection): void {
  const text = selection ? JSON.stringify(selection) : "";
  for (const one of root.querySelectorAll<HTMLElement>("[data-select]")) {
    const is = one.dataset["select"] === text;
    one.classList.toggle("is-selected", is);
    if (one.tagName !== "BUTTON") continue;
    if (is) one.setAttribute("aria-current", "true");
    else one.removeAttribute("aria-current");
  }
}

export interface Named {
  selection: NonNullable<Selection>;
  name: string;
}

/** What a key names: one or none. */
export function named(trip: Trip, key: string): Named[] {
  const item = trip.items.find((one) => one.key === key);
  if (item) return [{ selection: { kind: "item", key }, name: item.title }];
  const leg = trip.legs.find((one) => one.key === key);
  if (leg) return [{ selection: { kind: "leg", key }, name: leg.name }];
  const pin = trip.pins.find((one) => one.key === key);
  return pin ? [{ selection: { kind: "pin", key }, name: pin.name }] : [];
}
