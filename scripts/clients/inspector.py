"""MCP Inspector's command line: every list and every kind of request, over both transports, in both revisions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from registries import NODE

from clients.desk import OURS, Desk, Ended, desk
from clients.our_server import Planned, Served, offered, offered_over_http, on_this_computer, plan
from clients.tally import Tally
from trips_mcp.server.offer import Offer

_ERAS: Final = {"legacy": "2025-11-25", "modern": "2026-07-28"}
_TOOL_FAILED: Final = 5


@dataclass(frozen=True)
class Inspector:
    at: Desk
    target: Sequence[object]
    era: str

    def ask(self, method: str, *words: object) -> Ended:
        told = ["--protocol-era", self.era, "--format", "json", "--method", method, *words]
        return self.at.run("inspector", "--cli", *self.target, *told)

    def result(self, method: str, *words: object) -> Any:
        return json.loads(self.ask(method, *words).out)["result"]


def check(modules: Path, served: Served, tally: Tally) -> None:
    with desk() as at:
        launcher = modules / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
        at.program("inspector", NODE / "node", launcher)
        database = at.home / "trips.db"
        planned = plan(database)
        variables = [word for name, value in on_this_computer(database).items() for word in ("-e", f"{name}={value}")]
        key = served.key()
        reached = [served.url, "--transport", "http", "--header", f"Authorization: Bearer {key}"]
        for era in _ERAS:
            local = Inspector(at, (OURS, *variables), era)
            _check(local, f"stdio, {_ERAS[era]}", offered(on_this_computer(database)), planned, tally)
            _check(Inspector(at, reached, era), f"HTTP, {_ERAS[era]}", offered_over_http(), served.planned, tally)


def _check(inspector: Inspector, how: str, offer: Offer, planned: Planned, tally: Tally) -> None:
    met = inspector.result("initialize")
    tally.claim(f"{how}: meets the server in that revision", met["protocolVersion"] == _ERAS[inspector.era], met)
    _check_lists(inspector, how, offer, planned, tally)
    _check_a_tool(inspector, how, planned, tally)
    day = f"trips://{planned.trip}/day/{planned.first_day}"
    read = inspector.result("resources/read", "--uri", day)["contents"][0]
    shown = read["uri"] == day and read["mimeType"] == "text/markdown" and planned.first_day in read["text"]
    tally.claim(f"{how}: resources/read gives a day as Markdown", shown, read)
    (prompt,) = (prompt for prompt in offer.prompts if prompt.name == "review_trip")
    got = inspector.result("prompts/get", "--prompt-name", prompt.name, "--prompt-args", f"tripId={planned.trip}")
    said = got["messages"][0]["content"]["text"]
    tally.claim(
        f"{how}: prompts/get fills a prompt in", said == prompt.text({"tripId": planned.trip}, offer.names), said
    )


def _check_lists(inspector: Inspector, how: str, offer: Offer, planned: Planned, tally: Tally) -> None:
    strict = inspector.ask("tools/list", "--strict")
    tools = json.loads(strict.out)["result"]["tools"]
    same = [tool["name"] for tool in tools] == [listing["name"] for listing in offer.listing]
    tally.claim(f"{how}: tools/list has all {len(tools)} in order", same, strict.err)
    tally.claim(f"{how}: --strict finds none at fault", strict.code == 0, strict.err)
    prompts = [prompt["name"] for prompt in inspector.result("prompts/list")["prompts"]]
    tally.claim(f"{how}: prompts/list", prompts == [prompt.name for prompt in offer.prompts], prompts)
    listed = inspector.result("resources/templates/list")["resourceTemplates"]
    same = [template["uriTemplate"] for template in listed] == [template["uriTemplate"] for template in offer.templates]
    tally.claim(f"{how}: resources/templates/list", same, listed)
    resources = {resource["uri"] for resource in inspector.result("resources/list")["resources"]}
    trips = {f"trips://{planned.trip}", f"trips://{planned.large}"}
    tally.claim(f"{how}: resources/list has each trip", trips <= resources, resources)


def _check_a_tool(inspector: Inspector, how: str, planned: Planned, tally: Tally) -> None:
    arguments = json.dumps({"tripId": planned.trip, "date": planned.first_day})
    day = inspector.result("tools/call", "--tool-name", "get_day", "--tool-args-json", arguments)
    tally.claim(f"{how}: tools/call answers", day["structuredContent"]["date"] == planned.first_day, day)
    failed = inspector.ask(
        "tools/call", "--tool-name", "get_day", "--tool-args-json", '{"tripId": "none", "date": "today"}'
    )
    told = failed.code == _TOOL_FAILED and "There is no such trip" in failed.out
    tally.claim(f"{how}: tools/call is told what is wrong", told, failed)
