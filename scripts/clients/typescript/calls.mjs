// One connection of the official SDK: what it lists, and what it is answered. Told by JOB, tells it as JSON.

export async function run(Client, options, transports) {
  const job = JSON.parse(process.env.JOB);
  const client = new Client({ name: "trips-mcp-checks", version: "1" }, options);
  const transport = job.url
    ? new transports.Http(new URL(job.url), { requestInit: { headers: job.headers } })
    : new transports.Stdio({ command: job.command, args: job.args, env: job.env });
  let version = null;
  const told = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = (agreed) => {
    version = agreed;
    told?.(agreed);
  };
  await client.connect(transport);
  // From here on the SDK holds each structured answer against the schema that is listed for it.
  const { tools } = await client.listTools();
  const calls = [];
  for (const [name, given] of job.calls) calls.push([name, await outcome(client, name, given)]);
  version = client.getNegotiatedProtocolVersion?.() ?? version;
  await client.close();
  const typed = tools.filter((tool) => tool.outputSchema).map((tool) => tool.name);
  console.log(JSON.stringify({ version, tools: tools.map((tool) => tool.name), typed, calls }));
}

async function outcome(client, name, given) {
  try {
    return await client.callTool({ name, arguments: given });
  } catch (error) {
    return { thrown: String(error) };
  }
}
