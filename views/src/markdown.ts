/** The few forms of Markdown that our tools' answers have, as elements. Their texts only ever become text nodes. */

import { h, words } from "./dom";

/** Ids, which are for models too. */
const IDS = /,? ?\b(?:\w+Id|event_id) [\w-]+(?:, flight \d+)?/g;
const QUOTED_BY = /^What stands between \[(\w+)\] and \[\/\w+\] was written by other people/m;

export function markdown(text: string): HTMLElement[] {
  const found: HTMLElement[] = [];
  let list: HTMLElement | undefined;
  for (const line of unquoted(text).split("\n")) {
    const item = /^\s*- (.*)/.exec(line)?.[1];
    if (item === undefined) list = undefined;
    if (item !== undefined) {
      if (!list) found.push((list = h("ul", {})));
      list.append(h("li", {}, words(readable(item))));
    } else if (line.startsWith("#")) {
      continue; // the heading is the card's own
    } else if (line.trim()) {
      found.push(h("p", {}, words(readable(line))));
    }
  }
  return found;
}

function readable(line: string): string {
  return line.replace(IDS, "").replace(/ ?\(\)/g, "");
}

/** Without the marks around other people's words: they are for models, and a reader sees who speaks. */
function unquoted(text: string): string {
  const mark = QUOTED_BY.exec(text)?.[1];
  if (!mark) return text;
  return text
    .split("\n")
    .filter((line) => !QUOTED_BY.test(line))
    .join("\n")
    .replaceAll(`[${mark}]`, "")
    .replaceAll(`[/${mark}]`, "");
}
