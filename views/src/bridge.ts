/**
 * The bridge to a host of MCP Apps, of 2026-01-26: JSON-RPC by postMessage, with the parent window alone.
 *
 * By hand, as the reference library is ten times the page. A host that does not answer costs a request its time and
 * nothing else.
 */

import type { Host } from "./model";

export const PROTOCOL = "2026-01-26";

const HELLO_MS = 10_000;
const CALL_MS = 60_000;
/** A host may ask the user first. */
const ASKED_MS = 600_000;
const METHOD_NOT_FOUND = -32601;

export interface HostContext {
  theme?: string;
  locale?: string;
  displayMode?: string;
  availableDisplayModes?: string[];
  safeAreaInsets?: { top: number; right: number; bottom: number; left: number };
  containerDimensions?: { width?: number; maxWidth?: number; height?: number; maxHeight?: number };
  styles?: { variables?: Record<string, string | undefined> };
}

export interface ToolResult {
  content?: Array<{ type: string; text?: string }>;
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

export interface Listener {
  input?(args: Record<string, unknown>): void;
  result?(result: ToolResult): void;
  cancelled?(): void;
  context?(context: HostContext): void;
  /** The host is about to remove the page. */
  teardown?(): void;
}

interface Message {
  jsonrpc: "2.0";
  id?: number | string;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}

interface Waiting {
  resolve(result: Record<string, unknown>): void;
  reject(error: Error): void;
  timer: number;
}

interface Options {
  page?: Window;
  callMs?: number;
}

export class Bridge implements Host {
  context: HostContext = {};
  private capabilities: Record<string, unknown> = {};
  private readonly waiting = new Map<number | string, Waiting>();
  private readonly page: Window;
  private readonly callMs: number;
  /** Of the host, once it has answered. A sandbox has none that could be named. */
  private origin = "*";
  private next = 1;
  private closed = false;

  constructor(
    private readonly listener: Listener,
    options: Options = {},
  ) {
    this.page = options.page ?? window;
    this.callMs = options.callMs ?? CALL_MS;
  }

  /** Whether there is a parent window that may be a host. */
  static get isEmbedded(): boolean {
    return window.parent !== window;
  }

  /** Introduces the page. Rejects if no host answers. */
  async connect(version: string): Promise<void> {
    this.page.addEventListener("message", this.onMessage);
    try {
      const hello = {
        appInfo: { name: "trips-mcp", version },
        appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
        protocolVersion: PROTOCOL,
      };
      const met = await this.request("ui/initialize", hello, HELLO_MS);
      this.capabilities = objectOf(met.hostCapabilities);
      this.changeContext(objectOf(met.hostContext));
      this.notify("ui/notifications/initialized", {});
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.closed = true;
    this.page.removeEventListener("message", this.onMessage);
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new Error("The chat has closed this page."));
    }
    this.waiting.clear();
  }

  get canCallTools(): boolean {
    return "serverTools" in this.capabilities;
  }

  get canSendMessages(): boolean {
    return "message" in this.capabilities;
  }

  get canOpenLinks(): boolean {
    return "openLinks" in this.capabilities;
  }

  /** Rejects if the host refuses; a tool that fails is a result. `asks`: whether the host may ask the user first. */
  async callTool(name: string, args: Record<string, unknown>, asks = false): Promise<ToolResult> {
    return this.request("tools/call", { name, arguments: args }, asks ? ASKED_MS : this.callMs);
  }

  /** Puts a message of the user's into the conversation. */
  async sendMessage(text: string): Promise<void> {
    const told = await this.request("ui/message", { role: "user", content: [{ type: "text", text }] }, this.callMs);
    if (told.isError === true) throw new Error("The chat did not take the message.");
  }

  async openLink(url: string): Promise<void> {
    const told = await this.request("ui/open-link", { url }, this.callMs);
    if (told.isError === true) throw new Error("The chat did not open the link.");
  }

  /** The mode that the host has set, which may be another. */
  async requestDisplayMode(mode: "inline" | "fullscreen"): Promise<string> {
    const told = await this.request("ui/request-display-mode", { mode }, this.callMs);
    return String(told.mode ?? mode);
  }

  sizeChanged(width: number, height: number): void {
    this.notify("ui/notifications/size-changed", { width, height });
  }

  private request(method: string, params: Record<string, unknown>, ms: number): Promise<Record<string, unknown>> {
    if (this.closed) return Promise.reject(new Error("The chat has closed this page."));
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Error("The chat does not answer."));
      }, ms) as unknown as number;
      this.waiting.set(id, { resolve, reject, timer });
      this.post({ jsonrpc: "2.0", id, method, params });
    });
  }

  private notify(method: string, params: Record<string, unknown>): void {
    if (!this.closed) this.post({ jsonrpc: "2.0", method, params });
  }

  private post(message: Message): void {
    this.page.parent.postMessage(message, this.origin);
  }

  private readonly onMessage = (event: MessageEvent): void => {
    if (event.source !== this.page.parent) return;
    if (this.origin !== "*" && event.origin !== this.origin) return;
    const message = event.data as Message | null;
    if (typeof message !== "object" || message === null || message.jsonrpc !== "2.0") return;
    if (typeof message.method === "string") this.onMethod(message, message.method);
    else if (message.id !== undefined) this.onResponse(message, message.id, event.origin);
  };

  private onResponse(message: Message, id: number | string, origin: string): void {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.waiting.delete(id);
    clearTimeout(waiting.timer);
    if (origin !== "null" && origin !== "") this.origin = origin;
    if (message.error) waiting.reject(new Error(String(message.error.message)));
    else waiting.resolve(objectOf(message.result));
  }

  private onMethod(message: Message, method: string): void {
    const params = objectOf(message.params);
    if (message.id !== undefined) {
      this.answer(message.id, method);
      return;
    }
    switch (method) {
      case "ui/notifications/tool-input":
        this.listener.input?.(objectOf(params.arguments));
        break;
      case "ui/notifications/tool-result":
        this.listener.result?.(params);
        break;
      case "ui/notifications/tool-cancelled":
        this.listener.cancelled?.();
        break;
      case "ui/notifications/host-context-changed":
        this.changeContext(params);
        break;
    }
  }

  private answer(id: number | string, method: string): void {
    switch (method) {
      case "ping":
        this.post({ jsonrpc: "2.0", id, result: {} });
        break;
      case "ui/resource-teardown":
        this.listener.teardown?.();
        this.post({ jsonrpc: "2.0", id, result: {} });
        this.close();
        break;
      default:
        this.post({ jsonrpc: "2.0", id, error: { code: METHOD_NOT_FOUND, message: "Method not found" } });
    }
  }

  private changeContext(change: HostContext): void {
    this.context = { ...this.context, ...change };
    this.listener.context?.(this.context);
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
