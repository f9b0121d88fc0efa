"""The requests and responses in docs/api.md, from real calls of the embedded backend in this process."""

import json
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
from pinned import Clock, pinned

from trips_mcp.backend import create_key, open_backend
from trips_mcp.scopes import Scope

_SCOPES = ("trips:read", "trips:write")
_SHOWN = ("idempotent-replayed", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-request-id")
_BASE = "http://127.0.0.1:8849"


def talk() -> str:
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(_talk, str(Path(folder, "trips.db")))


async def _talk(database: str) -> str:
    async with _service(database) as service:
        me = (await service.get("/api/v1/me")).json()
        trip = {
            "groupId": me["defaultGroupId"],
            "title": "Kyoto",
            "startDate": "2027-03-24",
            "endDate": "2027-04-08",
        }
        once = {"Idempotency-Key": "5f0c7c1e"}
        made = await service.post("/api/v1/trips", json=trip, headers=once)
        again = await service.post("/api/v1/trips", json=trip, headers=once)
        wrong = await service.post("/api/v1/trips", json={**trip, "title": "", "endDate": "2027-02-30", "stars": 5})
        event = {
            "type": "train",
            "title": "Nozomi to Kyoto",
            "date": "2027-03-29",
            "attach": {"trip_ids": [made.json()["number"]]},
        }
        planned = await service.post("/v1/events", json=event)
        gone = await service.get("/v1/events/7")
        return f"""A trip is made:

{_shown(made)}
The same request with the same `Idempotency-Key` makes nothing; the answer is the first one:

{_head(again)}
Faults are told all at once, each with its path:

{_shown(wrong)}
The Events API has snake_case, whole numbers as ids, and plain errors:

{_shown(planned)}
{_shown(gone)}"""


@asynccontextmanager
async def _service(database: str) -> AsyncGenerator[httpx.AsyncClient]:
    clock = Clock()
    with pinned(clock):
        key = await create_key(database, [Scope.parse(scope) for scope in _SCOPES], "ann")
        async with open_backend(database, require_keys=True, clock=clock) as backend:
            transport = httpx.ASGITransport(backend)
            headers = {"Authorization": f"Bearer {key}"}
            async with httpx.AsyncClient(transport=transport, base_url=_BASE, headers=headers) as service:
                yield service


def _shown(answer: httpx.Response) -> str:
    return _block(f"{_request(answer.request)}\n\n{_status(answer)}\n\n{_body(answer.content)}")


def _head(answer: httpx.Response) -> str:
    return _block(_status(answer))


def _request(request: httpx.Request) -> str:
    lines = [f"{request.method} {request.url.path}", "Authorization: Bearer osk_your_key"]
    if key := request.headers.get("Idempotency-Key"):
        lines.append(f"Idempotency-Key: {key}")
    return "\n".join((*lines, *(["", _body(request.content)] if request.content else [])))


def _status(answer: httpx.Response) -> str:
    headers = (f"{name.title()}: {value}" for name, value in answer.headers.items() if name in _SHOWN)
    return "\n".join((f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}", *headers))


def _body(content: bytes) -> str:
    body: Any = json.loads(content)
    return json.dumps(body, indent=2, ensure_ascii=False)


def _block(text: str) -> str:
    return f"```http\n{text}\n```\n"
