// Version 2, asked to find out which revision of the protocol the server speaks.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { run } from "./calls.mjs";

const options = { versionNegotiation: { mode: "auto" } };
await run(Client, options, { Stdio: StdioClientTransport, Http: StreamableHTTPClientTransport });
