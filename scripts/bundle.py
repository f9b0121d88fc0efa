"""Packs the MCPB bundle, dist/trips-mcp.mcpb, with the tool of its makers.

    python scripts/bundle.py            packs it
    python scripts/bundle.py --check    and does with it what a host does: unpacks it, starts what its manifest says
                                        with its settings left empty and filled in, lists, calls a tool

The tool is installed into `.mcpb` by the Node.js that pyright brings, unless it is there. What a host puts in the place
of `${…}` is left to that tool's own function.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import Tool
from registries import NOT_RUN, node, npm_install
from release import modules

ROOT: Final = Path(__file__).parent.parent
BUNDLE: Final = ROOT / "dist/trips-mcp.mcpb"
TOOL: Final = "@anthropic-ai/mcpb@2.1.2"
BESIDE_THE_SOURCE: Final = {
    "manifest.json",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "assets/icon.png",
    "assets/screenshot.png",
}
_SECONDS: Final = 300
_SECONDS_TO_START: Final = 300
"""Seconds; the first start installs the dependencies."""
_NOT_A_HOSTS: Final = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_", "VIRTUAL_ENV", "UV_PROJECT", "UV_RUN_", "PYTHON")
_SUBSTITUTE: Final = """
const [module, manifest, folder, given] = process.argv.slice(1);
const { getMcpConfigForManifest } = await import(module);
console.log(JSON.stringify(await getMcpConfigForManifest({
  manifest: JSON.parse(manifest), userConfig: JSON.parse(given), extensionPath: folder, systemDirs: {},
  pathSeparator: "/",
})));
"""


class BundleError(Exception):
    """What is wrong with the bundle, in one sentence."""


@dataclass(frozen=True)
class Answered:
    tools: list[Tool]
    prompts: dict[str, list[str]]
    """Their arguments, by name."""
    seconds: float


def main(words: list[str]) -> int:
    try:
        tool = installed(ROOT / ".mcpb")
    except (subprocess.SubprocessError, OSError) as error:
        print(f"The bundle's tool could not be installed, and nothing was packed: {type(error).__name__}.")
        return NOT_RUN
    try:
        pack(tool)
        if "--check" in words:
            check(tool)
    except BundleError as error:
        print(f"The bundle is not right: {error}", file=sys.stderr)
        return 1
    return 0


def installed(folder: Path) -> Path:
    """The tool's own folder."""
    package = folder / "node_modules/@anthropic-ai/mcpb"
    if not (package / "dist/cli/cli.js").exists():
        npm_install(TOOL, folder, seconds=_SECONDS).check_returncode()
    return package


def mcpb(tool: Path, *words: str) -> str:
    done = node(tool / "dist/cli/cli.js", *words, seconds=_SECONDS)
    if done.returncode:
        raise BundleError(f"`mcpb {words[0]}` said: {(done.stdout + done.stderr).strip()}")
    return done.stdout


def pack(tool: Path) -> None:
    mcpb(tool, "validate", str(ROOT / "manifest.json"))
    mcpb(tool, "pack", str(ROOT), str(BUNDLE))
    mcpb(tool, "info", str(BUNDLE))
    with zipfile.ZipFile(BUNDLE) as archive:
        names = set(archive.namelist())
    wanted = {*modules("src/"), *BESIDE_THE_SOURCE}
    _expect(names >= wanted, f"it lacks {sorted(wanted - names)}")
    _expect(names <= wanted, f"it should not hold {sorted(names - wanted)}")
    print(f"{BUNDLE.relative_to(ROOT)}: {len(names)} files, {BUNDLE.stat().st_size:,} bytes")


def check(tool: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="trips-mcp-bundle-") as scratch:
        folder, data, chosen = (Path(scratch, name) for name in ("bundle", "data", "chosen"))
        chosen.mkdir()
        mcpb(tool, "unpack", str(BUNDLE), str(folder))
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
        left_empty = started(tool, manifest, folder, {}, data)
        _expect_what_is_listed(manifest, left_empty)
        _expect(any(data.rglob("trips.db")), "with nothing filled in, trips are not kept in the user's data folder")
        print(f"nothing filled in: {_told(left_empty)}")

        filled_in = {"database_folder": str(chosen), "read_only": True, "toolsets": "trips,itinerary"}
        reading = started(tool, manifest, folder, filled_in, data)
        names = {each.name for each in reading.tools}
        writing = [each.name for each in reading.tools if not (each.annotations and each.annotations.read_only_hint)]
        _expect(not writing, f"read-only, it offers {writing}")
        _expect({"list_trips", "get_day"} <= names, f"of the toolsets trips and itinerary it offers {sorted(names)}")
        _expect(names < {each.name for each in left_empty.tools}, f"with toolsets chosen it offers {sorted(names)}")
        _expect((chosen / "trips.db").is_file(), "the folder that was chosen has no trips.db")
        print(f"read-only, two toolsets, a folder: {_told(reading)}")


def started(tool: Path, manifest: dict[str, Any], folder: Path, given: dict[str, Any], data: Path) -> Answered:
    """What the server lists when a host starts it with these settings."""
    config = _substituted(tool, manifest, folder, given)
    env = {name: text for name, text in os.environ.items() if not name.startswith(_NOT_A_HOSTS)}
    env |= {"XDG_DATA_HOME": str(data), "XDG_STATE_HOME": str(data), **config["env"]}
    server = StdioServerParameters(command=config["command"], args=config["args"], env=env, cwd=data.parent)
    return anyio.run(_answers, server)


def _substituted(tool: Path, manifest: dict[str, Any], folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    module = (tool / "dist/shared/config.js").as_uri()
    words = (module, json.dumps(manifest), str(folder), json.dumps(given))
    done = node("--input-type=module", "-e", _SUBSTITUTE, *words, seconds=_SECONDS)
    if done.returncode or done.stdout.strip() == "undefined":
        raise BundleError(f"its tool makes no command of the manifest: {done.stderr.strip()}")
    config: dict[str, Any] = json.loads(done.stdout)
    _expect("${" not in json.dumps(config), f"something is left of a variable: {config}")
    _expect(shutil.which(config["command"]) is not None, f"{config['command']} is not installed here")
    return config


async def _answers(server: StdioServerParameters) -> Answered:
    """Raises: BundleError."""
    answered: list[Answered] = []
    try:
        answered.append(await _ask(server))
    except* (MCPError, OSError):
        pass  # what the process had to say stands above
    if not answered:
        raise BundleError("the server that it starts does not answer as it should.")
    return answered[0]


async def _ask(server: StdioServerParameters) -> Answered:
    begun = time.perf_counter()
    async with Client(server, read_timeout_seconds=_SECONDS_TO_START) as client:
        tools = (await client.list_tools()).tools
        prompts = (await client.list_prompts()).prompts
        answer = await client.call_tool("list_trips", {})
    _expect(not answer.is_error and answer.structured_content is not None, f"list_trips answers {answer.content}")
    arguments = {prompt.name: [each.name for each in prompt.arguments or ()] for prompt in prompts}
    return Answered(tools, arguments, time.perf_counter() - begun)


def _expect_what_is_listed(manifest: dict[str, Any], answered: Answered) -> None:
    tools, prompts = {each.name for each in answered.tools}, answered.prompts
    listed = {each["name"] for each in manifest["tools"]}
    _expect(tools == listed, f"tools are listed or offered, but not both: {sorted(tools ^ listed)}")
    listed_prompts = {each["name"]: each["arguments"] for each in manifest["prompts"]}
    _expect(prompts == listed_prompts, f"prompts differ: {listed_prompts} listed, {prompts} offered")


def _told(answered: Answered) -> str:
    return f"{len(answered.tools)} tools, {len(answered.prompts)} prompts, list_trips in {answered.seconds:.1f} s"


def _expect(held: bool, otherwise: str) -> None:
    if not held:
        raise BundleError(f"{otherwise}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
