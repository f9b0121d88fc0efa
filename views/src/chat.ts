/** The page in a conversation (MCP Apps): its data is a tool's result, and the host does what a page alone cannot. */

import { Bridge, type HostContext, type ToolResult } from "./bridge";
import { button, h } from "./dom";
import { markdown } from "./markdown";
import type { TripPage } from "./model";
import { mount, type Mounted } from "./mount";
import type { Selection } from "./selection";

const VERSION = "1.0.0";
/** Pixels. Hosts ask for no more within a conversation. */
const INLINE_HEIGHT = 500;

interface ShownTrip extends TripPage {
  /** The day to begin with. */
  date?: string;
  /** The plan that `after` is the outcome of, if it can be applied. */
  planId?: string;
  remarks?: string[];
}

/** Rejects if no host answers. */
export async function startInChat(root: HTMLElement): Promise<void> {
  const chat = new Chat(root);
  await chat.bridge.connect(VERSION);
  chat.connected();
}

class Chat {
  readonly bridge: Bridge;
  private readonly answer = h("section", { class: "card day-answer", "aria-label": "Day", "aria-live": "polite", hidden: true });
  private readonly apply = button({ class: "primary" }, () => void this.applyPlan(), "Apply");
  private page: ShownTrip | undefined;
  private mounted: Mounted | undefined;
  /** Of the last question about a day: an answer to an earlier one comes too late. */
  private asked = 0;

  constructor(private readonly root: HTMLElement) {
    this.bridge = new Bridge({
      result: (result) => this.show(result),
      cancelled: () => this.tell("The trip is not shown, as the call was cancelled."),
      context: (context) => this.adapt(context),
    });
  }

  connected(): void {
    document.documentElement.classList.add("in-chat");
    if (!this.mounted) this.tell("Waiting for the trip…");
    new ResizeObserver(() => this.reportSize()).observe(this.root);
  }

  private show(result: ToolResult): void {
    const page = result.structuredContent as ShownTrip | undefined;
    if (result.isError || !page?.trip) {
      this.tell(textOf(result) || "There is no trip to show.");
      return;
    }
    this.page = page;
    if (this.mounted) {
      this.mounted.update(page);
    } else {
      this.mounted = mount(this.root, page, this.bridge);
      this.mounted.onSelect((selection, name) => this.onSelect(selection, name));
      this.root.querySelector(".map-pane")?.append(this.answer);
    }
    this.drawActions();
    if (page.remarks?.length) this.mounted.say(page.remarks.join(" "));
    if (page.date) this.mounted.select({ kind: "day", date: page.date });
  }

  /** Words in place of the trip; beside it, once there is one. */
  private tell(text: string): void {
    if (this.mounted) this.mounted.say(text);
    else this.root.replaceChildren(...text.split("\n").map((line) => h("p", { class: "empty" }, line)));
  }

  private drawActions(): void {
    const { bridge, mounted, page } = this;
    if (!mounted || !page) return;
    const modes = bridge.context.availableDisplayModes ?? [];
    const isFull = bridge.context.displayMode === "fullscreen";
    const other = isFull ? "inline" : "fullscreen";
    mounted.actions.replaceChildren(
      ...(page.planId && bridge.canCallTools ? [this.apply] : []),
      ...(bridge.canSendMessages ? [this.tellMeAbout("this trip", `Tell me about my trip, tripId ${id(page.trip.id)}.`)] : []),
      ...(modes.includes(other)
        ? [button({}, () => void bridge.requestDisplayMode(other).catch(() => undefined), isFull ? "Smaller" : "Larger")]
        : []),
    );
  }

  private tellMeAbout(what: string, message: string): HTMLElement {
    const asking = button({}, () => {
      asking.disabled = true;
      this.bridge
        .sendMessage(message)
        .catch((error: Error) => this.mounted?.say(error.message))
        .finally(() => (asking.disabled = false));
    }, `Tell me about ${what}`);
    return asking;
  }

  private onSelect(selection: Selection, name: string): void {
    const { bridge, mounted, page } = this;
    this.asked++;
    this.answer.hidden = true;
    if (!selection || !mounted || !page) return;
    if (selection.kind === "day") {
      if (bridge.canCallTools) void this.askForDay(page.trip.id, selection.date, name);
      return;
    }
    const what = bridge.canSendMessages && inWords(selection.key);
    if (what) {
      const message = `Tell me about ${what} of my trip, tripId ${id(page.trip.id)}.`;
      mounted.cardActions.replaceChildren(this.tellMeAbout("this", message));
    }
  }

  private async askForDay(tripId: string, date: string, name: string): Promise<void> {
    const asked = this.asked;
    this.showDay(name, [h("p", {}, "Reading the day…")]);
    try {
      const result = await this.bridge.callTool("get_day", { tripId, date });
      if (asked !== this.asked) return;
      const message = `Tell me about ${date} of my trip, tripId ${id(tripId)}.`;
      const actions = this.bridge.canSendMessages ? [h("div", { class: "card-actions" }, this.tellMeAbout("this day", message))] : [];
      this.showDay(name, [...markdown(textOf(result)), ...actions]);
    } catch (error) {
      // What the page itself knows of the day is still there.
      if (asked === this.asked) this.showDay(name, [h("p", {}, `Not more than the list has: ${(error as Error).message}`)]);
    }
  }

  private showDay(name: string, content: HTMLElement[]): void {
    const close = button({ class: "close", "aria-label": "Close" }, () => {
      this.asked++;
      this.answer.hidden = true;
    }, "×");
    this.answer.replaceChildren(h("p", { class: "card-title" }, name), ...content, close);
    this.answer.hidden = false;
  }

  private async applyPlan(): Promise<void> {
    const { apply, bridge, mounted, page } = this;
    if (!mounted || !page?.planId) return;
    apply.disabled = true;
    mounted.say("Applying the plan…");
    try {
      const result = await bridge.callTool("apply_plan", { planId: page.planId }, true);
      const [first = "The plan was not applied."] = textOf(result).split("\n");
      const isApplied = !result.isError && result.structuredContent?.state === "applied";
      if (isApplied) await this.reload(page.trip.id);
      mounted.say(first);
      apply.disabled = isApplied;
    } catch (error) {
      mounted.say(`The plan was not applied from here: ${(error as Error).message}`);
      apply.disabled = false;
    }
  }

  /** The trip as it is now. Where that cannot be had, the outcome of the plan is what is shown. */
  private async reload(tripId: string): Promise<void> {
    try {
      this.show(await this.bridge.callTool("show_trip", { tripId }));
    } catch {
      if (this.page?.after) this.show({ structuredContent: { ...this.page, trip: this.page.after, after: undefined, planId: undefined } });
    }
  }

  private adapt(context: HostContext): void {
    const { documentElement: page } = document;
    if (context.theme === "light" || context.theme === "dark") page.dataset["theme"] = context.theme;
    const { top = 0, right = 0, bottom = 0, left = 0 } = context.safeAreaInsets ?? {};
    document.body.style.padding = [top, right, bottom, left].map((side) => `${Number(side) || 0}px`).join(" ");
    page.style.setProperty("--height", `${this.height()}px`);
    this.drawActions();
    this.reportSize();
  }

  private height(): number {
    const { containerDimensions: room, displayMode, safeAreaInsets } = this.bridge.context;
    const around = (safeAreaInsets?.top ?? 0) + (safeAreaInsets?.bottom ?? 0);
    if (room?.height) return room.height - around;
    if (displayMode === "fullscreen") return (room?.maxHeight ?? window.innerHeight) - around;
    return Math.min(room?.maxHeight ?? INLINE_HEIGHT, INLINE_HEIGHT) - around;
  }

  private reportSize(): void {
    const { width, height } = this.root.getBoundingClientRect();
    if (width) this.bridge.sizeChanged(Math.ceil(width), Math.ceil(Math.min(height, this.height())));
  }
}

function textOf(result: ToolResult): string {
  return (result.content ?? []).map((part) => (part.type === "text" ? (part.text ?? "") : "")).filter(Boolean).join("\n");
}

/**
 * An item by its id, as tools name it: `the stay of legId leg_1`. A title has no place in a message of the user's, for
 * somebody else may have written it. Empty for an item without an id.
 */
function inWords(key: string): string {
  const [, legId = "", part = ""] = /^leg-([\w-]+?)-(flight-\w+|stay|car)(?:-\d+)?$/.exec(key) ?? [];
  if (part) return `the ${part.replace("-", " ")} of legId ${legId}`;
  const [, kind = "", itemId = ""] = /^(?:undated-)?(leg|pin|commitment|event)-([\w-]+)$/.exec(key) ?? [];
  return kind && `${kind === "event" ? "event_id" : `${kind}Id`} ${itemId}`;
}

function id(text: string): string {
  return text.replace(/[^\w-]/g, "");
}
