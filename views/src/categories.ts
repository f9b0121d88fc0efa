/** Colours and signs of what a trip is made of. An unknown category has a neutral one. */

import type { Item, Pin } from "./model";

export interface Category {
  name: string;
  /** A class of styles.css. */
  tone: string;
  /** An SVG path in a box of 16. */
  sign: string;
}

const SIGNS = {
  bed: "M2 4v9M2 11h12v2M14 11V9a2 2 0 0 0-2-2H6v4M4.200 8.500h.01",
  plane: "M14 2 2 7l4.500 2.500L9 14l5-12ZM6.500 9.500 14 2",
  car: "M3 11.500h10V8.500L11.500 5h-7L3 8.500v3ZM3 8.500h10M5 11.500V13M11 11.500V13",
  fork: "M5 2v12M3 2v3a2 2 0 0 0 4 0V2M11 14V2c-1.500 1-2 3-2 6h2",
  sight: "M2 6l6-4 6 4M3 13h10M4.500 6.500v6M8 6.500v6M11.500 6.500v6",
  tree: "M8 2 3.500 8H6l-3 4h10l-3-4h2.500L8 2ZM8 12v2.500",
  bag: "M3.500 6h9l.5 7.500H3L3.500 6ZM5.500 6a2.500 2.500 0 0 1 5 0",
  train: "M4.500 2.500h7v8h-7zM4.500 7h7M6 13l-1.500 1.500M10 13l1.500 1.500M6 10.500v2h4v-2",
  star: "M8 2.200 9.700 6l4.100.400-3.100 2.700.900 4L8 11l-3.600 2.100.900-4L2.200 6.400 6.300 6 8 2.200Z",
  people: "M8 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM3 14c0-3 2-4.500 5-4.500s5 1.500 5 4.500",
  dot: "M8 5.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5Z",
};

const KNOWN: Array<[tone: string, sign: keyof typeof SIGNS, words: string]> = [
  ["stay", "bed", "stay hotel hostel lodging accommodation sleep apartment ryokan"],
  ["move", "plane", "flight airport plane"],
  ["move", "train", "train station transit transport local_transit bus ferry port metro subway"],
  ["move", "car", "car parking rental garage"],
  ["food", "fork", "food dinner restaurant cafe café bar lunch breakfast eat drink bakery"],
  ["sight", "sight", "sight sights sightseeing museum temple shrine landmark monument church castle attraction culture gallery"],
  ["nature", "tree", "nature park garden beach hike trail mountain onsen viewpoint lake view"],
  ["shop", "bag", "shop shopping market store mall"],
  ["plan", "star", "activity birthday event entertainment tour show concert free_block"],
  ["plan", "people", "meeting friend friends work"],
];

const BY_WORD = new Map(
  KNOWN.flatMap(([tone, sign, words]) => words.split(" ").map((word) => [word, { tone, sign: SIGNS[sign] }] as const)),
);
const OTHER = { tone: "other", sign: SIGNS.dot };
const BY_KIND = {
  flight: { name: "Flight", tone: "move", sign: SIGNS.plane },
  stay: { name: "Stay", tone: "stay", sign: SIGNS.bed },
  car: { name: "Rental car", tone: "move", sign: SIGNS.car },
};

export function categoryOf(one: Pin | Item): Category {
  if ("kind" in one && one.kind in BY_KIND) return BY_KIND[one.kind as keyof typeof BY_KIND];
  const name = one.category?.trim() ?? "";
  const known = BY_WORD.get(name.toLowerCase()) ?? firstKnown(name);
  if (known) return { name: readable(name), ...known };
  const isPlan = "kind" in one;
  return { name: readable(name) || (isPlan ? "Plan" : "Place"), ...OTHER, ...(isPlan && { tone: "plan" }) };
}

function firstKnown(name: string): { tone: string; sign: string } | undefined {
  for (const word of name.slice(0, 100).toLowerCase().split(/[^\p{L}_]+/u)) {
    const found = BY_WORD.get(word) ?? BY_WORD.get(word.replace(/s$/, ""));
    if (found) return found;
  }
  return undefined;
}

function readable(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1).replaceAll("_", " ");
}
