"""The public samples, where they are: kind, number, ends, start and confirmation number of at least 98 %."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.bookings.model import Booking
from trips_mcp.bookings.reader import read_file

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "bookings"
FACTS = ("kind", "number", "name", "from", "to", "starts", "confirmationNumber", "seat", "cancelled")
AUTHORS_TODAY = date(2018, 4, 2)
"""The day for which the authors of the samples expect the years of boarding passes."""
NIGHT_CONNECTION = "extractor-20220726-warsaw-luxembourg-PL.ics"
"""Its authors expect three rides after midnight on the day before; DTEND says that they are wrong."""

pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")


def facts(booking: Booking) -> dict[str, Any]:
    return {
        "kind": booking.kind,
        "number": booking.number,
        "name": booking.name,
        "from": booking.origin.label,
        "to": booking.destination.label,
        "starts": booking.starts.at if booking.starts else None,
        "confirmationNumber": booking.confirmation_number,
        "seat": booking.seat,
        "cancelled": booking.status == "cancelled",
    }


def expected_facts(values: dict[str, Any]) -> dict[str, Any]:
    known = {name: values[name] for name in FACTS if name in values}
    return {**known, **({"starts": values["starts"]["at"]} if "starts" in values else {})}


def read_sample(name: str) -> list[dict[str, Any]]:
    today = AUTHORS_TODAY if name.startswith("bcbp") else date(2026, 11, 27)
    return [facts(one) for one in read_file((SAMPLES / "files" / name).read_bytes(), name, today=today).bookings]


def test_the_public_samples_are_read() -> None:
    cases = json.loads((SAMPLES / "cases.json").read_text("utf-8"))
    total, wrong = 0, list[str]()
    for case in cases:
        left = read_sample(case["file"])
        for values in map(expected_facts, case["expected"]):
            best = max(
                left,
                key=lambda one: sum(one[name] == value for name, value in values.items()),
                default=dict[str, Any](),
            )
            total += len(values)
            wrong += [
                f"{case['file']}: {name} is {best.get(name)}" for name in values if best.get(name) != values[name]
            ]
            if best in left:
                left.remove(best)

    assert total > 200
    assert [one for one in wrong if not one.startswith(NIGHT_CONNECTION)] == []
    assert len(wrong) <= 0.02 * total


def test_a_night_connection_ends_on_the_day_that_the_calendar_says() -> None:
    rides = read_sample(NIGHT_CONNECTION)

    assert [ride["starts"][:10] for ride in rides] == ["2022-07-26"] * 2 + ["2022-07-27"] * 3
