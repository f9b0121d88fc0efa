"""This server as clients use it: a database with the demo's trip, the offered tools, a server over HTTP."""

import json
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import anyio
from conformance import address

from clients.desk import OURS, Desk
from trips_mcp.cli.demo import steps
from trips_mcp.cli.demo.steps import Fields, Sample, Scene
from trips_mcp.connect import connect
from trips_mcp.server.offer import Offer, offer
from trips_mcp.settings import Settings
from trips_mcp.tools import TOOLS

_BEFOREHAND: Final = (
    steps.create_the_trip,
    steps.import_it,
    steps.add_commitments,
    steps.add_an_event,
)
_SCOPES: Final = ("trips:read", "trips:write", "messages:read", "messages:write")
_LARGE: Final = 400
"""Legs with notes: several times what a client puts before its model."""


class Planned(NamedTuple):
    trip: str
    """The id of the demo's trip to Kyoto."""
    first_day: str
    large: str
    """The id of a trip that no answer can hold."""


@dataclass(frozen=True)
class Served:
    url: str
    database: Path
    planned: Planned
    secrets: set[str] = field(default_factory=set[str])
    """Every key there is."""

    def key(self) -> str:
        """A new one: what is allowed a minute is allowed per key."""
        words = [OURS, "backend", "create-key", *_SCOPES, "--database", self.database]
        made = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=60, check=True)
        key = made.stdout.split()[-1]
        self.secrets.add(key)
        return key


def on_this_computer(database: Path) -> dict[str, str]:
    return {"TRIPS_MCP_DATABASE": str(database), "TRIPS_MCP_JOURNAL": "off", "TRIPS_MCP_HISTORY": "off"}


def offered(env: Mapping[str, str]) -> Offer:
    """Over stdio, with this environment."""
    return offer(Settings.from_env(env))


def offered_over_http() -> Offer:
    """To a key that may do everything."""
    return offer(Settings.from_env({}), masks=True)


def called(at: Desk, tool: str, database: Path, **arguments: str) -> Any:
    """The structured answer of `trips-mcp call`, to hold what a client was given against."""
    words = [f"{name}={value}" for name, value in arguments.items()]
    return json.loads(at.run(OURS, "call", tool, *words, "--json", env=on_this_computer(database)).out)


def plan(database: Path) -> Planned:
    return anyio.run(_plan, database)


@contextmanager
def served(folder: Path) -> Generator[Served]:
    """Over HTTP, for callers with a key of its own database."""
    database = folder / "served.db"
    planned = plan(database)
    log = folder / "served.log"
    words = [OURS, "serve", "--transport", "http", "--port", "0", "--auth", "key"]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **on_this_computer(database)}
    with log.open("wb") as sink, subprocess.Popen(words, env=env, stderr=sink) as process:
        try:
            yield Served(address(log), database, planned)
        finally:
            process.terminate()


async def _plan(database: Path) -> Planned:
    tools = {tool.name: tool for tool in TOOLS}

    async def unheard(progress: float, total: float | None, message: str | None) -> None: ...

    async with connect(Settings.from_env(on_this_computer(database))) as client:

        async def call(name: str, arguments: Fields) -> tuple[bool, str, Fields]:
            answer = await tools[name].call(client, arguments, unheard)
            return answer.is_error, answer.text, answer.structured or {}

        scene = Scene(call=call, sample=Sample.load())
        for step in _BEFOREHAND:
            await step(scene)
        dates = {"startDate": "2027-05-01", "endDate": "2027-05-30"}
        large = await scene.ask("create_trip", groupId=scene.trip["groupId"], title="Around the world", **dates)
        legs = [
            {
                "order": number,
                "title": f"Leg {number}",
                "destination": "Kyoto",
                "timezone": "Asia/Tokyo",
                "accommodation": {"name": "Yamabuki Machiya", "notes": "Turn left behind the temple. " * 12},
                **dates,
            }
            for number in range(_LARGE)
        ]
        await scene.ask("upsert_legs", tripId=large["_id"], items=legs)
    return Planned(scene.trip["_id"], scene.sample.trip["startDate"], large["_id"])
