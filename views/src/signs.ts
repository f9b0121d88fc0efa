/** Small signs beside texts. */

import { h, s } from "./dom";
import type { Change } from "./model";

const NAMES: Record<Change, string> = { added: "new", changed: "changed", removed: "removed" };

export function badge(change: Change | undefined): HTMLElement | "" {
  return change ? h("span", { class: `badge ${change}` }, NAMES[change]) : "";
}

/** A path in a box of 16. */
export function sign(path: string, name = "sign"): Element {
  return s("svg", { viewBox: "0 0 16 16", class: name, "aria-hidden": "true" }, s("path", { d: path }));
}

export function warning(): Element {
  return sign("M8 2 14.500 13.500H1.500ZM8 6.500v3M8 11.500v.010", "warning");
}

export function box(isDone: boolean): Element {
  const path = isDone ? "M2 2h12v12H2ZM4.500 8 7 10.500 11.500 5.500" : "M2 2h12v12H2Z";
  return s(
    "svg",
    { viewBox: "0 0 16 16", class: "box", role: "img", "aria-label": isDone ? "Done:" : "Open:" },
    s("path", { d: path }),
  );
}
