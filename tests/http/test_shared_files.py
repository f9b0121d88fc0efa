"""The files behind a share link, as calendars and maps read them from a team's server."""

import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from typing import Any

import httpx
import pytest
from icalendar import Calendar

from tests.no_tls import NO_TLS

Serve = Callable[..., AbstractAsyncContextManager[Any]]
KeyFor = Callable[..., Awaitable[str]]

DATES = {"startDate": "2027-05-01", "endDate": "2027-05-09"}


async def shared_trip(served: Any, key: str | None) -> tuple[str, str]:
    """The ids of a trip with a stay, a pin and a plan, and the token of its link."""

    async def do(tool: str, **arguments: Any) -> dict[str, Any]:
        result = await served.call(tool, key, **arguments)
        assert not result["isError"], result
        return result["structuredContent"]

    trip = (await do("create_trip", groupId=(await do("get_me"))["defaultGroupId"], title="Nara", **DATES))["_id"]
    stay = {"name": "Ryokan", "doorCode": "K4711", "confirmationNumber": "HX-12"}
    place = {"order": 1, "title": "Nara", "destination": "Kyoto", "timezone": "Asia/Tokyo"}
    await do("create_leg", tripId=trip, accommodation=stay, **place, **DATES)
    await do("create_map_pin", tripId=trip, name="Deer park", lat=34.68, lng=135.84, notes="gate 99")
    return trip, (await do("create_share_token", tripId=trip))["token"]


def entries(answer: httpx.Response) -> dict[str, Any]:
    read: Any = Calendar.from_ical(answer.text)
    return {str(one["SUMMARY"]): one for one in read.walk("VEVENT")}


async def test_a_link_is_a_calendar_and_a_map_without_codes(team: Serve, key_for: KeyFor) -> None:
    key = await key_for("owner")

    async with team() as served:
        _, token = await shared_trip(served, key)
        calendar = await served.request("GET", f"/shared/{token}/calendar.ics")
        places = await served.request("GET", f"/shared/{token}/places.geojson")
        head = await served.request("HEAD", f"/shared/{token}/calendar.ics")

    assert [answer.status_code for answer in (calendar, places, head)] == [200, 200, 200]
    assert calendar.headers["content-type"] == "text/calendar; charset=utf-8"
    assert list(entries(calendar)) == ["Ryokan"]
    names = [feature["properties"]["name"] for feature in json.loads(places.text)["features"]]
    assert names == ["Deer park", "Nara"]
    assert not any(code in calendar.text + places.text for code in ("K4711", "HX-12", "gate 99"))
    assert calendar.headers["x-robots-tag"] == "noindex, nofollow"
    assert "default-src 'none'" in calendar.headers["content-security-policy"]
    assert (head.text, head.headers["etag"]) == ("", calendar.headers["etag"])


async def test_a_link_is_a_page_that_only_its_own_script_runs_in(team: Serve, key_for: KeyFor) -> None:
    key = await key_for("owner")

    async with team() as served:
        trip, token = await shared_trip(served, key)
        page = await served.request("GET", f"/shared/{token}")
        head = await served.request("HEAD", f"/shared/{token}")
        same = await served.request("GET", f"/shared/{token}", headers={"If-None-Match": page.headers["etag"]})
        await served.call("create_map_pin", key, tripId=trip, name="Kasuga </script>", lat=34.68, lng=135.85)
        changed = await served.request("GET", f"/shared/{token}", headers={"If-None-Match": page.headers["etag"]})
        await served.call("revoke_share_token", key, tripId=trip)
        revoked = await served.request("GET", f"/shared/{token}", headers={"If-None-Match": changed.headers["etag"]})

    statuses = [answer.status_code for answer in (page, head, same, changed, revoked)]
    assert statuses == [200, 200, 304, 200, 404]
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert (head.text, same.text) == ("", "")
    data = re.search(r'<script type="application/json" id="trip">(.*?)</script>', changed.text)
    assert data is not None
    shown = json.loads(data[1])["trip"]
    assert (shown["title"], [pin["name"] for pin in shown["pins"]]) == ("Nara", ["Deer park", "Kasuga </script>"])
    assert not any(code in page.text for code in ("K4711", "HX-12", "gate 99"))
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    allowed = b64encode(sha256(script.encode()).digest()).decode()
    policy = page.headers["content-security-policy"].split("; ")
    assert policy[:2] == ["default-src 'none'", f"script-src 'sha256-{allowed}'"]
    assert "frame-ancestors 'none'" in policy
    assert not any("unsafe" in part or "allow-same-origin" in part for part in policy)
    assert token not in json.dumps(served.lines)


async def test_a_calendar_that_asks_again_gets_only_what_changed(team: Serve, key_for: KeyFor) -> None:
    key = await key_for("owner")

    async with team() as served:
        trip, token = await shared_trip(served, key)

        async def read(**headers: str) -> httpx.Response:
            return await served.request("GET", f"/shared/{token}/calendar.ics", headers=headers)

        first = await read()
        same = await read(**{"If-None-Match": first.headers["etag"]})
        plan = {"title": "Tea", "startDate": "2027-05-02", "startTime": "10:00", "category": "other"}
        await served.call("create_commitment", key, tripId=trip, timezone="Asia/Tokyo", **plan)
        changed = await read(**{"If-None-Match": first.headers["etag"]})

    assert (same.status_code, same.text) == (304, "")
    assert changed.status_code == 200
    assert list(entries(changed)) == ["Ryokan", "Tea"]
    assert entries(changed)["Ryokan"]["UID"] == entries(first)["Ryokan"]["UID"]


async def test_a_revoked_link_shows_nothing_at_once(team: Serve, key_for: KeyFor) -> None:
    key = await key_for("owner")

    async with team() as served:
        trip, token = await shared_trip(served, key)
        before = await served.request("GET", f"/shared/{token}/calendar.ics")
        await served.call("revoke_share_token", key, tripId=trip)
        after = await served.request(
            "GET", f"/shared/{token}/calendar.ics", headers={"If-None-Match": before.headers["etag"]}
        )

    assert (before.status_code, after.status_code) == (200, 404)
    assert after.text == "Nothing is shared at this address. The link may have been revoked.\n"


async def test_the_maker_of_a_link_is_told_its_addresses(team: Serve, key_for: KeyFor) -> None:
    key = await key_for("owner")

    async with team() as served:
        trip, _ = await shared_trip(served, key)
        here = await served.call("create_share_token", key, tripId=trip)

    link = here["structuredContent"]
    assert link["url"] == f"{served.base}/shared/{link['token']}"
    assert "url/calendar.ics" in link["remarks"][0]


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"Host": "trips.example.com"}, "https://trips.example.com"),
        ({"Host": "Trips.example.com:8443"}, "https://trips.example.com:8443"),
        ({"Host": "trips.example.com", "X-Forwarded-Proto": "http"}, "http://trips.example.com"),
        ({"Host": "127.0.0.1", "X-Forwarded-Proto": "https"}, "https://127.0.0.1"),
        ({"Host": "localhost:8848", "X-Forwarded-Proto": "javascript"}, "http://localhost:8848"),
    ],
)
async def test_the_address_is_the_one_the_caller_uses(
    headers: dict[str, str], base: str, team: Serve, key_for: KeyFor
) -> None:
    key = await key_for("owner")

    async with team(allowed_host="trips.example.com,trips.example.com:8443") as served:
        trip, _ = await shared_trip(served, key)
        call = {"name": "create_share_token", "arguments": {"tripId": trip}}
        answer = await served.ask("tools/call", key, headers, **call)

    link = answer.json()["result"]["structuredContent"]
    assert link["url"] == f"{base}/shared/{link['token']}"


async def test_over_sse_the_address_is_told_too(team: Serve, key_for: KeyFor) -> None:
    key = await key_for("owner")

    async with team() as served, served.agent("sse", key) as agent:
        trip, _ = await shared_trip(served, key)
        link = (await agent.call_tool("create_share_token", {"tripId": trip})).structured_content

    assert link["url"].startswith(f"{served.base}/shared/")


async def test_a_server_without_such_pages_tells_no_address(local: Serve) -> None:
    async with local() as served:
        _, token = await shared_trip(served, None)
        trip = (await served.call("list_trips"))["structuredContent"]["items"][0]["_id"]
        link = (await served.call("create_share_token", tripId=trip))["structuredContent"]

    assert token
    assert "url" not in link
    assert "no link works" in link["remarks"][0]


async def test_no_token_is_logged(team: Serve, key_for: KeyFor) -> None:
    key = await key_for("owner")

    async with team() as served:
        _, token = await shared_trip(served, key)
        for path in ("calendar.ics", "places.geojson"):
            await served.request("GET", f"/shared/{token}/{path}")

    paths = [line["path"] for line in served.lines]
    assert paths[-2:] == ["/shared/…/calendar.ics", "/shared/…/places.geojson"]
    assert token not in json.dumps(served.lines)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/shared/made-up/calendar.ics", 404),
        ("GET", "/shared/made-up/calendar.xml", 404),
        ("GET", "/shared/../calendar.ics", 404),
        ("POST", "/shared/made-up/calendar.ics", 405),
    ],
)
async def test_other_addresses_show_nothing(method: str, path: str, status: int, team: Serve) -> None:
    async with team() as served:
        assert (await served.request(method, path)).status_code == status


async def test_a_server_for_this_computer_has_no_such_pages(local: Serve) -> None:
    async with local() as served:
        assert (await served.request("GET", "/shared/made-up/calendar.ics")).status_code == 404


async def test_a_calendar_that_polls_too_often_uses_up_the_limit_of_its_own_address(
    team: Serve, key_for: KeyFor
) -> None:
    key = await key_for("owner")

    async with team(rate_limit="20") as served:
        _, token = await shared_trip(served, key)
        transport = httpx.AsyncHTTPTransport(local_address="127.0.0.2", verify=NO_TLS)
        async with httpx.AsyncClient(transport=transport, base_url=served.base, timeout=30) as eager:
            statuses = [(await eager.get(f"/shared/{token}/calendar.ics")).status_code for _ in range(21)]
        calm = await served.request("GET", f"/shared/{token}/calendar.ics")

    assert statuses == [200] * 20 + [429]
    assert calm.status_code == 200
