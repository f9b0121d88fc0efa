"""A flood of made-up keys while the service behind the server is slow, failing or silent (`make soak`)."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import Any

import anyio
import httpx
import pytest

Serve = Callable[..., AbstractAsyncContextManager[Any]]

MADE_UP = 400
AT_ONCE = 100


@pytest.mark.soak
@pytest.mark.parametrize("how", ["slow", "failing", "silent"])
async def test_after_a_flood_of_made_up_keys_honest_callers_are_served_within_a_second(
    how: str, callers_of: Serve, service: Any
) -> None:
    """Some of the flood's clients wait for their answers, others leave after a random moment."""
    random = Random(11)  # noqa: S311 - the same flood each time
    statuses: list[int] = []
    during: list[int] = []
    service.keys = {"osk_known": ["trips:read"], "osk_new": ["trips:read"]}

    async with callers_of(service.address) as served:
        await served.ask(key="osk_known")
        service.delay = 0.3 if how == "slow" else 0
        service.down = how == "failing"
        service.silent = anyio.Event() if how == "silent" else None
        places = anyio.Semaphore(AT_ONCE)

        async def ask(number: int, leaves_after: float | None) -> None:
            async with places:
                with anyio.move_on_after(leaves_after):
                    statuses.append((await served.ask(key=f"osk_made_up_{number}")).status_code)

        async with anyio.create_task_group() as flood:
            for number in range(MADE_UP):
                flood.start_soon(ask, number, random.choice([None, random.uniform(0, 0.2)]))
            for _ in range(5):
                with anyio.fail_after(10):
                    during.append((await served.ask(key="osk_known")).status_code)
        if service.silent is not None:
            service.silent.set()
            service.silent = None
        service.down = False
        afterwards: list[httpx.Response] = []
        for key in ("osk_known", "osk_new"):
            with anyio.fail_after(1):
                afterwards.append(await served.ask(key=key))

    assert set(statuses) <= {401, 503}
    assert during == [200] * 5
    assert [answer.status_code for answer in afterwards] == [200, 200]
    assert afterwards[0].json() == afterwards[1].json()
