"""The official TypeScript SDK, in both major versions: ten tools called over stdio and HTTP."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from registries import NODE

from clients.desk import OURS, Desk, desk
from clients.our_server import Planned, Served, offered, offered_over_http, on_this_computer, plan
from clients.tally import Tally
from trips_mcp.server.offer import Offer

_PROGRAMS: Final = Path(__file__).with_name("typescript")
_CALLS: Final = 11
_LEGACY: Final = "2025-11-25"
_MODERN: Final = "2026-07-28"

Call = tuple[str, dict[str, str]]


def check_version_1(modules: Path, served: Served, tally: Tally) -> None:
    _check("sdk.mjs", _LEGACY, modules, served, tally)


def check_version_2(modules: Path, served: Served, tally: Tally) -> None:
    _check("client.mjs", _MODERN, modules, served, tally)


def _check(program: str, version: str, modules: Path, served: Served, tally: Tally) -> None:
    with desk() as at:
        folder = at.home / "typescript"
        shutil.copytree(_PROGRAMS, folder)
        (folder / "node_modules").symlink_to(modules)
        env = on_this_computer(at.home / "trips.db")
        planned = plan(at.home / "trips.db")
        local: dict[str, Any] = {"command": str(OURS), "args": [], "env": env, "calls": _calls(planned)}
        _claims(_ran(at, folder / program, local), "stdio", version, offered(env), tally)
        headers = {"Authorization": f"Bearer {served.key()}"}
        remote = {"url": served.url, "headers": headers, "calls": _calls(served.planned)}
        _claims(_ran(at, folder / program, remote), "HTTP", version, offered_over_http(), tally)


def _calls(planned: Planned) -> Sequence[Call]:
    """Eleven that are to succeed, and one that is not."""
    trip = {"tripId": planned.trip}
    return (
        ("get_me", {}),
        ("list_trips", {}),
        ("list_legs", trip),
        ("list_map_pins", trip),
        ("create_action_item", {**trip, "text": "Pack an umbrella", "urgency": "before_trip"}),
        ("list_action_items", trip),
        ("get_day", {**trip, "date": planned.first_day}),
        ("get_timeline", trip),
        ("check_trip", trip),
        ("search_trip", {**trip, "query": "umbrella"}),
        ("get_stay", {**trip, "date": planned.first_day}),
        ("get_day", {"tripId": "none", "date": "today"}),
    )


def _ran(at: Desk, program: Path, job: dict[str, Any]) -> Any:
    ended = at.run(NODE / "node", program, env={"JOB": json.dumps(job)})
    if ended.code:
        raise ValueError(ended.err)
    return json.loads(ended.out)


def _claims(seen: Any, how: str, version: str, offer: Offer, tally: Tally) -> None:
    ours = [listing["name"] for listing in offer.listing]
    same = (seen["version"], seen["tools"]) == (version, ours)
    tally.claim(f"{how}: speaks {version} and lists our {len(ours)} tools", same, seen["version"])
    *good, (_, wrong) = seen["calls"]
    failed = [(name, answer) for name, answer in good if "thrown" in answer or answer.get("isError")]
    tally.claim(f"{how}: {len(good)} tools are called, and answer", len(good) == _CALLS and not failed, failed)
    held = [name for name, answer in good if name in seen["typed"] and answer.get("structuredContent")]
    typed = [listing["name"] for listing in offer.listing if "outputSchema" in listing]
    tally.claim(f"{how}: the answers of {', '.join(typed)} fit their output schemas", set(held) == set(typed), held)
    text = wrong.get("content", [{}])[0].get("text", wrong)
    tally.claim(f"{how}: a wrong id is told as an error", wrong.get("isError") and "no such trip" in text, text)
