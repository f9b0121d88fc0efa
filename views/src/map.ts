/** The map: coasts, the way of the trip, and its places. */

import { Camera } from "./camera";
import { clustered, type Cluster, type Placed } from "./clusters";
import { BORDERS, GRID, LAND } from "./coastlines";
import { button, h, s } from "./dom";
import type { Leg, Point, Trip } from "./model";
import { marksOf, pointsOf, waysOf, type Mark, type Way } from "./places";
import { pathOf, Projection, type Spot } from "./projection";
import { same, type Selected, type Selection } from "./selection";
import { sign } from "./signs";

const CELL = 26; // pixels within which marks are one
const CELL_OF_MANY = 44;
const MANY = 300;
const STOP = 24; // pixels around a leg's number that take in other marks
const MARGIN = 60; // pixels beyond the edges in which marks are drawn
const CLOSE = 400; // pixels of a degree beyond which the coasts are too coarse to be shown
const CLOSEST_FIT = 3000;
const ONE_PLACE = 45;
const LETTER = 7.8; // pixels of a letter of a name, about
const GRID_LINES = [45, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
const BARS = [5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05];
const DEGREE = 111.2; // kilometres
const OUTER = 85; // degrees of latitude that the map shows when all the world is to be seen

interface Stop {
  numbers: number[];
  legs: Leg[];
}

export class TripMap {
  readonly element: HTMLElement;
  private readonly stage: HTMLElement;
  private readonly canvas = s("svg", { role: "img", class: "map-canvas" });
  private readonly world = s("g", { class: "world" });
  private readonly grid = s("path", { class: "graticule" });
  private readonly land = s("path", { d: pathOf(LAND), class: "land" });
  private readonly borders = s("path", { d: pathOf(BORDERS), class: "borders" });
  private readonly ways = s("g", { class: "ways" });
  private readonly marks = s("g", { class: "marks" });
  private readonly bar = h("span", { class: "scale-bar", "aria-hidden": "true" });
  private readonly note = h("p", { class: "map-note" });
  private readonly camera: Camera;
  private trip: Trip | undefined;
  private projection = new Projection(0, 30);
  private stops: Array<Placed<Stop>> = [];
  private places: Array<Placed<Mark>> = [];
  private drawnWays: Array<{ way: Way; line: Spot[] }> = [];
  private frame = 0;

  constructor(private readonly selected: Selected) {
    this.canvas.append(this.world, this.ways, this.marks);
    this.stage = h(
      "div",
      {
        class: "map-stage",
        tabindex: 0,
        role: "group",
        "aria-label": "Map. Arrow keys move it, plus and minus zoom, zero shows all. All of it is also in the list.",
      },
      this.canvas,
    );
    this.camera = new Camera(this.stage, () => this.schedule(), () => this.showAll(true));
    this.element = h(
      "div",
      { class: "map" },
      this.stage,
      h(
        "div",
        { class: "map-buttons" },
        button({ "aria-label": "Zoom in", title: "Zoom in" }, () => this.camera.zoom(1.8), "+"),
        button({ "aria-label": "Zoom out", title: "Zoom out" }, () => this.camera.zoom(1 / 1.8), "−"),
        button({ "aria-label": "Show the whole trip", title: "Show the whole trip" }, () => this.showAll(true), sign("M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4")),
      ),
      this.bar,
      this.note,
    );
    selected.onChange((selection, by) => this.onSelect(selection, by));
    new ResizeObserver(() => this.measure()).observe(this.stage);
  }

  draw(trip: Trip): void {
    this.trip = trip;
    const [marks, ways] = [marksOf(trip), waysOf(trip)];
    const points = [
      ...marks.map((mark) => mark.point),
      ...ways.flatMap((way) => [way.from, way.to]),
      ...trip.legs.flatMap((leg) => (leg.point ? [leg.point] : [])),
    ];
    this.projection = Projection.around(points);
    this.places = marks.map((what) => ({ what, spot: this.projection.at(what.point) }));
    this.stops = trip.legs.flatMap((leg, at) =>
      leg.point ? [{ what: { numbers: [at + 1], legs: [leg] }, spot: this.projection.at(leg.point) }] : [],
    );
    this.drawnWays = ways.map((way) => ({ way, line: this.projection.arc(way.from, way.to) }));
    this.note.textContent = points.length ? "" : "No place of this trip has a known position.";
    this.canvas.setAttribute("aria-label", description(trip, this.places.length));
    this.drawWorld();
    this.drawWays();
    this.camera.moved = false;
    this.measure();
  }

  private measure(): void {
    const { clientWidth, clientHeight } = this.stage;
    if (!clientWidth || !clientHeight) return;
    const { camera } = this;
    const [sideways, downwards] = [clientWidth - camera.width, clientHeight - camera.height];
    camera.width = clientWidth;
    camera.height = clientHeight;
    if (camera.moved) {
      camera.x += sideways / 2;
      camera.y += downwards / 2;
      this.render();
    } else {
      this.showAll(false);
      this.render();
    }
  }

  private showAll(glides: boolean): void {
    this.camera.moved = false;
    this.camera.fit(...this.whole(), glides);
  }

  private whole(): [Spot[], number] {
    const spots = [
      ...this.places.map((one) => one.spot),
      ...this.stops.map((one) => one.spot),
      ...this.drawnWays.flatMap(({ line }) => line).filter(([x]) => Math.abs(x) <= this.projection.world / 2),
    ];
    if (!spots.length) return [[this.projection.raw(-179, OUTER - 10), this.projection.raw(179, 25 - OUTER)], 4];
    const isOne = spots.every(([x, y]) => Math.hypot(x - spots[0]![0], y - spots[0]![1]) < 1e-4);
    return [spots, isOne ? ONE_PLACE : CLOSEST_FIT];
  }

  private drawWorld(): void {
    const { projection } = this;
    const copies = [-1, 0, 1].map((turn) => {
      const shift = turn * projection.world - projection.middle * projection.stretch;
      return s(
        "g",
        { transform: `translate(${shift} 0) scale(${GRID * projection.stretch} ${GRID})` },
        this.land.cloneNode(),
        this.borders.cloneNode(),
      );
    });
    this.world.replaceChildren(...copies, this.grid);
  }

  private drawWays(): void {
    const turns = [0, -this.projection.world, this.projection.world];
    this.ways.replaceChildren(
      ...this.drawnWays.flatMap(({ way, line }) =>
        turns.map((turn) =>
          s("path", { d: outline(line), class: `way ${way.kind}`, "data-key": way.key, transform: `translate(${turn} 0)` }),
        ),
      ),
    );
    for (const line of this.ways.children) {
      line.addEventListener("click", () => this.selected.choose(chosenBy(line), "map"));
    }
  }

  private schedule(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => this.render());
  }

  private render(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { camera, projection } = this;
    // the world comes round again
    const middle = (camera.width / 2 - camera.x) / camera.scale;
    if (Math.abs(middle) > projection.world / 2) camera.x += Math.sign(middle) * projection.world * camera.scale;
    const move = `translate(${camera.x} ${camera.y}) scale(${camera.scale})`;
    this.world.setAttribute("transform", move);
    this.ways.setAttribute("transform", move);
    this.stage.classList.toggle("is-close", camera.scale > CLOSE);
    this.drawGrid();
    this.drawScale();
    this.drawMarks();
  }

  private drawGrid(): void {
    const { camera, projection } = this;
    const step = GRID_LINES.findLast((one) => one * camera.scale > 90) ?? 45;
    const [left, right] = [-camera.x, camera.width - camera.x].map((x) => x / camera.scale / projection.stretch + projection.middle) as [number, number];
    const [north, south] = [Math.min(90, camera.y / camera.scale), Math.max(-90, (camera.y - camera.height) / camera.scale)];
    let lines = "";
    for (let at = Math.ceil(left / step) * step; at <= right; at += step) {
      const x = ((at - projection.middle) * projection.stretch).toFixed(5);
      lines += `M${x} ${-north}V${-south}`;
    }
    for (let at = Math.ceil(south / step) * step; at <= north; at += step) {
      lines += `M${(left - projection.middle) * projection.stretch} ${(-at).toFixed(5)}H${(right - projection.middle) * projection.stretch}`;
    }
    this.grid.setAttribute("d", lines);
  }

  private drawScale(): void {
    const pixels = this.camera.scale / DEGREE;
    const bar = BARS.find((one) => one * pixels <= 110) ?? 0.05;
    this.bar.style.setProperty("width", `${Math.round(bar * pixels)}px`);
    this.bar.textContent = bar < 1 ? `${bar * 1000} m` : `${bar} km`;
  }

  private drawMarks(): void {
    const stops = this.stopsOnScreen();
    const cell = this.places.length > MANY ? CELL_OF_MANY : CELL;
    const { camera } = this;
    const near = this.onScreen(this.places);
    const free = near.filter(({ spot }) => !stops.some((stop) => distance(stop.spot, spot) < STOP));
    // cells are of the map, not of the screen, or clusters would change while the map is moved
    const shifted = free.map(({ what, spot }): Placed<Mark> => ({ what, spot: [spot[0] - camera.x, spot[1] - camera.y] }));
    const groups = clustered(shifted, cell).map((one): Cluster<Mark> => ({ ...one, spot: [one.spot[0] + camera.x, one.spot[1] + camera.y] }));
    const taken: Box[] = [...stops, ...groups].map(({ spot: [x, y] }) => [x - 12, y - 12, x + 12, y + 12]);
    this.marks.replaceChildren(
      ...this.airports(),
      ...groups.map((group) => this.mark(group)),
      ...stops.map((stop) => this.stop(stop, taken)),
    );
    this.paint();
  }

  private onScreen<T>(places: ReadonlyArray<Placed<T>>): Array<Placed<T>> {
    const { camera, projection } = this;
    const found: Array<Placed<T>> = [];
    const turn = projection.world * camera.scale;
    for (const { what, spot } of places) {
      const [x, y] = camera.toScreen(spot);
      for (const copy of [x, x - turn, x + turn]) {
        if (copy > -MARGIN && copy < camera.width + MARGIN && y > -MARGIN && y < camera.height + MARGIN) {
          found.push({ what, spot: [copy, y] });
        }
      }
    }
    return found;
  }

  /** Legs at one place share a mark: `1, 5`. */
  private stopsOnScreen(): Array<Placed<Stop>> {
    const merged: Array<Placed<Stop>> = [];
    for (const { what, spot } of this.onScreen(this.stops)) {
      const near = merged.find((one) => distance(one.spot, spot) < STOP - 4);
      if (!near) {
        merged.push({ what: { numbers: [...what.numbers], legs: [...what.legs] }, spot });
        continue;
      }
      near.what.numbers.push(...what.numbers);
      near.what.legs.push(...what.legs);
    }
    return merged;
  }

  private airports(): Element[] {
    const ends = this.drawnWays.filter(({ way }) => way.kind === "flight").flatMap(({ way }) => [way.from, way.to]);
    const spots = this.onScreen(ends.map((what) => ({ what, spot: this.projection.at(what) })));
    return spots.map(({ spot: [x, y] }) => s("circle", { cx: x, cy: y, r: 3.5, class: "airport" }));
  }

  private mark({ members, spot: [x, y] }: Cluster<Mark>): Element {
    const first = members[0];
    if (!first || members.length > 1) return this.group(members, x, y);
    const made = s(
      "g",
      { transform: `translate(${x} ${y})`, class: `mark tone-${first.category.tone}`, "data-select": JSON.stringify(first.selection) },
      s("circle", { r: 10 }),
      s("path", { d: first.category.sign, transform: "translate(-6 -6) scale(.75)" }),
      s("title", {}, first.name),
    );
    made.addEventListener("click", () => this.selected.choose(first.selection, "map"));
    return made;
  }

  private group(members: Mark[], x: number, y: number): Element {
    const made = s(
      "g",
      { transform: `translate(${x} ${y})`, class: "mark cluster", "data-select": members.map((one) => JSON.stringify(one.selection)).join(" ") },
      s("circle", { r: 11 + Math.min(9, Math.log2(members.length) * 1.3) }),
      s("text", { dy: ".36em" }, String(members.length)),
      s("title", {}, members.slice(0, 8).map((one) => one.name).join("\n") + (members.length > 8 ? "\n…" : "")),
    );
    made.addEventListener("click", () => this.enter(members));
    return made;
  }

  /** Zooms until a cluster falls apart; one that never does selects its first place. */
  private enter(members: Mark[]): void {
    const spots = members.map((one) => this.projection.at(one.point));
    const [first] = members;
    const isOne = spots.every((spot) => distance(spot, spots[0]!) < 1e-5);
    if (isOne && first) this.selected.choose(first.selection, "map");
    else {
      this.camera.moved = true;
      this.camera.fit(spots, 15_000, true);
    }
  }

  private stop({ what, spot: [x, y] }: Placed<Stop>, taken: Box[]): Element {
    const first = what.legs[0]!;
    const label = what.numbers.length > 3 ? `${what.numbers[0]}…` : what.numbers.join("·");
    const name = [...new Set(what.legs.map((leg) => short((leg.destination ?? leg.name).split(",")[0] ?? "")))].slice(0, 2).join(", ");
    const wide = 18 + label.length * 5;
    const made = s(
      "g",
      { transform: `translate(${x} ${y})`, class: "stop", "data-select": what.legs.map((leg) => JSON.stringify({ kind: "leg", key: leg.key })).join(" ") },
      s("rect", { x: -wide / 2, y: -11, width: wide, height: 22, rx: 11 }),
      s("text", { dy: ".36em", class: "number" }, label),
      s("title", {}, what.legs.map((leg) => leg.name).join("\n")),
    );
    const size = name.length * LETTER + 6;
    const sides: Array<[number, string]> = [[x + wide / 2 + 4, "start"], [x - wide / 2 - 4 - size, "end"]];
    const side = sides.find(([left]) => {
      const isInside = left > 0 && left + size < this.camera.width;
      return isInside && !taken.some((box) => overlap(box, [left, y - 8, left + size, y + 8]));
    });
    if (side) {
      taken.push([side[0], y - 8, side[0] + size, y + 8]);
      const at = side[1] === "start" ? wide / 2 + 5 : -wide / 2 - 5;
      made.append(s("text", { x: at, dy: ".36em", class: "name", "text-anchor": side[1], direction: "ltr" }, name));
    }
    made.addEventListener("click", () => this.selected.choose({ kind: "leg", key: first.key }, "map"));
    return made;
  }

  private onSelect(selection: Selection, by: string): void {
    this.paint();
    if (!selection || by === "map" || !this.trip || by === "update") return;
    const points = pointsOf(this.trip, selection);
    this.show(points, selection.kind === "pin" || selection.kind === "item");
  }

  private show(points: Point[], isExact: boolean): void {
    if (!points.length || !this.camera.width) return;
    this.camera.moved = true;
    const spots = points.map((point) => this.projection.at(point));
    if (spots.length === 1) this.camera.reveal(spots[0]!, isExact ? Math.min(this.apart(spots[0]!), 8000) : 0);
    else this.camera.fit(spots, 300, true);
  }

  /** The scale at which a spot has no other mark on it. */
  private apart(spot: Spot): number {
    let nearest = Infinity;
    for (const other of this.places) {
      const away = distance(other.spot, spot);
      if (away > 1e-7 && away < nearest) nearest = away;
    }
    return Math.min(CELL_OF_MANY / nearest, this.camera.scale * 64);
  }

  private paint(): void {
    const { value } = this.selected;
    const text = value ? JSON.stringify(value) : "";
    for (const mark of this.marks.children) {
      mark.classList.toggle("is-selected", !!text && (mark.getAttribute("data-select") ?? "").includes(text));
    }
    for (const line of this.ways.children) {
      line.classList.toggle("is-selected", same(chosenBy(line), value));
    }
  }
}

function chosenBy(line: Element): NonNullable<Selection> {
  const key = line.getAttribute("data-key") ?? "";
  return line.classList.contains("flight") ? { kind: "item", key } : { kind: "leg", key };
}

type Box = [left: number, top: number, right: number, bottom: number];

function overlap(one: Box, other: Box): boolean {
  return one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
}

function distance(one: Spot, other: Spot): number {
  return Math.hypot(one[0] - other[0], one[1] - other[1]);
}

function short(name: string): string {
  return name.length > 22 ? `${name.slice(0, 21)}…` : name;
}

function outline(line: readonly Spot[]): string {
  return `M${line.map(([x, y]) => `${x.toFixed(4)} ${y.toFixed(4)}`).join("L")}`;
}

function description(trip: Trip, places: number): string {
  const route = trip.legs.filter((leg) => leg.point).map((leg) => leg.name);
  const shown = route.slice(0, 12).join(", ") + (route.length > 12 ? "…" : "");
  return `Map with ${places} places${shown ? `; the way: ${shown}` : ""}`.slice(0, 400);
}
