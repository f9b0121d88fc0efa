/** Everything in words, day by day: what a screen reader reads, and what is printed. */

import { categoryOf } from "./categories";
import { between, clocks, dayLabel, dayNumber, length, longDay, zoneName } from "./dates";
import { button, h, words } from "./dom";
import type { Change, Day, Finding, Item, Pin, Point, ToDo, Trip } from "./model";
import { named, paintSelected, type Selected, type Selection } from "./selection";
import { badge, box, sign, warning } from "./signs";

const URGENCIES: Record<string, string> = { now: "Now", before_trip: "Before the trip", nice_to_have: "Nice to have" };

type Changed = ReadonlyMap<string, Change>;

export class List {
  readonly element = h("section", { class: "list", "aria-label": "List" });

  constructor(private readonly selected: Selected) {
    selected.onChange((selection, by) => this.onSelect(selection, by));
  }

  /** `gone` is what a plan removes. */
  draw(trip: Trip, changed: Changed, gone: readonly Item[]): void {
    const dated = groupedByDay([...trip.items, ...gone]);
    const days = trip.days.filter((day) => dated.has(day.date) || day.legs?.length);
    this.element.replaceChildren(
      ...(trip.findings.length ? [this.findings(trip)] : []),
      ...days.map((day) => this.day(day, dated.get(day.date) ?? [], trip, changed)),
      ...this.undated(trip.items, changed),
      ...this.toDos(trip.toDos, changed),
      ...this.pins(trip.pins, changed),
    );
    if (!this.element.childElementCount) this.element.append(h("p", { class: "empty" }, "This trip is still empty."));
    paintSelected(this.element, this.selected.value);
  }

  private findings(trip: Trip): HTMLElement {
    const more = trip.moreFindings ? h("li", {}, `${trip.moreFindings} more`) : "";
    return section("To check", "findings", h("ul", {}, ...trip.findings.map((one) => this.finding(one, trip)), more));
  }

  private finding(one: Finding, trip: Trip): HTMLElement {
    const about = (one.about ?? []).flatMap((key) => named(trip, key));
    return h(
      "li",
      { class: `finding ${one.grade}` },
      warning(),
      h(
        "div",
        {},
        h("p", {}, one.why, one.doubt ? ` ${one.doubt}` : "", one.grade === "possible" && h("span", { class: "grade" }, "perhaps")),
        about.length > 0 &&
          h("p", { class: "about" }, ...about.map(({ selection, name }) => this.choice(selection, { class: "link" }, words(name)))),
      ),
    );
  }

  private day(day: Day, items: Item[], trip: Trip, changed: Changed): HTMLElement {
    const selection: Selection = { kind: "day", date: day.date };
    const where = (day.legs ?? []).flatMap((key) => trip.legs.find((leg) => leg.key === key)?.name ?? []);
    const beds = trip.items.filter((item) => item.kind === "stay" && covers(item, day.date));
    return h(
      "section",
      { class: "list-day" },
      h(
        "h2",
        {},
        this.choice(selection, { class: "day-head" }, longDay(day.date)),
        where.length > 0 && h("span", { class: "where" }, ...where.flatMap((name, at) => [at ? " / " : null, words(name)])),
      ),
      items.length > 0 && h("ul", { class: "entries" }, ...items.map((item) => this.entry(item, changed.get(item.key)))),
      beds.length > 0 && h("p", { class: "night" }, "Night: ", ...beds.map((bed) => words(bed.title))),
    );
  }

  private entry(item: Item, change: Change | undefined): HTMLElement {
    const category = categoryOf(item);
    return h(
      "li",
      { class: `entry tone-${category.tone} ${change ?? ""}` },
      this.choice(
        { kind: "item", key: item.key },
        { class: "entry-head" },
        h("span", { class: "clock" }, time(item)),
        sign(category.sign),
        h("span", { class: "text" }, words(item.title, "title"), badge(change), item.place && item.kind !== "flight" && item.place !== item.title && words(item.place, "place")),
      ),
      facts(item),
    );
  }

  private undated(items: readonly Item[], changed: Changed): HTMLElement[] {
    const found = items.filter((item) => !item.starts);
    if (!found.length) return [];
    return [section("Without a date", "", h("ul", { class: "entries" }, ...found.map((item) => this.entry(item, changed.get(item.key)))))];
  }

  private toDos(toDos: readonly ToDo[], changed: Changed): HTMLElement[] {
    if (!toDos.length) return [];
    const groups = grouped(toDos, (item) => URGENCIES[item.urgency ?? ""] ?? "");
    const order = [...Object.values(URGENCIES), ""].filter((name) => groups.has(name));
    return [
      section(
        "To do",
        "to-dos",
        ...order.flatMap((name) => [
          name && h("h3", {}, name),
          h("ul", {}, ...(groups.get(name) ?? []).map((item) => toDo(item, changed.get(item.key)))),
        ]),
      ),
    ];
  }

  private pins(pins: readonly Pin[], changed: Changed): HTMLElement[] {
    if (!pins.length) return [];
    const groups = grouped(pins, (pin) => categoryOf(pin).name);
    return [
      section(
        "Places",
        "places",
        ...[...groups].flatMap(([name, members]) => [
          h("h3", {}, words(name)),
          h("ul", { class: "entries" }, ...members.map((pin) => this.pin(pin, changed.get(pin.key)))),
        ]),
      ),
    ];
  }

  private pin(pin: Pin, change: Change | undefined): HTMLElement {
    const category = categoryOf(pin);
    return h(
      "li",
      { class: `entry tone-${category.tone} ${change ?? ""}` },
      this.choice(
        { kind: "pin", key: pin.key },
        { class: "entry-head" },
        sign(category.sign),
        h("span", { class: "text" }, words(pin.name, "title"), badge(change), pin.notes && words(pin.notes, "place")),
      ),
      h("p", { class: "facts" }, mapLink(pin.point)),
    );
  }

  private choice(selection: NonNullable<Selection>, attributes: Record<string, string>, ...children: Array<Node | string | undefined | false>): HTMLElement {
    return button(
      { ...attributes, "data-select": JSON.stringify(selection) },
      () => this.selected.choose(selection, "list"),
      ...children,
    );
  }

  private onSelect(selection: Selection, by: string): void {
    paintSelected(this.element, selection);
    if (!selection || by === "list" || by === "update") return;
    const text = JSON.stringify(selection);
    const found = [...this.element.querySelectorAll<HTMLElement>(".entry-head, .day-head")].find((one) => one.dataset["select"] === text);
    found?.scrollIntoView({ block: "nearest" });
  }
}

/** A link that the reader may follow; the page itself asks for nothing. */
export function mapLink([longitude, latitude]: Point): HTMLElement {
  const [lat, lon] = [latitude.toFixed(5), longitude.toFixed(5)];
  return h(
    "a",
    { href: `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=15/${lat}/${lon}`, target: "_blank", rel: "noopener noreferrer" },
    `${lat}, ${lon}`,
  );
}

/** `11:25 London – 07:15 Tokyo, Mon 20 Jul` */
export function whenWords(item: Item): string {
  const { starts, ends } = item;
  if (!starts) return "no date";
  if (item.kind === "stay" || !starts.time) {
    return ends && ends.date > starts.date ? `${dayLabel(starts.date)} – ${dayLabel(ends.date)}` : dayLabel(starts.date);
  }
  const isElsewhere = ends?.zone !== undefined && ends.zone !== starts.zone;
  const from = [dayLabel(starts.date), starts.time, isElsewhere && starts.zone && zoneName(starts.zone)].filter(Boolean).join(" ");
  if (!ends?.time) return from;
  const until = [ends.date !== starts.date && dayLabel(ends.date), ends.time, isElsewhere && ends.zone && zoneName(ends.zone)].filter(Boolean).join(" ");
  return `${from} – ${until}`;
}

function time(item: Item): string {
  if (item.kind === "stay") return item.starts && item.ends ? nights(item.starts.date, item.ends.date) : "";
  if (!item.starts?.time) return item.starts ? (item.ends && item.ends.date > item.starts.date ? `to ${dayLabel(item.ends.date)}` : "all day") : "";
  return clocks(item.starts, item.ends);
}

function nights(first: string, last: string): string {
  const count = dayNumber(last) - dayNumber(first);
  return count > 0 ? `${count} ${count === 1 ? "night" : "nights"}` : "";
}

function facts(item: Item): HTMLElement | null {
  const taken = item.starts && item.ends && item.kind === "flight" ? between(item.starts, item.ends) : undefined;
  const lines = [...(item.details ?? []), ...(taken !== undefined && taken > 0 ? [`Takes ${length(taken)}`] : [])];
  if (!lines.length) return null;
  return h("ul", { class: "facts" }, ...lines.map((line) => h("li", {}, words(line))));
}

function toDo(item: ToDo, change: Change | undefined): HTMLElement {
  return h("li", { class: `to-do${item.done ? " done" : ""}` }, box(item.done), words(item.text), badge(change));
}

function section(title: string, className: string, ...children: Array<Node | string | false>): HTMLElement {
  return h("section", { class: `part ${className}` }, h("h2", {}, title), ...children);
}

function groupedByDay(items: readonly Item[]): Map<string, Item[]> {
  return grouped(items.filter((item) => item.starts), (item) => item.starts?.date ?? "");
}

/** Whether the night after this day is one of the stay's. */
function covers(item: Item, date: string): boolean {
  return item.starts !== undefined && item.ends !== undefined && item.starts.date <= date && date < item.ends.date;
}

/** In the order of the first of each. */
function grouped<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = found.get(key);
    if (group) group.push(one);
    else found.set(key, [one]);
  }
  return found;
}
