"""Bookings into a trip: new, same, changed, cancelled, or a question; the same for every order and repetition."""

import random
from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest

from trips_mcp.bookings.model import Booking, BookingPlace, BookingTime, SavedPlace
from trips_mcp.contract.trips import TripExport
from trips_mcp.itinerary.journey import Journey
from trips_mcp.planning.imports import ImportDraft, plan_bookings

Json = dict[str, Any]
MUC = BookingPlace("Munich", "MUC", city="Munich", country="DE", zone="Europe/Berlin")
FRA = BookingPlace("Frankfurt", "FRA", city="Frankfurt am Main", country="DE", zone="Europe/Berlin")
HND = BookingPlace("Tokyo Haneda", "HND", city="Tokyo", country="JP", zone="Asia/Tokyo")
GION = BookingPlace("Ryokan Example", "", "1-2 Gion, Kyoto, JP", "Kyoto", "JP", zone="Asia/Tokyo")


def at(text: str, zone: str = "Asia/Tokyo") -> BookingTime:
    day, _, clock = text.partition("T")
    return BookingTime(date.fromisoformat(day), time.fromisoformat(clock) if clock else None, zone)


FEEDER = Booking(
    kind="flight", number="LH99", origin=MUC, destination=FRA, confirmation_number="QX7L2M",
    starts=at("2027-05-04T09:00", "Europe/Berlin"), ends=at("2027-05-04T10:00", "Europe/Berlin"),
)  # fmt: skip
FLIGHT = Booking(
    kind="flight", number="LH716", origin=FRA, destination=HND, seat="12C", travellers=("Ada Example",),
    confirmation_number="QX7L2M", starts=at("2027-05-04T12:15", "Europe/Berlin"), ends=at("2027-05-05T07:40"),
)  # fmt: skip
PASS = replace(FLIGHT, ends=None, starts=BookingTime(date(2027, 5, 4)), source="boarding pass")
SECOND_SEAT = replace(FLIGHT, seat="12D", travellers=("Bob Example",), confirmation_number="ZZ9PLU")
HOTEL = Booking(
    kind="stay", name="Ryokan Example", origin=GION, confirmation_number="HTL-4471",
    starts=at("2027-05-08T15:00"), ends=at("2027-05-10T10:00"),
)  # fmt: skip
HOME = Booking(
    kind="flight", number="LH715", origin=HND, destination=MUC, confirmation_number="QX7L2M",
    starts=at("2027-05-12T11:00"), ends=at("2027-05-12T18:00", "Europe/Berlin"),
)  # fmt: skip
CAR = Booking(
    kind="car", name="Nippon Rent", origin=BookingPlace("Kyoto Station", city="Kyoto", zone="Asia/Tokyo"),
    starts=at("2027-05-09T09:00"), ends=at("2027-05-09T18:00"), confirmation_number="C-1",
)  # fmt: skip
DINNER = Booking(
    kind="restaurant", name="Giro Giro", confirmation_number="R-1", starts=at("2027-05-09T19:00"),
    origin=BookingPlace("Giro Giro", city="Kyoto", zone="Asia/Tokyo"),
)  # fmt: skip
TRAIN = Booking(
    kind="train", number="Nozomi 12", confirmation_number="T-1", seat="7 12A",
    origin=BookingPlace("Tokyo", zone="Asia/Tokyo"), destination=BookingPlace("Kyoto", zone="Asia/Tokyo"),
    starts=at("2027-05-08T10:00"), ends=at("2027-05-08T12:15"),
)  # fmt: skip
TRAIN_PASS = replace(
    TRAIN, number="12", seat="7 12B", travellers=("Bob Example",), confirmation_number="",
    origin=BookingPlace("TOKYO STN", zone="Asia/Tokyo"), destination=BookingPlace("KYOTO STN", zone="Asia/Tokyo"),
)  # fmt: skip
BY_AGENCY = replace(HOTEL, confirmation_number="1234.567.890")
BUNDLE = (FEEDER, FLIGHT, PASS, SECOND_SEAT, HOTEL, BY_AGENCY, HOME, CAR, DINNER, TRAIN, TRAIN_PASS)
EMPTY: Json = {"trip": {"_id": "trip", "title": "Japan", "startDate": "2027-05-04", "endDate": "2027-05-12"}}


def draft(trip: Json, *bookings: Booking, places: tuple[SavedPlace, ...] = ()) -> ImportDraft:
    return plan_bookings(Journey.of(TripExport.model_validate(trip)), bookings, places)


def applied(trip: Json, made: ImportDraft) -> Json:
    """The trip after the changes, as the API would make them."""
    after: Json = {"legs": [], "commitments": [], "mapPins": [], **trip}
    legs, plans = {leg["_id"]: leg for leg in after["legs"]}, [*after["commitments"]]
    ids: dict[str, str] = {}
    for change in made.changes:
        facts = {name: value for name, value in change.arguments.items() if name not in ("tripId", "legId")}
        if change.tool == "create_leg":
            ids[f"@{change.name}"] = key = change.arguments["clientRef"]
            legs[key] = {"_id": key, **facts}
        elif change.tool == "update_leg":
            legs[change.arguments["legId"]] = {**legs[change.arguments["legId"]], **facts}
        elif change.tool == "create_commitment":
            link = change.arguments.get("legId", "")
            plans.append({"_id": f"plan{len(plans)}", **facts, "legId": ids.get(link, link)})
        elif change.tool == "update_commitment":
            plans = [{**one, **facts} if one["_id"] == change.arguments["commitmentId"] else one for one in plans]
        else:
            assert change.tool == "upsert_map_pins"
            after["mapPins"] = [*after["mapPins"], *({"_id": one["clientRef"], **one} for one in facts["items"])]
    return {**after, "legs": [*legs.values()], "commitments": plans}


def outcomes(made: ImportDraft) -> list[str]:
    return [one.outcome for one in made.bookings]


def flights(trip: Json) -> list[Json]:
    return [flight for leg in trip["legs"] for flight in leg.get("flights", ())]


def test_flights_go_to_the_leg_they_lead_to_and_connections_with_them() -> None:
    kyoto = {
        "_id": "kyoto",
        "title": "Kyoto",
        "destination": "Kyoto, Japan",
        "startDate": "2027-05-08",
        "endDate": "2027-05-10",
        "timezone": "Asia/Tokyo",
    }
    tokyo = {
        "_id": "tokyo",
        "title": "Tokyo",
        "destination": "Tokio",
        "startDate": "2027-05-05",
        "endDate": "2027-05-08",
        "timezone": "Asia/Tokyo",
    }

    after = applied({**EMPTY, "legs": [kyoto, tokyo]}, draft({**EMPTY, "legs": [kyoto, tokyo]}, FEEDER, FLIGHT, HOTEL))

    by_id = {leg["_id"]: leg for leg in after["legs"]}
    assert [flight["flightNumber"] for flight in by_id["tokyo"]["flights"]] == ["LH99", "LH716"]
    assert by_id["kyoto"]["accommodation"]["name"] == "Ryokan Example"
    assert len(by_id) == 2


def test_where_no_leg_fits_a_new_one_is_made() -> None:
    (change,) = draft(EMPTY, HOTEL).changes

    assert change.tool == "create_leg"
    assert {name: change.arguments[name] for name in ("destination", "startDate", "endDate", "timezone")} == {
        "destination": "Kyoto",
        "startDate": "2027-05-08",
        "endDate": "2027-05-10",
        "timezone": "Asia/Tokyo",
    }


def test_two_travellers_of_one_flight_are_one_flight_with_both_seats() -> None:
    (flight,) = flights(applied(EMPTY, draft(EMPTY, FLIGHT, SECOND_SEAT)))

    assert (flight["seat"], flight["confirmationNumber"]) == ("12C, 12D", "QX7L2M, ZZ9PLU")


@pytest.mark.parametrize("again", BUNDLE)
def test_the_same_booking_again_changes_nothing(again: Booking) -> None:
    after = applied(EMPTY, draft(EMPTY, *BUNDLE))

    made = draft(after, again)

    assert (made.changes, outcomes(made)) == ((), ["same"])


def test_mail_then_pass_then_calendar_entry_of_one_flight_is_one_row() -> None:
    trip = EMPTY
    for one in (replace(FLIGHT, seat="", travellers=()), PASS, replace(FLIGHT, seat="", source_id="uid-1")):
        trip = applied(trip, draft(trip, one))

    (flight,) = flights(trip)
    assert (flight["departure"], flight["seat"]) == ("2027-05-04T12:15", "12C")


def test_a_flight_that_was_typed_in_by_hand_is_recognised_by_number_and_day() -> None:
    typed = {"flightNumber": "lh 716", "from": "Frankfurt", "to": "Tokyo", "departure": "2027-05-04T12:15"}
    tokyo = {
        "_id": "t",
        "destination": "Tokyo",
        "startDate": "2027-05-05",
        "endDate": "2027-05-08",
        "timezone": "Asia/Tokyo",
    }
    before = {**EMPTY, "legs": [{**tokyo, "flights": [typed]}]}

    made = draft(before, FLIGHT)

    (flight,) = flights(applied(before, made))
    assert outcomes(made) == ["changed"]
    assert (flight["from"], flight["seat"], flight["confirmationNumber"]) == ("Frankfurt", "12C", "QX7L2M")


def test_a_changed_time_is_one_difference_that_names_old_and_new() -> None:
    before = applied(EMPTY, draft(EMPTY, FLIGHT))
    later = replace(FLIGHT, starts=at("2027-05-04T13:05", "Europe/Berlin"), status="changed")

    made = draft(before, later)

    assert [(one.outcome, one.why) for one in made.bookings] == [
        ("changed", "departure: 2027-05-04T12:15 becomes 2027-05-04T13:05.")
    ]
    assert len(made.changes) == 1
    assert [flight["departure"] for flight in flights(applied(before, made))] == ["2027-05-04T13:05"]


def test_a_flight_rebooked_to_another_day_is_changed_and_not_added() -> None:
    before = applied(EMPTY, draft(EMPTY, FLIGHT))
    rebooked = replace(FLIGHT, starts=at("2027-05-05T12:15", "Europe/Berlin"), ends=at("2027-05-06T07:40"))

    made = draft(before, rebooked)

    assert outcomes(made) == ["changed"]
    assert len(flights(applied(before, made))) == 1


def test_a_cancelled_booking_is_named_and_never_deleted() -> None:
    before = applied(EMPTY, draft(EMPTY, *BUNDLE))
    cancelled = [replace(one, status="cancelled") for one in (FLIGHT, HOTEL, CAR, DINNER)]

    made = draft(before, *cancelled)

    assert made.changes == ()
    assert set(outcomes(made)) == {"cancelled"}
    assert all("still in the trip" in one.why for one in made.bookings)


def test_two_stays_of_one_hotel_on_other_dates_are_two() -> None:
    again = replace(HOTEL, starts=at("2027-05-10T15:00"), ends=at("2027-05-11T10:00"), confirmation_number="HTL-5")

    after = applied(EMPTY, draft(EMPTY, HOTEL, again))

    assert len([leg for leg in after["legs"] if leg.get("accommodation")]) == 2


@pytest.mark.parametrize(
    ("booking", "why"),
    [
        (replace(FLIGHT, starts=None), "It does not say when it starts."),
        (PASS, "It says the day, 2027-05-04, and no time of departure; ask for it."),
        (
            replace(HOTEL, starts=at("2027-08-01"), ends=at("2027-08-02")),
            "It is on 2027-08-01, outside the trip (2027-05-04 to 2027-05-12).",
        ),
        (
            replace(HOTEL, origin=BookingPlace("Somewhere")),
            "No leg fits its place and dates, and its time zone is not known.",
        ),
        (CAR, "No leg without a rental car covers 2027-05-09."),
    ],
)
def test_what_needs_judgement_is_a_question_and_nothing_is_written(booking: Booking, why: str) -> None:
    made = draft(EMPTY, booking)

    assert [(one.outcome, one.why) for one in made.bookings] == [("question", why)]
    assert made.changes == ()


def test_two_sources_that_contradict_each_other_are_a_question() -> None:
    other = replace(FLIGHT, starts=at("2027-05-04T13:05", "Europe/Berlin"), source="calendar")

    (one,) = draft(EMPTY, FLIGHT, other).bookings

    assert (one.outcome, one.why) == (
        "question",
        "The sources name different times: 2027-05-04T12:15 and 2027-05-04T13:05.",
    )


def test_a_train_is_a_commitment_with_both_ends_in_its_notes() -> None:
    (change,) = draft(EMPTY, TRAIN).changes

    assert (change.tool, change.arguments["title"]) == ("create_commitment", "Nozomi 12 Tokyo → Kyoto")
    assert change.arguments["notes"].startswith("From: Tokyo\nTo: Kyoto\n")


def test_two_tickets_of_one_train_are_one_row_with_both_seats_though_stations_are_spelled_otherwise() -> None:
    before = applied(EMPTY, draft(EMPTY, TRAIN))
    before["commitments"][0]["notes"] += "\nWindow seats, ask for the sea side."

    made = draft(before, TRAIN_PASS)

    (train,) = applied(before, made)["commitments"]
    assert [(one.outcome, one.why) for one in made.bookings] == [("changed", "seat: 7 12A becomes 7 12A, 7 12B.")]
    assert train["notes"].endswith("Seat: 7 12A, 7 12B\nWindow seats, ask for the sea side.")


def test_two_tickets_of_one_train_in_one_bundle_are_one_row() -> None:
    (train,) = applied(EMPTY, draft(EMPTY, TRAIN, TRAIN_PASS))["commitments"]

    assert "Seat: 7 12A, 7 12B" in train["notes"]


def test_a_line_that_is_taken_twice_on_a_day_is_two_rows() -> None:
    morning = replace(TRAIN, kind="bus", number="421", confirmation_number="")
    evening = replace(
        morning, origin=TRAIN.destination, destination=TRAIN.origin, starts=at("2027-05-08T20:00"), ends=None
    )
    before = applied(EMPTY, draft(EMPTY, morning))

    assert outcomes(draft(before, evening)) == ["new"]


def test_another_train_of_the_same_day_is_another_row() -> None:
    later = replace(TRAIN, starts=at("2027-05-08T14:00"), ends=at("2027-05-08T16:15"), number="Nozomi 112")

    assert len(applied(EMPTY, draft(EMPTY, TRAIN, later))["commitments"]) == 2


def test_saved_places_become_pins_once() -> None:
    market = SavedPlace("Nishiki", 35.0036, 135.7726, "Market")

    made = draft(EMPTY, places=(market, market))
    after = applied(EMPTY, made)

    assert [pin["name"] for pin in after["mapPins"]] == ["Nishiki"]
    assert draft(after, places=(market,)).changes == ()


def any_order(seed: int) -> None:
    """The bundle in another order, with repetitions: the same trip, and nothing to do afterwards."""
    chance = random.Random(seed)  # noqa: S311
    mixed = [*BUNDLE, *chance.choices(BUNDLE, k=chance.randrange(6))]
    chance.shuffle(mixed)
    wanted = applied(EMPTY, draft(EMPTY, *BUNDLE))

    after = applied(EMPTY, draft(EMPTY, *mixed))
    assert after == wanted
    assert draft(after, *mixed).changes == ()

    # one file after the other: the same rows, though legs may be made by another of them
    trip = EMPTY
    for one in mixed:
        trip = applied(trip, draft(trip, one))
    assert sorted(flight["flightNumber"] for flight in flights(trip)) == ["LH715", "LH716", "LH99"]
    assert [flight["confirmationNumber"] for flight in flights(trip) if flight["flightNumber"] == "LH716"] == [
        "QX7L2M, ZZ9PLU"
    ]
    (stay,) = [leg["accommodation"] for leg in trip["legs"] if leg.get("accommodation")]
    assert stay["confirmationNumber"] == "1234.567.890, HTL-4471"
    dinner, train = sorted(trip["commitments"], key=lambda one: one["category"])
    assert (dinner["title"], " 12 " in f" {train['title']} ") == ("Giro Giro", True)
    assert "Seat: 7 12A, 7 12B" in train["notes"]


@pytest.mark.parametrize("seed", range(40))
def test_any_order_and_repetition_gives_the_same_trip(seed: int) -> None:
    any_order(seed)


@pytest.mark.soak
def test_500_orders_and_repetitions_give_the_same_trip() -> None:
    for seed in range(1_000, 1_500):
        any_order(seed)
