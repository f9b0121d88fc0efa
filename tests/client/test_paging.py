"""Lists of any length, read page by page on demand."""

from collections.abc import AsyncGenerator, Callable

import httpx
import pytest

from trips_mcp.client import BadAnswerError, TripsClient
from trips_mcp.contract.models import Resource

ClientOf = Callable[[Callable[[httpx.Request], httpx.Response]], TripsClient]


async def read_into(seen: list[str], things: AsyncGenerator[Resource]) -> None:
    async for thing in things:
        seen.append(thing.id)  # noqa: PERF401 - what came before an error counts


class Pages:
    """Serves numbered pages with the number as cursor, and counts the pages read."""

    def __init__(self, *pages: list[str], last_cursor: object = None) -> None:
        self.read = 0
        self._pages = pages
        self._last_cursor = last_cursor

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.read += 1
        number = int(request.url.params.get("cursor", "0"))
        cursor = str(number + 1) if number + 1 < len(self._pages) else self._last_cursor
        items = [{"_id": name, "userId": name} for name in self._pages[number]]
        return httpx.Response(200, json={"items": items, "nextCursor": cursor})


async def test_every_page_is_followed(client_of: ClientOf) -> None:
    client = client_of(Pages(["a", "b"], [], ["c"]))

    assert [leg.id async for leg in client.iterate_legs("t1")] == ["a", "b", "c"]
    assert [commitment.id async for commitment in client.iterate_commitments("t1")] == ["a", "b", "c"]


async def test_messages_come_newest_first(client_of: ClientOf) -> None:
    client = client_of(Pages(["4", "5", "6"], ["1", "2", "3"]))

    assert [message.id async for message in client.iterate_messages("t1", "c1")] == list("654321")


async def test_no_page_is_read_before_it_is_needed(client_of: ClientOf) -> None:
    service = Pages(["a", "b"], ["c"])
    legs = client_of(service).iterate_legs("t1")

    assert service.read == 0
    await anext(legs)
    await anext(legs)
    assert service.read == 1
    await legs.aclose()


async def test_lists_without_pages_are_iterated_too(client_of: ClientOf) -> None:
    client = client_of(Pages(["a", "b"]))

    assert [trip.id async for trip in client.iterate_trips()] == ["a", "b"]
    assert [item.id async for item in client.iterate_action_items("t1")] == ["a", "b"]
    assert [pin.id async for pin in client.iterate_map_pins("t1")] == ["a", "b"]
    assert [channel.id async for channel in client.iterate_channels("t1")] == ["a", "b"]
    assert [member.user_id async for member in client.iterate_members("t1")] == ["a", "b"]


async def test_a_trips_events_are_iterated(client_of: ClientOf) -> None:
    client = client_of(lambda request: httpx.Response(200, json={"events": [{"id": 1}, {"id": 2}]}))

    assert [event.event_id async for event in client.iterate_trip_events(42)] == [1, 2]


async def test_a_cursor_that_repeats_ends_it(client_of: ClientOf) -> None:
    service = Pages(["a"], ["b"], last_cursor="1")
    seen: list[str] = []

    with pytest.raises(BadAnswerError, match="with a cursor that it had given before"):
        await read_into(seen, client_of(service).iterate_legs("t1"))

    assert seen == ["a", "b"]
    assert service.read == 2


@pytest.mark.parametrize("cursor", ["x" * 5_000, "a\0b", {"page": 2}, ["x"], 1.5])
async def test_an_invalid_cursor_ends_it(client_of: ClientOf, cursor: object) -> None:
    with pytest.raises(BadAnswerError):
        await read_into([], client_of(Pages(["a"], last_cursor=cursor)).iterate_legs("t1"))


async def test_a_partial_list_without_cursors_is_an_error(client_of: ClientOf) -> None:
    seen: list[str] = []

    with pytest.raises(BadAnswerError, match="list_trips with a cursor that cannot be followed"):
        await read_into(seen, client_of(Pages(["a"], last_cursor="1")).iterate_trips())

    assert seen == ["a"]
