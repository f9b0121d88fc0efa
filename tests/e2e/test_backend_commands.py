"""`backend serve` and `backend create-key` as processes: what they say, where, and with which exit code."""

import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests.no_tls import NO_TLS

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]
KeyFor = Callable[..., Awaitable[str]]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_what_is_served_is_both_apis_and_their_description(base: str, key_for: KeyFor) -> None:
    headers = bearer(await key_for("a visitor", "trips:read"))
    async with httpx.AsyncClient(base_url=base, timeout=30, verify=NO_TLS) as http:
        trips = await http.get("/api/v1/trips", headers=headers)
        event = await http.get("/v1/events/999999", headers=headers)
        described = await http.get("/openapi.json")

    assert (trips.status_code, trips.json()["items"]) == (200, [])
    assert event.status_code == 404
    assert {"/api/v1/trips", "/v1/events"} <= set(described.json()["paths"])


async def test_without_a_key_nothing_is_served(base: str) -> None:
    async with httpx.AsyncClient(base_url=base, timeout=30, verify=NO_TLS) as http:
        answer = await http.get("/api/v1/me")

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are not sent there")
def test_to_be_reached_from_elsewhere_is_warned_of_and_ctrl_c_ends_the_service_cleanly_too(
    start: Start, tmp_path: Path
) -> None:
    service = start("backend", "serve", "--host", "0.0.0.0", "--port", "0", "--database", str(tmp_path / "t.db"))  # noqa: S104
    assert service.stderr is not None

    lines = [service.stderr.readline(), service.stderr.readline()]
    service.send_signal(signal.SIGINT)

    assert service.stderr.read() == ""
    assert service.wait() == 0
    assert lines[0].startswith("Warning: ")
    assert "unencrypted" in lines[0]
    assert lines[1].startswith("Serving http://0.0.0.0:")


async def test_a_key_stands_alone_on_stdout_and_users_of_one_group_see_the_same_trips(
    run: Run, base: str, database: Path, key_for: KeyFor
) -> None:
    family, scopes = "The Aoyamas", ("trips:read", "trips:write")
    whose = ("--database", str(database), "--user", "keiko", "--group", family)
    told = run("backend", "create-key", *whose, *scopes, "messages:read")
    keiko = bearer(told.stdout.strip())
    ren = bearer(await key_for("ren", *scopes, group=family))
    async with httpx.AsyncClient(base_url=f"{base}/api/v1", timeout=30, verify=NO_TLS) as http:
        groups = (await http.get("/me", headers=keiko)).json()["groups"]
        group = next(group for group in groups if group["name"] == family)
        trip = {"groupId": group["_id"], "title": "Nara", "startDate": "2027-05-01", "endDate": "2027-05-02"}
        made = await http.post("/trips", json=trip, headers=keiko)
        seen = await http.get("/trips", headers=ren)

    assert told.returncode == 0
    assert re.fullmatch(r"osk_\S{20,}\n", told.stdout)
    assert told.stdout.strip() not in told.stderr
    assert "trips:read trips:write messages:read" in told.stderr
    assert made.status_code == 201
    assert [trip["title"] for trip in seen.json()["items"]] == ["Nara"]
