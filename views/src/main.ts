/** The page as a file: its data is in the page itself. */

import { h } from "./dom";
import type { TripPage } from "./model";
import { mount } from "./mount";

const root = document.getElementById("page");
const text = document.getElementById("trip")?.textContent ?? "";
if (root) start(root);

function start(place: HTMLElement): void {
  let data: TripPage | null;
  try {
    data = JSON.parse(text) as TripPage | null;
  } catch {
    data = null;
  }
  if (data?.trip) mount(place, data);
  else place.replaceChildren(h("p", { class: "empty" }, "There is no trip in this page."));
}
