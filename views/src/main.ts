/** Starts the page: as a file, whose data is in the page itself, or in a conversation. */

import { Bridge } from "./bridge";
import { startInChat } from "./chat";
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
  const nothing = (): void => place.replaceChildren(h("p", { class: "empty" }, "There is no trip in this page."));
  if (data?.trip) mount(place, data);
  else if (Bridge.isEmbedded) startInChat(place).catch(nothing);
  else nothing();
}
