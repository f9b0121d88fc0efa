"""The backend serves exactly the operations of the contract, and its OpenAPI document lists them."""

import os
import re
import subprocess
import sys
from typing import Any

import httpx
import pytest

from trips_mcp.backend import open_backend
from trips_mcp.backend.app import Backend
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.operation import names

MOUNTS = {"trips": "/api/v1", "events": ""}


async def test_the_routes_are_the_operations(database: str) -> None:
    async with open_backend(database, require_keys=False) as app:
        assert isinstance(app, Backend)
        served = sorted(app.routes)

    expected = [(operation.method, MOUNTS[operation.api] + operation.path) for operation in OPERATIONS]
    assert served == sorted([*expected, ("GET", "/openapi.json")])


@pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)
async def test_the_openapi_document_describes_every_operation(events: httpx.AsyncClient) -> None:
    document = (await events.get("/openapi.json")).json()

    assert document["openapi"].startswith("3.1")
    assert {"title", "version"} <= set(document["info"])
    described = {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert len(described) == len(OPERATIONS)
    for operation in OPERATIONS:
        told = described[operation.method, MOUNTS[operation.api] + operation.path]
        assert told["operationId"] == operation.name
        assert told["description"]
        assert bool(told["security"]) == (operation.scope != "nobody")
        in_path = [one["name"] for one in told["parameters"] if one["in"] == "path"]
        assert in_path == re.findall(r"{(\w+)}", operation.path)
        assert str(operation.success) in told["responses"]
        assert "default" in told["responses"]
        assert all("schema" in one for one in told["parameters"])
        assert set(wire_names(told)) == set(names(operation.params)) - {"clear"}


def wire_names(told: dict[str, Any]) -> list[str]:
    found = [one["name"] for one in told["parameters"] if one["in"] != "header"]
    if "requestBody" in told:
        body = told["requestBody"]["content"]["application/json"]["schema"]
        found += [name for name in body["properties"] if name != "attach"]
        found += body["properties"].get("attach", {}).get("properties", {})
    return found


async def test_every_reference_in_the_document_leads_somewhere(events: httpx.AsyncClient) -> None:
    answer = await events.get("/openapi.json")

    schemas = answer.json()["components"]["schemas"]
    references = set(re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', answer.text))
    assert references
    assert references <= set(schemas)
    assert "#/$defs" not in answer.text


async def test_the_document_says_what_stands_on_the_wire(events: httpx.AsyncClient) -> None:
    paths = (await events.get("/openapi.json")).json()["paths"]

    body = paths["/v1/events/{event_id}"]["patch"]["requestBody"]["content"]["application/json"]["schema"]
    assert "trip_ids" in body["properties"]["attach"]["properties"]
    assert {"type": "null"} in body["properties"]["time"]["anyOf"]
    assert body["properties"]["title"]["type"] == "string"
    sync = paths["/api/v1/trips/{tripId}/sync"]["post"]
    assert {"dryRun"} == {one["name"] for one in sync["parameters"] if one["in"] == "query"}
    assert {"200", "207", "default"} == set(sync["responses"])


def test_importing_the_backend_loads_nothing_heavy() -> None:
    heavy = "{'sqlalchemy', 'aiosqlite', 'starlette', 'pydantic', 'sqlite3'}"
    code = f"import sys, trips_mcp.backend as b; print(b.DatabaseError, {heavy} & set(sys.modules))"

    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}  # it imports, too

    command = [sys.executable, "-c", code]
    told = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=True)

    assert told.stdout.strip().endswith("set()")
