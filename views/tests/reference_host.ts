/** A host with the reference library's bridge around a sandboxed page, for the tests to steer. */

import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

interface Told {
  messages: string[];
  links: string[];
  calls: Array<{ name: string; arguments: unknown }>;
  sizes: Array<{ width?: number; height?: number }>;
  errors: string[];
  isInitialized: boolean;
}

declare global {
  interface Window {
    callServer(name: string, args: unknown): Promise<any>;
    told: Told;
    open_page(html: string, input: Record<string, unknown>, result: any, options?: Options): Promise<void>;
    change(context: Record<string, unknown>): Promise<void>;
    ping(): Promise<unknown>;
    teardown(): Promise<unknown>;
    forge(message: unknown): void;
  }
}

interface Options {
  capabilities?: Record<string, unknown>;
  context?: Record<string, unknown>;
  /** Answers no tool call, message or link. */
  isDeaf?: boolean;
  refuses?: boolean;
}

const ALL = { serverTools: {}, openLinks: {}, message: { text: {} } };
let bridge: AppBridge;

window.told = { messages: [], links: [], calls: [], sizes: [], errors: [], isInitialized: false };

window.open_page = async (html, input, result, options = {}) => {
  const { told } = window;
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.style.cssText = "width:100%;height:150px;border:0;display:block";
  document.body.replaceChildren(frame);
  const context = { theme: "light", displayMode: "inline", availableDisplayModes: ["inline", "fullscreen"], containerDimensions: { maxHeight: 2000 }, ...options.context };
  bridge = new AppBridge(null, { name: "reference", version: "1" }, (options.capabilities ?? ALL) as any, { hostContext: context as any });
  const never = (): Promise<any> => new Promise(() => undefined);
  bridge.oncalltool = async (params) => {
    told.calls.push({ name: params.name, arguments: params.arguments });
    if (options.isDeaf) return never();
    if (options.refuses) throw new Error("The user said no.");
    return window.callServer(params.name, params.arguments ?? {});
  };
  bridge.onmessage = async (params) => {
    told.messages.push((params.content[0] as { text: string }).text);
    return options.isDeaf ? never() : { isError: options.refuses === true };
  };
  bridge.onopenlink = async (params) => {
    told.links.push(params.url);
    return { isError: options.refuses === true };
  };
  bridge.onrequestdisplaymode = async ({ mode }) => {
    bridge.setHostContext({ ...context, displayMode: mode } as any);
    return { mode };
  };
  bridge.onsizechange = ({ width, height }) => {
    told.sizes.push({ width, height } as any);
    if (height) frame.style.height = `${height}px`;
  };
  bridge.onerror = (error) => told.errors.push(String(error));
  const initialized = new Promise<void>((resolve) => {
    bridge.oninitialized = () => resolve();
  });
  await bridge.connect(new PostMessageTransport(frame.contentWindow!, frame.contentWindow!));
  frame.srcdoc = html;
  await initialized;
  told.isInitialized = true;
  await bridge.sendToolInput({ arguments: input });
  if (result) await bridge.sendToolResult(result);
};
window.change = async (context) => void (await bridge.sendHostContextChange(context as any));
window.ping = () => bridge.request({ method: "ping" } as any);
window.teardown = () => bridge.teardownResource({});
/** As a frame of somebody else's would. */
window.forge = (message) => {
  const stranger = document.createElement("iframe");
  document.body.append(stranger);
  const target = document.querySelector("iframe")!.contentWindow!;
  (stranger.contentWindow as any).eval(`(target, message) => target.postMessage(message, "*")`)(target, message);
};
