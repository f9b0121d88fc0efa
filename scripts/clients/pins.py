"""The clients that the checks run, with their versions; docs/clients.md is generated from here."""

from typing import Final, NamedTuple


class Pin(NamedTuple):
    name: str
    """As it is chosen by, on the command line."""
    title: str
    package: str
    """In npm's registry."""
    version: str
    seen: str
    """What the checks have it do, for the reader of docs/clients.md."""


CLAUDE_CODE: Final = Pin(
    "claude-code",
    "Claude Code",
    "@anthropic-ai/claude-code",
    "2.1.330",
    "connects over stdio and HTTP, lists every tool and prompt, finds tools by plain questions, calls them",
)
GEMINI_CLI: Final = Pin("gemini-cli", "Gemini CLI", "@google/gemini-cli", "0.61.0", "connects over stdio and HTTP")
CODEX: Final = Pin("codex", "Codex", "@openai/codex", "0.169.0", "reads the entry, of a command and of an address")
OPENCODE: Final = Pin("opencode", "opencode", "opencode-ai", "1.18.33", "connects over stdio and HTTP")
INSPECTOR: Final = Pin(
    "inspector",
    "MCP Inspector",
    "@modelcontextprotocol/inspector",
    "2.12.0",
    "lists and uses tools, resources and prompts, over stdio and HTTP, in both revisions of the protocol; draws a trip",
)
MCP_REMOTE: Final = Pin(
    "mcp-remote", "mcp-remote", "mcp-remote", "0.15.1", "reaches HTTP for clients that only start servers"
)
TYPESCRIPT_1: Final = Pin(
    "typescript-sdk",
    "TypeScript SDK",
    "@modelcontextprotocol/sdk",
    "1.32.2",
    "calls ten tools over stdio and HTTP, and holds their answers against the output schemas",
)
TYPESCRIPT_2: Final = TYPESCRIPT_1._replace(
    name="typescript-client",
    title="TypeScript SDK, client package",
    package="@modelcontextprotocol/client",
    version="2.4.0",
)

PINS: Final = (CLAUDE_CODE, GEMINI_CLI, CODEX, OPENCODE, INSPECTOR, MCP_REMOTE, TYPESCRIPT_1, TYPESCRIPT_2)


def seen_with() -> str:
    rows = "\n".join(f"| {pin.title} | {pin.version} | {pin.seen} |" for pin in PINS)
    return f"| Client | Version | What it does in the checks |\n|---|---|---|\n{rows}\n"
