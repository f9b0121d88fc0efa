/** Draws a trip into an element: what the file, the shared page and the chat have in common. */

import { categoryOf } from "./categories";
import { dayNumber, longDay, span } from "./dates";
import { button, h, words } from "./dom";
import { List, mapLink, whenWords } from "./list";
import { TripMap } from "./map";
import { changes, type Host, type Trip, type TripPage } from "./model";
import { pointsOf } from "./places";
import { named, paintSelected, Selected, type Selection } from "./selection";
import { badge, sign } from "./signs";
import { Timeline } from "./timeline";

export interface Mounted {
  update(data: TripPage): void;
  /** What the reader looks at; `name` is its title or date. */
  onSelect(listener: (selection: Selection, name: string) => void): void;
  select(selection: Selection): void;
  /** Room for the host's own buttons, in the header. */
  actions: HTMLElement;
  /** Room for the host's buttons about what is selected. Emptied with each selection, before the listeners are called. */
  cardActions: HTMLElement;
  /** One sentence that is shown and read out, such as why an action failed. */
  say(text: string): void;
}

type State = "before" | "after";

export function mount(root: HTMLElement, data: TripPage, host?: Host): Mounted {
  const selected = new Selected();
  const [map, timeline, list] = [new TripMap(selected), new Timeline(selected), new List(selected)];
  const header = h("div", { class: "about-trip" });
  const actions = h("div", { class: "actions" });
  const states = h("div", { class: "states" });
  const card = h("div", { class: "card", "aria-live": "polite", hidden: true });
  const cardActions = h("div", { class: "card-actions" });
  const message = h("p", { class: "message", role: "status", hidden: true });
  const listeners: Array<(selection: Selection, name: string) => void> = [];
  let page = data;
  let state: State = "after";

  const panes = tabs([
    ["timeline", "Timeline", timeline.element],
    ["list", "List", list.element],
  ]);
  root.classList.add("trip");
  root.replaceChildren(
    h("header", { class: "head" }, header, states, actions, message),
    h("main", { class: "body" }, h("section", { class: "map-pane", "aria-label": "Map" }, map.element, card), panes),
  );
  if (host) root.addEventListener("click", (event) => openThrough(host, event));

  const shown = (): Trip => (state === "before" ? page.trip : (page.after ?? page.trip));

  const draw = (): void => {
    performance.mark("trip-begins");
    const trip = shown();
    const changed = page.after ? changes(page.trip, page.after) : new Map<string, never>();
    const isAfter = page.after !== undefined && state === "after";
    const marked = isAfter ? changed : new Map<string, never>();
    const gone = isAfter ? page.trip.items.filter((item) => changed.get(item.key) === "removed") : [];
    document.title = trip.title;
    header.replaceChildren(...head(trip, selected));
    states.replaceChildren(...(page.after ? stateButtons(state, changed.size, choose) : []));
    map.draw(trip);
    timeline.draw(trip, marked);
    list.draw(trip, marked, gone);
    selected.keepOnly((one) => one.kind === "day" || named(trip, one.key).length > 0);
    performance.measure("trip-drawn", "trip-begins");
  };
  const choose = (chosen: State): void => {
    state = chosen;
    draw();
  };

  selected.onChange((selection) => {
    const trip = shown();
    cardActions.replaceChildren();
    const found = selection ? cardOf(trip, selection) : [];
    card.hidden = !found.length;
    card.replaceChildren(...found, ...(found.length ? [cardActions, closing(selected, selection)] : []));
    paintSelected(header, selection);
    for (const listener of listeners) listener(selection, selection ? nameOf(trip, selection) : "");
  });
  draw();

  return {
    update(changed) {
      page = changed;
      state = "after";
      draw();
    },
    onSelect: (listener) => void listeners.push(listener),
    select(selection) {
      if (JSON.stringify(selection) !== JSON.stringify(selected.value)) selected.choose(selection, "host");
    },
    actions,
    cardActions,
    say(text) {
      message.textContent = text;
      message.hidden = !text;
    },
  };
}

function head(trip: Trip, selected: Selected): HTMLElement[] {
  const [first, last] = [trip.starts ?? trip.days[0]?.date, trip.ends ?? trip.days.at(-1)?.date];
  const count = first && last ? dayNumber(last) - dayNumber(first) + 1 : 0;
  const when = first && last ? `${span(first, last)} · ${count} ${count === 1 ? "day" : "days"}` : "";
  const legs = trip.legs.map((leg, at) => {
    const selection = { kind: "leg", key: leg.key } as const;
    return h(
      "li",
      {},
      button(
        { class: "chip", "data-select": JSON.stringify(selection) },
        () => selected.choose(selection, "head"),
        h("span", { class: "number", "aria-hidden": "true" }, String(at + 1)),
        words(leg.name),
      ),
    );
  });
  return [
    h("h1", {}, words(trip.title)),
    h("p", { class: "when" }, when),
    ...(legs.length ? [h("ol", { class: "legs", "aria-label": "Legs" }, ...legs)] : []),
  ];
}

function stateButtons(state: State, count: number, choose: (state: State) => void): HTMLElement[] {
  const one = (name: State, text: string): HTMLElement =>
    button({ class: "state", "aria-pressed": String(state === name) }, () => choose(name), text);
  const said = `${count} ${count === 1 ? "change" : "changes"}`;
  return [h("div", { class: "switch", role: "group", "aria-label": "State of the trip" }, one("before", "Before"), one("after", "After")), h("span", {}, said)];
}

/** What is selected, in short; beside the map, where the list may not be seen. */
function cardOf(trip: Trip, selection: NonNullable<Selection>): HTMLElement[] {
  const point = pointsOf(trip, selection)[0];
  if (selection.kind === "day") return [];
  const { key } = selection;
  const item = trip.items.find((one) => one.key === key);
  if (item) {
    const place = item.toPlace ? `${item.place ?? ""} → ${item.toPlace}` : item.place;
    return [
      h("p", { class: `card-title tone-${categoryOf(item).tone}` }, sign(categoryOf(item).sign), words(item.title), badge(undefined)),
      h("p", {}, whenWords(item)),
      ...(place && place !== item.title ? [h("p", {}, words(place))] : []),
    ];
  }
  const pin = trip.pins.find((one) => one.key === key);
  if (pin) {
    return [
      h("p", { class: `card-title tone-${categoryOf(pin).tone}` }, sign(categoryOf(pin).sign), words(pin.name)),
      h("p", {}, words(categoryOf(pin).name), " · ", mapLink(pin.point)),
      ...(pin.notes ? [h("p", {}, words(pin.notes))] : []),
    ];
  }
  const leg = trip.legs.find((one) => one.key === key);
  if (!leg) return [];
  return [
    h("p", { class: "card-title" }, words(leg.name)),
    h("p", {}, leg.starts ? span(leg.starts, leg.ends ?? leg.starts) : "no dates", leg.zone ? ` · ${leg.zone}` : ""),
    ...(point ? [] : [h("p", {}, "Its place is not known on the map.")]),
  ];
}

function nameOf(trip: Trip, selection: NonNullable<Selection>): string {
  return selection.kind === "day" ? longDay(selection.date) : (named(trip, selection.key)[0]?.name ?? "");
}

function closing(selected: Selected, selection: Selection): HTMLElement {
  return button({ class: "close", "aria-label": "Close" }, () => selected.choose(selection, "card"), "×");
}

/** Where there is no room for both beside each other, one of them is shown. */
function tabs(all: ReadonlyArray<[name: string, title: string, content: HTMLElement]>): HTMLElement {
  const pane = h("div", { class: "panes", "data-tab": all[0]?.[0] ?? "" });
  const bar = h("div", { class: "tabs", role: "group", "aria-label": "View" });
  for (const [name, title, content] of all) {
    content.classList.add("pane", `pane-${name}`);
    const made = button({ class: "tab", "aria-pressed": String(name === all[0]?.[0]) }, () => {
      pane.dataset["tab"] = name;
      for (const other of bar.children) other.setAttribute("aria-pressed", String(other === made));
      content.querySelector(".is-selected")?.scrollIntoView({ block: "nearest" });
    }, title);
    bar.append(made);
  }
  pane.append(bar, ...all.map(([, , content]) => content));
  return pane;
}

/** A sandboxed page may not open links itself. */
function openThrough(host: Host, event: MouseEvent): void {
  const link = (event.target as Element).closest("a");
  if (!link) return;
  event.preventDefault();
  void host.openLink(link.href).catch(() => undefined);
}
