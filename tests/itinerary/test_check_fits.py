"""Plans that a check never flags: they look wrong by the calendar or the clock, but are fine."""

import pytest

from trips_mcp.cli.demo.steps import Sample
from trips_mcp.client import TripsClient
from trips_mcp.contract.commitments import CreateCommitment
from trips_mcp.contract.events import Event
from trips_mcp.contract.trips import CreateTrip, SyncTrip
from trips_mcp.itinerary.check import check, in_words
from trips_mcp.itinerary.journey import Journey

from .trips import Json, event, export, flight, journey, leg, pin, plan


def hotel(name: str, check_in: str, check_out: str) -> Json:
    return {"name": name, "checkIn": check_in, "checkOut": check_out}


TOKYO = leg("Tokyo", "2026-07-19 2026-07-24", "Asia/Tokyo", stay=hotel("Inn", "2026-07-19T15:00", "2026-07-24T10:00"))
NEW_YORK = leg("New York", "2026-07-24 2026-07-28", "America/New_York", stay="The Loft")
LA = leg("LA", "2026-07-19 2026-07-24", "America/Los_Angeles", stay=hotel("Motel", "2026-07-19", "2026-07-24"))
PARIS = leg("Paris", "2026-07-19 2026-07-24", "Europe/Paris", stay=hotel("Ritz", "2026-07-19", "2026-07-24"))
BERLIN = leg("Berlin", "2026-07-25 2026-07-28", "Europe/Berlin", stay=hotel("Adlon", "2026-07-25", "2026-07-28"))

FITTING: dict[str, Journey] = {
    "an empty trip": Journey.of(export()),
    "a trip of one day": journey("2026-07-19 2026-07-19", legs=[leg("Bath", "2026-07-19 2026-07-19", "Europe/London")]),
    "a trip of one day without legs": journey("2026-07-19 2026-07-19"),
    "a trip of 120 days, a leg each ten": journey(
        "2026-01-01 2026-05-01",
        legs=[
            leg(f"Stop {start}", f"{first} {last}", "Asia/Bangkok", stay="Guest house")
            for start, (first, last) in enumerate(
                [
                    ("2026-01-01", "2026-01-30"),
                    ("2026-01-30", "2026-02-28"),
                    ("2026-02-28", "2026-03-30"),
                    ("2026-03-30", "2026-05-01"),
                ]
            )
        ],
        plans=[plan(f"Class {day}", f"2026-02-{day:02}", "09:00 11:00") for day in range(1, 29)],
    ),
    "Tokyo to New York, arriving by the clock before it left": journey(
        "2026-07-19 2026-07-28",
        legs=[
            TOKYO,
            {
                **NEW_YORK,
                "flights": [flight("JL6", "HND 2026-07-24T11:05 Asia/Tokyo", "JFK 2026-07-24T11:00 America/New_York")],
            },
        ],
    ),
    "Auckland to Honolulu, arriving the same morning": journey(
        "2026-07-19 2026-07-28",
        legs=[
            leg("Auckland", "2026-07-19 2026-07-24", "Pacific/Auckland", stay="Harbour View"),
            leg(
                "Honolulu",
                "2026-07-24 2026-07-28",
                "Pacific/Honolulu",
                stay="Beach House",
                flights=[
                    flight("HA446", "AKL 2026-07-24T23:55 Pacific/Auckland", "HNL 2026-07-24T10:20 Pacific/Honolulu")
                ],
            ),
        ],
    ),
    "Auckland to Honolulu after midnight, arriving on the day before": journey(
        "2026-07-19 2026-07-28",
        legs=[
            leg(
                "Auckland",
                "2026-07-19 2026-07-25",
                "Pacific/Auckland",
                stay=hotel("Harbour View", "2026-07-19", "2026-07-25"),
            ),
            leg(
                "Honolulu",
                "2026-07-24 2026-07-28",
                "Pacific/Honolulu",
                stay=hotel("Beach House", "2026-07-24", "2026-07-28"),
                flights=[
                    flight("HA446", "AKL 2026-07-25T00:30 Pacific/Auckland", "HNL 2026-07-24T10:50 Pacific/Honolulu")
                ],
            ),
        ],
    ),
    "Samoa to American Samoa: half an hour, and a day back": journey(
        "2026-07-19 2026-07-28",
        legs=[
            leg("Apia", "2026-07-19 2026-07-24", "Pacific/Apia", stay=hotel("Aggie's", "2026-07-19", "2026-07-24")),
            leg(
                "Pago Pago",
                "2026-07-23 2026-07-28",
                "Pacific/Pago_Pago",
                stay=hotel("Sadie's", "2026-07-23", "2026-07-28"),
                flights=[
                    flight("OL700", "FGI 2026-07-24T12:00 Pacific/Apia", "PPG 2026-07-23T12:35 Pacific/Pago_Pago")
                ],
            ),
        ],
    ),
    "Samoa over 30 December 2011, which it did not have": journey(
        "2011-12-27 2012-01-02",
        legs=[
            leg("Apia", "2011-12-27 2011-12-29", "Pacific/Apia", stay="Aggie's"),
            leg("Savaii", "2011-12-31 2012-01-02", "Pacific/Apia", stay="Fale"),
        ],
        events=[event("Night boat", "2011-12-29", "22:00", type="ferry")],
    ),
    "Los Angeles to Sydney, a day lost at the date line": journey(
        "2026-07-19 2026-07-30",
        legs=[
            LA,
            leg(
                "Sydney",
                "2026-07-26 2026-07-30",
                "Australia/Sydney",
                stay=hotel("The Rocks", "2026-07-26", "2026-07-30"),
                flights=[
                    flight("QF12", "LAX 2026-07-24T22:30 America/Los_Angeles", "SYD 2026-07-26T06:30 Australia/Sydney")
                ],
            ),
        ],
    ),
    "a red-eye": journey(
        "2026-07-19 2026-07-28",
        legs=[
            LA,
            leg(
                "New York",
                "2026-07-25 2026-07-28",
                "America/New_York",
                stay=hotel("The Loft", "2026-07-25", "2026-07-28"),
                flights=[
                    flight("B6524", "LAX 2026-07-24T22:15 America/Los_Angeles", "JFK 2026-07-25T06:35 America/New_York")
                ],
            ),
        ],
    ),
    "a red-eye after midnight, when the leg is over": journey(
        "2026-07-19 2026-07-28",
        legs=[
            {
                **LA,
                "flights": [
                    flight("B6524", "LAX 2026-07-25T00:45 America/Los_Angeles", "JFK 2026-07-25T09:05 America/New_York")
                ],
            },
            leg("New York", "2026-07-25 2026-07-28", "America/New_York", stay="The Loft"),
        ],
    ),
    "a flight on the evening before the trip, and one home after midnight when it is over": journey(
        "2026-07-19 2026-07-24",
        legs=[
            {
                **TOKYO,
                "flights": [
                    flight("JL44", "LHR 2026-07-18T11:25 Europe/London", "HND 2026-07-19T07:05 Asia/Tokyo"),
                    flight("JL41", "HND 2026-07-25T02:45 Asia/Tokyo", "LHR 2026-07-25T07:25 Europe/London"),
                ],
            }
        ],
    ),
    "a room from the night before, for an early arrival": journey(
        "2026-07-18 2026-07-24",
        legs=[
            leg("London", "2026-07-18 2026-07-18", "Europe/London"),
            leg(
                "Tokyo",
                "2026-07-19 2026-07-24",
                "Asia/Tokyo",
                stay=hotel("Inn", "2026-07-18T15:00", "2026-07-24T10:00"),
                flights=[flight("JL44", "LHR 2026-07-18T11:25 Europe/London", "HND 2026-07-19T07:05 Asia/Tokyo")],
            ),
        ],
    ),
    "a night train among the flights": journey(
        "2026-07-19 2026-07-28",
        legs=[
            PARIS,
            {
                **BERLIN,
                "flights": [
                    flight(
                        "NJ40469",
                        "Gare-de-l'Est 2026-07-24T19:12 Europe/Paris",
                        "Berlin-Hbf 2026-07-25T08:26 Europe/Berlin",
                    )
                ],
            },
        ],
    ),
    "a night train among the commitments": journey(
        "2026-07-19 2026-07-28",
        legs=[PARIS, BERLIN],
        plans=[plan("Night train", "2026-07-24", "19:12 08:26"), plan("Breakfast", "2026-07-25", "09:00 10:00")],
    ),
    "a night train among the events": journey(
        "2026-07-19 2026-07-28",
        legs=[PARIS, BERLIN],
        events=[event("Nightjet", "2026-07-24", "19:12", type="train")],
    ),
    "a midnight dinner, and a flight the next morning": journey(
        "2026-07-19 2026-07-28",
        legs=[
            PARIS,
            {
                **BERLIN,
                "startDate": "2026-07-24",
                "accommodation": {"name": "Adlon"},
                "flights": [
                    flight("AF1734", "CDG 2026-07-24T07:30 Europe/Paris", "BER 2026-07-24T09:10 Europe/Berlin")
                ],
            },
        ],
        plans=[
            plan("Dinner", "2026-07-22", "22:30 00:45"),
            plan("Bar", "2026-07-23", "00:45 02:00"),
            plan("Midnight dinner", "2026-07-23", "23:00 01:00"),
        ],
    ),
    "two legs sharing their change-over day, hotels changed on it": journey(
        "2026-07-19 2026-07-28",
        legs=[
            leg(
                "Rome", "2026-07-19 2026-07-23", "Europe/Rome", stay=hotel("A", "2026-07-19T15:00", "2026-07-23T11:00")
            ),
            leg("Siena", "2026-07-23 2026-07-23", "Europe/Rome"),
            leg(
                "Pisa", "2026-07-23 2026-07-28", "Europe/Rome", stay=hotel("B", "2026-07-23T15:00", "2026-07-28T11:00")
            ),
        ],
    ),
    "all-day things beside everything else": journey(
        "2026-07-19 2026-07-24",
        legs=[TOKYO],
        plans=[
            plan("Birthday", "2026-07-20", isAllDay=True, timezone="Europe/London"),
            plan("Festival", "2026-07-20", isAllDay=True),
            plan("Lunch", "2026-07-20", "12:00 13:30"),
            plan("Some time that day", "2026-07-20"),
        ],
    ),
    "one thing after the other, to the minute": journey(
        "2026-07-19 2026-07-24",
        legs=[TOKYO],
        plans=[plan("Museum", "2026-07-20", "10:00 12:00"), plan("Lunch", "2026-07-20", "12:00 13:30")],
    ),
    "a zone by another name, with the same offset": journey(
        "2026-07-19 2026-07-24",
        legs=[PARIS],
        plans=[plan("Opera", "2026-07-20", "19:00 22:00", timezone="Europe/Madrid", legId="leg_paris")],
    ),
    "a plan in the old zone on the morning of the flight": journey(
        "2026-07-18 2026-07-24",
        legs=[
            leg(
                "Tokyo",
                "2026-07-18 2026-07-24",
                "Asia/Tokyo",
                stay="Inn",
                flights=[flight("JL44", "LHR 2026-07-18T11:25 Europe/London", "HND 2026-07-19T07:05 Asia/Tokyo")],
            )
        ],
        plans=[plan("Breakfast at home", "2026-07-18", "07:00 08:00", timezone="Europe/London")],
    ),
    "what overlaps by the wall clock, in two zones": journey(
        "2026-07-19 2026-07-28",
        legs=[
            TOKYO,
            {
                **NEW_YORK,
                "flights": [flight("JL6", "HND 2026-07-24T11:05 Asia/Tokyo", "JFK 2026-07-24T11:00 America/New_York")],
            },
        ],
        plans=[
            plan("Breakfast", "2026-07-24", "07:00 08:30", timezone="Asia/Tokyo"),
            plan("Brunch", "2026-07-24", "12:30 14:00", timezone="America/New_York"),
            plan("Early call", "2026-07-24", "08:45 10:00", timezone="Asia/Tokyo"),
        ],
    ),
    "changing planes in a third zone, on the way to a leg two days off": journey(
        "2026-07-17 2026-07-24",
        legs=[
            leg("London", "2026-07-17 2026-07-17", "Europe/London"),
            leg(
                "Sydney",
                "2026-07-19 2026-07-24",
                "Australia/Sydney",
                stay=hotel("The Rocks", "2026-07-19", "2026-07-24"),
                flights=[
                    flight("SQ305", "LHR 2026-07-17T09:00 Europe/London", "SIN 2026-07-18T05:10 Asia/Singapore"),
                    flight("SQ221", "SIN 2026-07-18T21:00 Asia/Singapore", "SYD 2026-07-19T06:45 Australia/Sydney"),
                ],
            ),
        ],
    ),
    "there and back in a day, from the middle of a leg": journey(
        "2026-07-19 2026-07-24",
        legs=[
            {
                **PARIS,
                "flights": [
                    flight("AF1080", "CDG 2026-07-21T07:30 Europe/Paris", "LHR 2026-07-21T07:50 Europe/London"),
                    flight("AF1981", "LHR 2026-07-21T19:30 Europe/London", "CDG 2026-07-21T21:50 Europe/Paris"),
                ],
            }
        ],
    ),
    "the nights when the clocks change, in Europe and in America": journey(
        "2026-10-23 2026-11-03",
        legs=[
            leg("Berlin", "2026-10-23 2026-10-28", "Europe/Berlin", stay=hotel("Adlon", "2026-10-23", "2026-10-28")),
            leg(
                "Boston",
                "2026-10-28 2026-11-03",
                "America/New_York",
                stay=hotel("Omni", "2026-10-28", "2026-11-03"),
                flights=[
                    flight("LH422", "BER 2026-10-28T12:00 Europe/Berlin", "BOS 2026-10-28T15:30 America/New_York")
                ],
            ),
        ],
        plans=[
            plan("Party", "2026-10-24", "22:00 01:30"),
            plan("Brunch", "2026-10-25", "10:00 12:00"),
            plan("Halloween", "2026-10-31", "20:00 00:30"),
            plan("Sunday walk", "2026-11-01", "03:00 05:00"),
        ],
    ),
    "an event and a commitment for one dinner; free time and a bed, which keep nobody busy": journey(
        "2026-07-19 2026-07-24",
        legs=[TOKYO],
        plans=[plan("Kaiseki dinner", "2026-07-20", "18:30 21:00"), plan("Kabuki", "2026-07-21", "12:00 14:00")],
        events=[
            event("Dinner at the kaiseki place", "2026-07-20", "18:30", type="food"),
            event("Nothing", "2026-07-21", "13:00", type="free_block"),
            event("The inn", "2026-07-21", "13:30", type="accommodation"),
        ],
    ),
    "a flight that is an event and a commitment as well": journey(
        "2026-07-19 2026-07-28",
        legs=[
            TOKYO,
            {
                **NEW_YORK,
                "flights": [flight("JL6", "HND 2026-07-24T11:05 Asia/Tokyo", "JFK 2026-07-24T11:00 America/New_York")],
            },
        ],
        plans=[plan("Flight JL6 to New York", "2026-07-24", "11:05 12:05", timezone="Asia/Tokyo")],
        events=[event("Off we go", "2026-07-24", "11:05", type="flight")],
    ),
    "the way to the airport, until the doors close": journey(
        "2026-07-19 2026-07-28",
        legs=[
            TOKYO,
            {
                **NEW_YORK,
                "flights": [flight("JL6", "HND 2026-07-24T11:05 Asia/Tokyo", "JFK 2026-07-24T11:00 America/New_York")],
            },
        ],
        plans=[plan("At the airport for JL 6", "2026-07-24", "09:00 11:20", timezone="Asia/Tokyo")],
    ),
    "a leg without a stay where one is at home": journey(
        "2026-07-19 2026-07-24", legs=[leg("Home", "2026-07-19 2026-07-19", "Europe/London"), TOKYO]
    ),
    "two flights of one booking": journey(
        "2026-07-19 2026-07-24",
        legs=[
            {
                **TOKYO,
                "flights": [
                    {
                        **flight("JL44", "LHR 2026-07-18T11:25 Europe/London", "HND 2026-07-19T07:05 Asia/Tokyo"),
                        "confirmationNumber": "XK7Q2F",
                    },
                    {
                        **flight("JL43", "HND 2026-07-24T11:30 Asia/Tokyo", "LHR 2026-07-24T17:55 Europe/London"),
                        "confirmationNumber": "XK7Q2F",
                    },
                ],
            }
        ],
    ),
    "one hotel and one number on two legs, one after the other": journey(
        "2026-07-19 2026-07-28",
        legs=[
            leg(
                "Tokyo",
                "2026-07-19 2026-07-22",
                "Asia/Tokyo",
                stay={**hotel("Inn", "2026-07-19", "2026-07-22"), "confirmationNumber": "INN-1234"},
            ),
            leg(
                "Tokyo again",
                "2026-07-22 2026-07-28",
                "Asia/Tokyo",
                stay={**hotel("Inn", "2026-07-22", "2026-07-28"), "confirmationNumber": "INN-1234"},
            ),
        ],
    ),
    "the same thing every day": journey(
        "2026-07-19 2026-07-24",
        legs=[TOKYO],
        plans=[plan("Yoga", f"2026-07-{day}", "07:00 08:00", _id=f"com_{day}") for day in (20, 21, 22)],
    ),
    "pins of a day trip, and pins on both sides of the 180th meridian": journey(
        "2026-07-19 2026-07-24",
        legs=[leg("Fiji", "2026-07-19 2026-07-24", "Pacific/Fiji", stay="Bure")],
        pins=[
            pin("Suva", -18.14, 178.44),
            pin("Taveuni", -16.85, -179.97),
            pin("Rabi", -16.5, 180.0),
            pin("Unlinked", -17.6, 177.3),
        ],
        plans=[
            plan("Market", "2026-07-20", "09:00 10:00", mapPinId="pin_suva"),
            plan("Falls", "2026-07-21", "09:00 10:00", mapPinId="pin_taveuni"),
            plan("Boat", "2026-07-22", "09:00 10:00", mapPinId="pin_rabi"),
        ],
    ),
    "a road trip, on which all pins are far from each other": journey(
        "2026-07-19 2026-07-24",
        legs=[leg("Route 66", "2026-07-19 2026-07-24", "America/Denver", stay="Van")],
        pins=[
            pin("Amarillo", 35.19, -101.85),
            pin("Santa Fe", 35.69, -105.94),
            pin("Holbrook", 34.9, -110.16),
            pin("Tulsa", 36.15, -95.99),
        ],
        plans=[
            plan("Steak", "2026-07-21", "19:00 20:00", mapPinId="pin_amarillo"),
            plan("Museum", "2026-07-22", "10:00 12:00", mapPinId="pin_santa_fe"),
            plan("Wigwam", "2026-07-23", "19:00 20:00", mapPinId="pin_holbrook"),
            plan("Art deco", "2026-07-20", "10:00 12:00", mapPinId="pin_tulsa"),
        ],
    ),
}


@pytest.mark.parametrize("fitting", FITTING.values(), ids=FITTING.keys())
def test_what_fits_is_not_flagged(fitting: Journey) -> None:
    report = check(fitting)

    assert in_words(report) == in_words(report.model_copy(update={"findings": []}))
    assert (report.certain, report.possible, report.not_checkable) == (0, 0, 0)


@pytest.mark.parametrize("way", ["as it is", "with its event"])
async def test_the_sample_trip_fits(trips: TripsClient, way: str) -> None:
    sample = Sample.load()
    group_id = (await trips.me()).default_group_id
    trip = await trips.trips.create(CreateTrip.model_validate({"groupId": group_id, **sample.trip}))
    await trips.trips.sync(SyncTrip.model_validate({"tripId": trip.id, **sample.sync}))
    imported = await trips.trips.export(trip.id)
    legs = {leg.client_ref: leg.id for leg in imported.legs}
    pins = {pin.client_ref: pin.id for pin in imported.map_pins}
    for fields in sample.commitments:
        linked = {"tripId": trip.id, "legId": legs[fields["leg"]], "mapPinId": pins[fields["mapPin"]]}
        kept = {name: value for name, value in fields.items() if name not in ("leg", "mapPin")}
        await trips.commitments.create(CreateCommitment.model_validate(kept | linked))
    events = [Event.model_validate(sample.event)] if way == "with its event" else []

    report = check(Journey.of(await trips.trips.export(trip.id), events))

    assert report.findings == []
    assert report.checked.model_dump() == {
        "legs": 4,
        "stays": 3,
        "flights": 3,
        "rentals": 1,
        "commitments": 3,
        "events": len(events),
        "pins": 23,
    }
