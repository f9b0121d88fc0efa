"""Mails, passes and calendar entries of one journey as they come in, planned and applied one after the other."""

import base64
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.bookings.made_up import FLIGHT, HOTEL, calendar, mail, page, wallet
from trips_mcp.client import TripsClient
from trips_mcp.connect import twin
from trips_mcp.tools.call_context import Conduct

from .services import calls_on

pytestmark = pytest.mark.anyio

Import = Callable[..., Awaitable[dict[str, Any]]]
TRAIN = {
    "@type": "TrainReservation",
    "reservationNumber": "TR-1",
    "reservationFor": {
        "@type": "TrainTrip",
        "trainNumber": "Nozomi 12",
        "departureStation": {"name": "Tokyo"},
        "arrivalStation": {"name": "Kyoto"},
        "departureTime": "2027-05-06T10:00:00+09:00",
        "arrivalTime": "2027-05-06T12:15:00+09:00",
    },
}
PASS = wallet(
    "boardingPass",
    {
        "transitType": "PKTransitTypeAir",
        "primaryFields": [{"key": "from", "value": "MUC"}, {"key": "to", "value": "HND"}],
        "auxiliaryFields": [
            {"key": "flight", "label": "Flight", "value": "LH 715"},
            {"key": "seat", "label": "Seat", "value": "12C"},
            {"key": "date", "label": "Date", "value": "4 May 2027"},
        ],
        "backFields": [{"key": "pnr", "label": "Booking code", "value": "QX7L2M"}],
    },
)
ENTRY = calendar(
    "UID:flight-1\nDTSTART:20270504T101500Z\nDTEND:20270504T224000Z\nSUMMARY:Flight LH 715 from MUC to HND\n"
    "DESCRIPTION:Booking code: QX7L2M"
)


def changed(reservation: dict[str, Any], **flight: Any) -> dict[str, Any]:
    return {**reservation, "reservationFor": {**reservation["reservationFor"], **flight}}


@pytest.fixture
def agent(trips: TripsClient) -> "Agent":
    return Agent(trips)


class Agent:
    """Imports as a model does: preview, then apply."""

    def __init__(self, client: TripsClient) -> None:
        self._call = calls_on(client, Conduct(twin=twin))

    async def do(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        answer = await self._call(tool, **arguments)
        assert not answer.is_error, answer.text
        assert answer.structured is not None
        return answer.structured

    async def takes_in(self, content: bytes | str, **arguments: Any) -> list[str]:
        """The outcomes, after the plan was applied if there is one."""
        text = base64.b64encode(content).decode() if isinstance(content, bytes) else content
        preview = await self.do("plan_import", content=text, **arguments)
        if "plan" in preview:
            report = await self.do("apply_plan", planId=preview["plan"]["planId"])
            assert report["state"] == "applied", report
        return [one["outcome"] for one in preview["bookings"]]

    async def preview(self, content: bytes | str) -> dict[str, Any]:
        text = base64.b64encode(content).decode() if isinstance(content, bytes) else content
        return await self.do("plan_import", content=text)

    async def trip(self) -> dict[str, Any]:
        (trip,) = (await self.do("list_trips"))["items"]
        return await self.do("export_trip", tripId=trip["_id"])

    async def flights(self) -> list[dict[str, Any]]:
        return [flight for leg in (await self.trip())["legs"] for flight in leg.get("flights", ())]


async def test_the_same_mail_twice_adds_nothing(agent: Agent) -> None:
    letter = mail(page(FLIGHT, HOTEL, TRAIN))

    first = await agent.takes_in(letter)
    again = await agent.preview(letter)

    assert first == ["new", "new", "new"]
    assert [one["outcome"] for one in again["bookings"]] == ["same", "same", "same"]
    assert "plan" not in again


async def test_mail_pass_and_calendar_entry_of_one_flight_are_one_row(agent: Agent) -> None:
    outcomes = [await agent.takes_in(one) for one in (mail(page({**FLIGHT, "airplaneSeat": ""})), PASS, ENTRY)]

    (flight,) = await agent.flights()
    assert outcomes == [["new"], ["changed"], ["same"]]
    assert (flight["departure"], flight["seat"], flight["confirmationNumber"]) == ("2027-05-04T12:15", "12C", "QX7L2M")


async def test_two_travellers_of_one_flight_are_one_row_with_both_seats(agent: Agent) -> None:
    second = {**FLIGHT, "airplaneSeat": "12D", "underName": {"name": "Bob Example"}}

    await agent.takes_in(page(FLIGHT))
    await agent.takes_in(page(second))

    (flight,) = await agent.flights()
    assert flight["seat"] == "12C, 12D"


async def test_a_changed_time_is_one_difference_that_names_old_and_new(agent: Agent) -> None:
    await agent.takes_in(page(FLIGHT))

    preview = await agent.preview(page(changed(FLIGHT, departureTime="2027-05-04T13:05:00+02:00")))

    (booking,) = preview["bookings"]
    assert booking["outcome"] == "changed"
    assert "departure: 2027-05-04T12:15 becomes 2027-05-04T13:05." in booking["why"]
    (leg,) = preview["plan"]["changed"]
    assert "2027-05-04T12:15" in json.dumps(leg["before"]["flights"])
    assert "2027-05-04T13:05" in json.dumps(leg["after"]["flights"])
    assert len(leg["after"]) == 1


async def test_a_cancelled_booking_is_flagged_and_stays(agent: Agent) -> None:
    await agent.takes_in(page(FLIGHT, HOTEL, TRAIN))
    cancelled = [
        {**one, "reservationStatus": "http://schema.org/ReservationCancelled"} for one in (FLIGHT, HOTEL, TRAIN)
    ]

    preview = await agent.preview(page(*cancelled))

    assert [one["outcome"] for one in preview["bookings"]] == ["cancelled"] * 3
    assert all("still in the trip" in one["why"] for one in preview["bookings"])
    assert "plan" not in preview
    assert len(await agent.flights()) == 1


async def test_a_train_becomes_an_event_once_and_moves_with_its_time(agent: Agent) -> None:
    await agent.takes_in(page(TRAIN))
    again = await agent.takes_in(page(TRAIN))
    later = await agent.takes_in(page(changed(TRAIN, departureTime="2027-05-06T11:00:00+09:00")))

    (event,) = (await agent.trip())["events"]
    assert (again, later) == (["same"], ["changed"])
    assert (event["type"], event["date"], event["time"]) == ("train", "2027-05-06", "11:00")
    assert "From: Tokyo\nTo: Kyoto" in event["description"]
    assert (await agent.trip()).get("commitments", []) == []


async def test_without_an_events_service_a_train_is_a_commitment(trips: TripsClient) -> None:
    call = calls_on(trips, Conduct(twin=twin, one_store=False))

    preview = (await call("plan_import", content=page(TRAIN))).structured or {}

    assert [one["kind"] for one in preview["plan"]["created"]] == ["trip", "commitment"]


async def test_forty_bookings_in_one_mail_are_planned_together(agent: Agent) -> None:
    dinners = [
        {
            "@type": "FoodEstablishmentReservation",
            "reservationNumber": f"R{number}",
            "reservationFor": {"@type": "FoodEstablishment", "name": f"Restaurant {number}"},
            "startTime": f"2027-05-{number % 20 + 1:02}T19:00:00",
        }
        for number in range(40)
    ]

    assert await agent.takes_in(mail(page(*dinners))) == ["new"] * 40
    assert len((await agent.trip())["commitments"]) == 40


async def test_of_a_whole_calendar_only_the_trips_travel_is_planned_and_the_rest_is_counted(
    agent: Agent, trip_id: str
) -> None:
    meetings = [
        f"UID:m{number}\nDTSTART:202611{number % 28 + 1:02}T100000Z\nSUMMARY:Weekly sync" for number in range(300)
    ]
    flights = [
        f"UID:f{year}\nDTSTART:{year}1103T101500Z\nSUMMARY:Flight LH 715 from MUC to HND" for year in range(2016, 2031)
    ]

    preview = await agent.do("plan_import", tripId=trip_id, content=calendar(*meetings, *flights, method="PUBLISH"))

    assert [one["starts"][:4] for one in preview["bookings"]] == ["2026"]
    assert preview["unread"] == [
        "300 entries of the calendar are not about travel.",
        "14 bookings lie outside the trip (2026-11-01 to 2026-11-10), and are left out.",
    ]


async def test_where_secrets_are_masked_no_confirmation_number_of_the_trip_is_told(
    agent: Agent, trips: TripsClient
) -> None:
    await agent.takes_in(page(FLIGHT, HOTEL))
    masked = calls_on(trips, Conduct(twin=twin, mask_secrets=True))
    other = [{**one, "reservationNumber": "OTHER1"} for one in (FLIGHT, HOTEL)]

    answer = await masked("plan_import", content=page(*other))

    assert answer.structured is not None
    assert [one["outcome"] for one in answer.structured["bookings"]] == ["changed", "changed"]
    assert not any(number in answer.text + json.dumps(answer.structured) for number in ("QX7L2M", "HTL-4471"))


BUNDLE = (mail(page(FLIGHT)), PASS, ENTRY, page(HOTEL), page({**FLIGHT, "airplaneSeat": "12D"}), page(TRAIN))


async def in_any_order(agent: Agent, seed: int) -> None:
    """Through the tools: the same rows, and nothing left to do."""
    chance = random.Random(seed)  # noqa: S311
    mixed = [*BUNDLE, *chance.choices(BUNDLE, k=2)]
    chance.shuffle(mixed)
    mixed.remove(BUNDLE[0])
    for content in (BUNDLE[0], *mixed):  # the first one has both times, so it makes the trip
        await agent.takes_in(content)

    trip = await agent.trip()
    (flight,) = await agent.flights()
    assert flight["seat"] == "12C, 12D"
    assert len([leg for leg in trip["legs"] if leg.get("accommodation")]) == 1
    assert len(trip["events"]) == 1
    for content in mixed:
        assert set(await agent.takes_in(content)) == {"same"}


async def test_any_order_gives_the_same_trip(agent: Agent) -> None:
    await in_any_order(agent, 1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [2, 3, 4])
async def test_more_orders_give_the_same_trip(agent: Agent, seed: int) -> None:
    await in_any_order(agent, seed)
