// Version 1: the package that most clients are still built on.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { run } from "./calls.mjs";

await run(Client, {}, { Stdio: StdioClientTransport, Http: StreamableHTTPClientTransport });
