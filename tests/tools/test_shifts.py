"""`update_commitment` with shiftDays and shiftMinutes: start and end move together, by the clock."""

import json
from typing import Any

import httpx
import pytest
from typing_extensions import override

from trips_mcp.client import Endpoint, TripsClient

from .services import Service, calls_on

Json = dict[str, Any]

PLANS = "/trips/t/commitments"
DINNER: Json = {
    "_id": "com_1",
    "title": "Dinner",
    "startDate": "2026-10-24",
    "startTime": "21:00",
    "endTime": "00:30",
    "timezone": "Europe/Rome",
    "category": "dinner",
}


class Plans(Service):
    """Answers a PATCH with what it was sent, or not at all."""

    def __init__(self, *plans: Json, answers: bool = True) -> None:
        super().__init__({PLANS: {"items": list(plans), "nextCursor": None}})
        self.answers = answers
        self.sent: list[Json] = []
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    @override
    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method != "PATCH":
            return super().__call__(request)
        self.sent.append(json.loads(request.content))
        if not self.answers:
            raise httpx.ReadError("cut off")
        return httpx.Response(200, json={"_id": "com_1", **self.sent[-1]})

    async def update(self, **given: Any) -> Any:
        endpoint = Endpoint("https://api.test", "osk_test", httpx.MockTransport(self))
        async with TripsClient(trips=endpoint, events=None, clock=self.clock, sleep=self.sleep) as client:
            return await calls_on(client)("update_commitment", tripId="t", commitmentId="com_1", **given)


@pytest.mark.parametrize(
    ("shift", "sent"),
    [
        ({"shiftDays": 1}, {"startDate": "2026-10-25"}),  # the clocks go back that night
        ({"shiftDays": -30}, {"startDate": "2026-09-24"}),
        ({"shiftMinutes": 90}, {"startDate": "2026-10-24", "startTime": "22:30", "endTime": "02:00"}),
        ({"shiftMinutes": 200}, {"startDate": "2026-10-25", "startTime": "00:20", "endTime": "03:50"}),
        ({"shiftMinutes": -45}, {"startDate": "2026-10-24", "startTime": "20:15", "endTime": "23:45"}),
        ({"shiftMinutes": 1440}, {"startDate": "2026-10-25"}),
        ({"shiftDays": 2, "shiftMinutes": -30}, {"startDate": "2026-10-26", "startTime": "20:30", "endTime": "00:00"}),
        ({"shiftDays": 1, "notes": "moved"}, {"startDate": "2026-10-25", "notes": "moved"}),
    ],
)
async def test_a_shift_starts_from_the_current_time_and_keeps_the_length(shift: Json, sent: Json) -> None:
    service = Plans({**DINNER, "_id": "com_0"}, DINNER)

    answer = await service.update(**shift)

    assert not answer.is_error, answer.text
    assert service.sent == [sent]


async def test_an_all_day_commitment_is_shifted_by_days_only() -> None:
    service = Plans({**DINNER, "isAllDay": True, "startTime": None, "endTime": None})

    by_minutes, by_days = await service.update(shiftMinutes=30), await service.update(shiftDays=3)

    assert by_minutes.text == "Not sent: the commitment has no startTime to shift by minutes; use shiftDays."
    assert not by_days.is_error
    assert service.sent == [{"startDate": "2026-10-27"}]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"shiftDays": 1, "startDate": "2026-10-25"}, "startDate: not together with shiftDays or shiftMinutes"),
        ({"shiftMinutes": 5, "endTime": "23:00"}, "endTime: not together with shiftDays or shiftMinutes"),
        ({"shiftMinutes": 5, "clear": ["endTime"]}, "endTime: not together with shiftDays or shiftMinutes"),
        ({"shiftDays": 3651}, "shiftDays: "),
        ({"shiftMinutes": "soon"}, "shiftMinutes: "),
    ],
)
async def test_a_shift_together_with_a_time_is_refused(given: Json, why: str) -> None:
    service = Plans(DINNER)

    answer = await service.update(**given)

    assert answer.is_error
    assert answer.text.startswith(f"Not sent. Fix the arguments of update_commitment: {why}")
    assert service.sent == []


async def test_a_shift_of_nothing_known_or_out_of_the_calendar_is_refused() -> None:
    gone, far = Plans(), Plans({**DINNER, "startDate": "9998-12-31"})

    assert (await gone.update(shiftDays=1)).text == (
        "The trip has no commitment with this commitmentId; look it up with list_commitments."
    )
    assert (await far.update(shiftDays=3650)).text == (
        "Not sent: the shift leads out of the calendar; use a smaller one."
    )


async def test_after_a_lost_answer_a_shift_is_not_to_be_repeated() -> None:
    service = Plans(DINNER, answers=False)

    shifted, renamed = await service.update(shiftDays=1), await service.update(title="Supper")

    assert "Do not simply call update_commitment again. To check: list_commitments" in shifted.text
    assert "with the same arguments is safe" in renamed.text
