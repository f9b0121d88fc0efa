/** The days, one below the other: each with its hours from left to right, by the clocks of the place. */

import { categoryOf } from "./categories";
import { between, clocks, dayLabel, dayNumber, isWeekend, length, minutes, offsetName, shortDay, weekday, zoneName } from "./dates";
import { button, h, words } from "./dom";
import type { Change, Day, Finding, Item, Leg, Trip } from "./model";
import { named, paintSelected, same, type Selected, type Selection } from "./selection";
import { badge, warning } from "./signs";

const WHOLE = 1440;
const STUB = 40; // minutes: what is drawn of a flight whose arrival is not later on the same clock
const LANES = 3; // bars of stays beside each other
const HOURS = [0, 6, 12, 18];

interface Line {
  item: Item;
  from?: number;
  until?: number;
  text: string;
  /** For a screen reader, and where there is room. */
  more: string;
  isArrival?: boolean;
}

interface Bar {
  item: Item;
  lane: number;
  starts: boolean;
  ends: boolean;
}

export class Timeline {
  readonly element = h("section", { class: "timeline", "aria-label": "Timeline" });
  private readonly rows = new Map<string, HTMLElement>();

  constructor(private readonly selected: Selected) {
    selected.onChange((selection, by) => this.onSelect(selection, by));
  }

  draw(trip: Trip, changed: ReadonlyMap<string, Change>): void {
    this.rows.clear();
    const [lines, bars, findings] = [linesOf(trip.items), barsOf(trip), findingsOf(trip)];
    const legs = new Map(trip.legs.map((leg, at) => [leg.key, { leg, number: at + 1 }]));
    const list = h("ol", { class: "days" });
    let before: Day | undefined;
    for (const day of trip.days) {
      if (before && dayNumber(day.date) - dayNumber(before.date) > 1) list.append(gap(before.date, day.date));
      for (const key of day.legs ?? []) {
        const found = legs.get(key);
        if (found && !before?.legs?.includes(key)) list.append(this.legHead(found.leg, found.number, changed.get(key)));
      }
      const row = this.row(day, before, lines.get(day.date) ?? [], bars.get(day.date) ?? [], findings.get(day.date) ?? [], changed, trip);
      this.rows.set(day.date, row);
      list.append(row);
      before = day;
    }
    this.element.replaceChildren(trip.days.length ? h("div", { class: "hours", "aria-hidden": "true" }, ...HOURS.map(hour)) : "", list);
    if (trip.days.some((day) => day.free)) {
      this.element.append(h("p", { class: "legend" }, h("span", { class: "swatch" }), "free time, 8:00 to 22:00 at most"));
    }
    if (!trip.days.length) this.element.append(h("p", { class: "empty" }, "Nothing in this trip has a date yet."));
    this.paint(this.selected.value);
  }

  private legHead(leg: Leg, number: number, change: Change | undefined): HTMLElement {
    const selection: Selection = { kind: "leg", key: leg.key };
    return h(
      "li",
      { class: "leg-head" },
      button(
        { class: `leg-name ${change ?? ""}`, "data-select": JSON.stringify(selection) },
        () => this.selected.choose(selection, "timeline"),
        h("span", { class: "number", "aria-hidden": "true" }, String(number)),
        words(leg.name),
        badge(change),
      ),
    );
  }

  private row(
    day: Day,
    before: Day | undefined,
    lines: Line[],
    bars: Bar[],
    findings: Finding[],
    changed: ReadonlyMap<string, Change>,
    trip: Trip,
  ): HTMLElement {
    const selection: Selection = { kind: "day", date: day.date };
    const zone = day.zone && day.zone !== before?.zone ? zoneName(day.zone) : "";
    const strip = h("div", { class: "strip" }, ...(day.free ?? []).map(freeBar));
    strip.append(h("ul", { class: "lines" }, ...lines.map((line) => this.line(line, changed.get(line.item.key)))));
    return h(
      "li",
      { class: `day${isWeekend(day.date) ? " weekend" : ""}${lines.length ? "" : " quiet"}`, "data-date": day.date },
      button(
        { class: "date", "data-select": JSON.stringify(selection) },
        () => this.selected.choose(selection, "timeline"),
        h("span", { class: "weekday" }, weekday(day.date)),
        h("span", { class: "day-number" }, shortDay(day.date)),
        zone && h("span", { class: "zone", title: day.zone }, zone),
        h("span", { class: "hidden" }, freeWords(day)),
      ),
      h("div", { class: "gutter", "aria-hidden": "true" }, ...bars.map((bar) => this.bar(bar))),
      strip,
      findings.length > 0 && this.findingMark(findings, trip),
    );
  }

  private line(line: Line, change: Change | undefined): HTMLElement {
    const selection: Selection = { kind: "item", key: line.item.key };
    const category = categoryOf(line.item);
    const made = button(
      { class: `line tone-${category.tone} ${change ?? ""}`, "data-select": JSON.stringify(selection), title: line.more },
      () => this.selected.choose(selection, "timeline"),
      h("span", { class: "bar", "aria-hidden": "true" }),
      h(
        "span",
        { class: "label" },
        line.from !== undefined && clockOf(line.text),
        line.isArrival && h("span", { class: "soft" }, "lands"),
        words(line.item.title, "title"),
        line.from === undefined && line.text && h("span", { class: "soft" }, line.text),
        badge(change),
      ),
    );
    const [from, until] = [line.from, line.until ?? line.from];
    if (from === undefined || until === undefined) made.classList.add("all-day");
    else {
      made.style.setProperty("--from", String(from / WHOLE));
      made.style.setProperty("--until", String(until / WHOLE));
      made.classList.toggle("open", line.until === undefined);
    }
    return h("li", {}, made);
  }

  private bar({ item, lane, starts, ends }: Bar): HTMLElement {
    const tone = categoryOf(item).tone;
    const made = h("span", {
      class: `span tone-${tone}${starts ? " starts" : ""}${ends ? " ends" : ""}`,
      title: item.title,
      "data-select": JSON.stringify({ kind: "item", key: item.key }),
    });
    made.style.setProperty("--lane", String(lane));
    made.addEventListener("click", () => this.selected.choose({ kind: "item", key: item.key }, "timeline"));
    return made;
  }

  private findingMark(findings: Finding[], trip: Trip): HTMLElement {
    const isCertain = findings.some((one) => one.grade === "certain");
    const text = findings.map((one) => one.why).join("\n");
    const [first] = findings.flatMap((one) => one.about ?? []).flatMap((key) => named(trip, key));
    return button(
      { class: `finding-mark ${isCertain ? "certain" : "possible"}`, title: text, "aria-label": `To check: ${text}` },
      () => first && this.selected.choose(first.selection, "timeline"),
      warning(),
    );
  }

  private onSelect(selection: Selection, by: string): void {
    this.paint(selection);
    if (!selection || by === "timeline" || by === "update") return;
    const row = selection.kind === "day" ? this.rows.get(selection.date) : this.element.querySelector(".line.is-selected, .leg-name.is-selected");
    row?.scrollIntoView({ block: "nearest" });
  }

  private paint(selection: Selection): void {
    paintSelected(this.element, selection);
    for (const [date, row] of this.rows) row.classList.toggle("is-selected", same(selection, { kind: "day", date }));
  }
}

function linesOf(items: readonly Item[]): Map<string, Line[]> {
  const found = new Map<string, Line[]>();
  const put = (date: string, line: Line): void => {
    const lines = found.get(date);
    if (lines) lines.push(line);
    else found.set(date, [line]);
  };
  for (const item of items) for (const [date, line] of itsLines(item)) put(date, line);
  for (const lines of found.values()) lines.sort((one, other) => (one.from ?? -1) - (other.from ?? -1));
  return found;
}

function* itsLines(item: Item): Generator<[string, Line]> {
  const { starts, ends } = item;
  if (!starts) return;
  const more = moreOf(item);
  if (!starts.time) {
    yield [starts.date, { item, text: isLong(item) && ends ? `until ${dayLabel(ends.date)}` : "", more }];
    return;
  }
  const from = minutes(starts.time);
  if (!ends?.time) {
    yield [starts.date, { item, from, text: starts.time, more }];
    return;
  }
  const until = minutes(ends.time);
  const text = clocks(starts, ends);
  if (ends.date === starts.date && until > from) {
    yield [starts.date, { item, from, until, text, more }];
  } else if (ends.date > starts.date) {
    yield [starts.date, { item, from, until: WHOLE, text, more }];
    if (until > 300 || item.kind === "flight") yield [ends.date, { item, from: 0, until, text: ends.time, more, isArrival: item.kind === "flight" }];
  } else {
    // over the date line, or far to the west: it lands before it leaves, by the clocks
    yield [starts.date, { item, from, until: Math.min(WHOLE, from + STUB), text, more }];
    if (item.kind === "flight") yield [ends.date, { item, from: Math.max(0, until - STUB), until, text: ends.time, more, isArrival: true }];
  }
}

function moreOf(item: Item): string {
  const { starts, ends } = item;
  const taken = starts && ends ? between(starts, ends) : undefined;
  const zones = [starts, ends].map((at) => (at?.zone ? `${zoneName(at.zone)}${at.offset === undefined ? "" : ` ${offsetName(at.offset)}`}` : ""));
  const names = [...new Set(zones.filter(Boolean))].join(" → ");
  return [item.title, names, taken !== undefined && taken > 0 && length(taken)].filter(Boolean).join(" · ");
}

function isLong(item: Item): boolean {
  return item.starts !== undefined && item.ends !== undefined && item.ends.date > item.starts.date && !item.starts.time;
}

/** Stays and other things of several days, as bars through their days. */
function barsOf(trip: Trip): Map<string, Bar[]> {
  const found = new Map<string, Bar[]>(trip.days.map((day) => [day.date, []]));
  const free: string[] = []; // by lane: the last day of what is in it
  for (const item of trip.items) {
    const [first, last] = [item.starts?.date, item.ends?.date];
    if (!isLong(item) || first === undefined || last === undefined) continue;
    let lane = free.findIndex((day) => day <= first);
    if (lane < 0) lane = free.length < LANES ? free.length : LANES - 1;
    free[lane] = last;
    for (const { date } of trip.days) {
      if (date < first || date > last) continue;
      found.get(date)?.push({ item, lane, starts: date === first, ends: date === last });
    }
  }
  return found;
}

function findingsOf(trip: Trip): Map<string, Finding[]> {
  const found = new Map<string, Finding[]>();
  for (const one of trip.findings) {
    if (one.date === undefined || one.grade === "not_checkable") continue;
    found.set(one.date, [...(found.get(one.date) ?? []), one]);
  }
  return found;
}

/** Only the start where there is little room. */
function clockOf(text: string): HTMLElement {
  const [start = "", ...rest] = text.split(" ");
  return h("span", { class: "clock" }, start, rest.length > 0 && h("span", { class: "rest" }, ` ${rest.join(" ")}`));
}

function hour(at: number): HTMLElement {
  const made = h("span", {}, `${at}:00`);
  made.style.setProperty("--from", String(at / 24));
  return made;
}

function freeBar(free: { from: string; until: string }): HTMLElement {
  const made = h("span", { class: "free", title: `Free ${free.from} – ${free.until}`, "aria-hidden": "true" });
  made.style.setProperty("--from", String(minutes(free.from) / WHOLE));
  made.style.setProperty("--until", String(minutes(free.until) / WHOLE));
  return made;
}

function freeWords(day: Day): string {
  return day.free?.length ? `, free ${day.free.map((one) => `${one.from} to ${one.until}`).join(", ")}` : "";
}

function gap(after: string, before: string): HTMLElement {
  const count = dayNumber(before) - dayNumber(after) - 1;
  return h("li", { class: "gap" }, `${count} ${count === 1 ? "day" : "days"} with nothing planned`);
}
