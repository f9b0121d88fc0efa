"""What is wrong with a file or a booking is one sentence each, and nothing of it is written."""

import base64
import json
import re
from typing import Any

import pytest

from tests.bookings.made_up import BOARDING, FLIGHT, HOTEL, ZIP_BOMB, archive, calendar, mail, page, wallet
from trips_mcp.client import TripsClient
from trips_mcp.connect import twin
from trips_mcp.tools.call_context import Conduct

from .services import Call, calls_on

pytestmark = pytest.mark.anyio

DAMAGED_ARCHIVE = "The archive is damaged or incomplete."
FILES: dict[str, tuple[bytes | str, str]] = {
    "blank": (" \n", "The file is empty."),
    "a truncated pass": (wallet("boardingPass", {})[:-30], DAMAGED_ARCHIVE),
    "a zip bomb": (ZIP_BOMB, "The archive unpacks to more than 8 MB."),
    "a pass of nothing": (archive({"pass.json": '{"formatVersion": 1}'}), "The pass has no fields."),
    "a loyalty card": (
        wallet("storeCard", {"primaryFields": [{"key": "points", "label": "Points", "value": "1200"}]}),
        "The pass is no ticket or booking, but a card or a voucher.",
    ),
    "a mail without end": (
        b"From: a\nTo: b\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: image/png\n\n" + b"A" * 9_000,
        "The mail has no text and no attachment that can be read.",
    ),
    "100,000 nested tags": ("<html>" + "<div>" * 100_000, "The page is empty."),
    "XML entities": (
        '<!DOCTYPE x [<!ENTITY a "b">]><gpx><wpt lat="1" lon="1"><name>&a;</name></wpt></gpx>',
        "The map file has a DTD, entities or too deep a nesting, so it was not read.",
    ),
    "5,000 meetings": (
        calendar(*(f"UID:{one}\nDTSTART:20261102T100000Z\nSUMMARY:Weekly sync" for one in range(5_000))),
        "5,000 entries of the calendar are not about travel.",
    ),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(100), "Images are not read; use the mail, the calendar file or the "
     "Wallet pass, or type the booking in."),
    "an Outlook file": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "Outlook's .msg and old Office files are not read; save the mail as .eml.",
    ),
    "bytes": (bytes(range(256)) * 10, "The file is neither text nor a known kind of booking."),
}  # fmt: skip


def flight(**changed: Any) -> str:
    return page({**FLIGHT, "reservationFor": {**FLIGHT["reservationFor"], **changed}})


def hotel(**changed: Any) -> str:
    return page({**HOTEL, **changed})


BOOKINGS: dict[str, tuple[str, str]] = {
    "31 February": (flight(departureTime="2027-02-31T12:15:00"), "It does not say when it starts."),
    "31.02.": (hotel(checkinTime="31.02.2027", checkinDate=""), "It does not say when it starts."),
    "no date at all": (flight(departureTime=""), "It does not say when it starts."),
    "either March or April": (hotel(checkinTime="03/04/2027"), "It does not say when it starts."),
    "arrival before departure": (
        flight(arrivalTime="2027-05-03T07:40:00+09:00"),
        "It ends (2027-05-03T07:40) before it starts (2027-05-04T12:15).",
    ),
    "departure before arrival at a hotel": (
        hotel(checkoutTime="2027-05-01T10:00:00"),
        "It ends (2027-05-01T10:00) before it starts (2027-05-05T15:00).",
    ),
    "an unknown airport": (
        BOARDING.replace("TXLRIX", "QQQRIX"),
        "QQQ is not a known airport.",
    ),
    "day 366": (
        BOARDING.replace(" 309Y", " 366Y"),
        "No year near today has a day 366. It does not say when it starts.",
    ),
    "a pass without a time": (BOARDING, "It says the day, 2026-11-05, and no time of departure; ask for it."),
}


@pytest.fixture
def call(trips: TripsClient) -> Call:
    return calls_on(trips, Conduct(twin=twin))


async def previewed(call: Call, content: bytes | str) -> dict[str, Any]:
    text = base64.b64encode(content).decode() if isinstance(content, bytes) else content
    answer = await call("plan_import", content=text, today="2026-11-27")
    assert answer.structured is not None, answer.text
    plain: dict[str, Any] = json.loads(re.sub(r"\[/?[0-9a-f]{6}\]", "", json.dumps(answer.structured)))
    return plain


@pytest.mark.parametrize(("content", "why"), FILES.values(), ids=FILES)
async def test_a_file_that_cannot_be_read_is_one_sentence_and_no_plan(
    content: bytes | str, why: str, call: Call
) -> None:
    found = await previewed(call, content)

    assert found["unread"] == [why]
    assert "plan" not in found
    assert found.get("bookings", []) == []


@pytest.mark.parametrize(("content", "why"), BOOKINGS.values(), ids=BOOKINGS)
async def test_a_booking_that_cannot_be_true_is_a_question_and_no_plan(content: str, why: str, call: Call) -> None:
    found = await previewed(call, content)

    assert [(one["outcome"], one["why"]) for one in found["bookings"]] == [("question", why)]
    assert "plan" not in found


async def test_a_good_booking_beside_a_bad_one_is_planned(call: Call) -> None:
    found = await previewed(call, mail(page(HOTEL) + flight(arrivalTime="2027-05-03T07:40:00+09:00")))

    assert sorted(one["outcome"] for one in found["bookings"]) == ["new", "question"]
    assert [one["kind"] for one in found["plan"]["created"]] == ["trip", "leg"]


@pytest.mark.parametrize("name", ["Inn\0of NUL", "\0", "\u200b\u200b", "x" * 9_000, "\u202egnorW"])
async def test_names_that_no_api_takes_do_not_spoil_the_rest(name: str, call: Call) -> None:
    place = {**HOTEL["reservationFor"], "name": name}
    found = await previewed(call, page({**HOTEL, "reservationFor": place, "reservationNumber": name}, FLIGHT))

    assert "new" in [one["outcome"] for one in found["bookings"] if one["kind"] == "flight"]
    assert "planId" in found["plan"]


async def test_a_leg_takes_fifty_flights_and_the_rest_is_a_question(call: Call) -> None:
    entry = "UID:{0}\nDTSTART:202705{1:02}T101500Z\nSUMMARY:Flight LH {0} from MUC to HND"
    found = await previewed(call, calendar(*(entry.format(100 + one, one % 3 + 1) for one in range(60))))

    outcomes = [one["outcome"] for one in found["bookings"]]
    assert outcomes.count("new") >= 50
    assert outcomes.count("question") + outcomes.count("new") == 60
    assert "planId" in found["plan"]


async def test_prices_in_words_break_nothing(call: Call) -> None:
    found = await previewed(call, hotel(totalPrice="about four hundred, all in", priceCurrency="whatever"))

    assert [one["outcome"] for one in found["bookings"]] == ["new"]


async def test_more_than_4_mb_are_refused(call: Call) -> None:
    answer = await call("plan_import", content="x" * 4_000_001)

    assert answer.text == "content: the file has more than 4 MB; send a smaller one."
