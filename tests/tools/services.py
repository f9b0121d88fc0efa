"""Tools called as the server calls them, on any client, and a stand-in for a real service."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.tools import TOOLS, Answer
from trips_mcp.tools.call_context import Conduct

Bodies = Mapping[str, Any]
"""By path below the base URL, what a GET of it answers; or what makes that of the request's query."""
Call = Callable[..., Awaitable[Answer]]

ALONE = {"items": [{"userId": "user_1", "name": "Ann"}]}

TOOL = {tool.name: tool for tool in TOOLS}


async def unheard(progress: float, total: float | None, message: str | None) -> None:
    """Progress nobody asked for."""


def calls_on(client: TripsClient, conduct: Conduct | None = None) -> Call:
    async def call(tool: str, /, **arguments: Any) -> Answer:
        return await TOOL[tool].call(client, arguments, unheard, conduct or Conduct())

    return call


class Service:
    """Answers GETs from `bodies`, which a test may change between two calls, and remembers what it was asked.

    Where nothing else is said, a trip has one member.
    """

    def __init__(self, bodies: dict[str, Any]) -> None:
        self.bodies = bodies
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        body = self.bodies.get(request.url.path, ALONE if request.url.path.endswith("/members") else None)
        if callable(body):
            body = body(dict(request.url.params))
        if body is None:
            return httpx.Response(404, json={"error": {"code": "NOT_FOUND", "message": "No such thing"}})
        return httpx.Response(200, content=json.dumps(body).encode())

    @asynccontextmanager
    async def called(self, conduct: Conduct | None = None) -> AsyncGenerator[Call]:
        transport = httpx.MockTransport(self)
        endpoint = Endpoint("https://api.test", "osk_test", transport)
        async with TripsClient(trips=endpoint, events=endpoint) as client:
            yield calls_on(client, conduct)
