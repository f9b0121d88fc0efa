"""Boarding pass strings and Wallet passes."""

from datetime import date
from typing import Any

import pytest

from .made_up import BOARDING, TODAY, archive, read, wallet

TWO_LEGS = (
    "M2DOE/JOHN MR         EABC123 FRADOHQR 0070 130J003A0027 13D>5181WW6129BQR 00000000000002A0000000000000 0"
    "                         XYZ987 DOHSYDQR 0908 131J012C0002 100"
)


def test_every_leg_of_a_boarding_pass_is_a_flight() -> None:
    first, second = read(TWO_LEGS[:23] + TWO_LEGS[23:60][:35] + "00" + "XYZ987 DOHSYDQR 0908 131J012C0002 100").bookings

    assert [(one.number, one.origin.code, one.destination.code, one.seat) for one in (first, second)] == [
        ("QR70", "FRA", "DOH", "3A"),
        ("QR908", "DOH", "SYD", "12C"),
    ]
    assert (first.confirmation_number, second.confirmation_number) == ("ABC123", "XYZ987")
    assert first.travellers == ("JOHN MR DOE",)


@pytest.mark.parametrize(
    ("today", "year"), [(date(2026, 11, 27), 2026), (date(2027, 5, 10), 2027), (date(2027, 4, 30), 2026)]
)
def test_without_a_date_of_issue_the_year_is_the_nearest(today: date, year: int) -> None:
    (flight,) = read(BOARDING, today=today).bookings

    assert flight.starts
    assert flight.starts.day == date(year, 11, 5)


def test_the_date_of_issue_decides_the_year() -> None:
    issued = "M1DOE/JOHN            EXXX007 TXLBRUSN 2588 034Y023D0999 118>5181WW6364BSN 00"

    (flight,) = read(issued, today=date(2027, 6, 1)).bookings

    assert flight.starts
    assert flight.starts.day == date(2027, 2, 3)


@pytest.mark.parametrize("today", [date(2026, 12, 30), date(2027, 1, 10)])
def test_day_366_is_only_in_a_leap_year(today: date) -> None:
    (flight,) = read(BOARDING.replace(" 309Y", " 366Y"), today=today).bookings

    assert flight.starts is None
    assert flight.problems == ("No year near today has a day 366.", "It does not say when it starts.")


def test_an_unknown_airport_is_said() -> None:
    (flight,) = read(BOARDING.replace("TXLRIX", "QQQRIX")).bookings

    assert flight.problems == ("QQQ is not a known airport.",)


def test_a_pass_whose_spaces_were_merged_is_read() -> None:
    (flight,) = read(" ".join(f"Your pass: {BOARDING}".split())).bookings

    assert (flight.number, flight.confirmation_number, flight.seat) == ("BT212", "XXX007", "14E")


FLIGHT_FIELDS: dict[str, Any] = {
    "primaryFields": [
        {"key": "origin", "label": "BERLIN", "value": "BER"},
        {"key": "destination", "label": "OSLO", "value": "OSL"},
    ],
    "auxiliaryFields": [
        {"key": "flight", "label": "FLUG", "value": "DY 1104"},
        {"key": "date", "label": "DATUM", "value": "05.05.2027"},
        {"key": "boarding", "label": "BOARDING", "value": "09:15"},
        {"key": "dep", "label": "ABFLUG", "value": "09:45"},
        {"key": "seat", "label": "SITZ", "value": "7F"},
    ],
    "backFields": [{"key": "pnr", "label": "Buchungscode", "value": "K7QXPL"}],
}


def test_a_flight_pass_without_a_barcode_is_read_from_its_fields() -> None:
    (flight,) = read(wallet("boardingPass", {**FLIGHT_FIELDS, "transitType": "PKTransitTypeAir"})).bookings

    assert (flight.number, flight.origin.code, flight.destination.code, flight.seat) == ("DY1104", "BER", "OSL", "7F")
    assert flight.starts
    assert (flight.starts.at, flight.starts.zone) == ("2027-05-05T09:45", "Europe/Berlin")
    assert (flight.confirmation_number, flight.source_id) == ("K7QXPL", "S1")


def test_boarding_is_not_departure() -> None:
    fields = {
        **FLIGHT_FIELDS,
        "auxiliaryFields": FLIGHT_FIELDS["auxiliaryFields"][:3],
        "transitType": "PKTransitTypeAir",
    }

    (flight,) = read(wallet("boardingPass", fields, relevantDate="2027-05-05T09:15+02:00")).bookings

    assert flight.starts
    assert flight.starts.at == "2027-05-05"


def test_semantic_tags_come_first() -> None:
    tags = {
        "airlineCode": "SK",
        "flightNumber": 1462,
        "departureAirportCode": "CPH",
        "destinationAirportCode": "OSL",
        "originalDepartureDate": "2027-05-05T07:05:00Z",
        "originalArrivalDate": "2027-05-05T08:15:00Z",
        "confirmationNumber": "ZZTOP1",
        "passengerName": {"givenName": "Ada", "familyName": "Example"},
        "seats": [{"seatRow": "4", "seatNumber": "A"}],
    }

    (flight,) = read(wallet("boardingPass", {"transitType": "PKTransitTypeAir"}, semantics=tags)).bookings

    assert (flight.number, flight.confirmation_number, flight.seat) == ("SK1462", "ZZTOP1", "4A")
    assert flight.starts
    assert flight.ends
    assert (flight.starts.at, flight.ends.at) == ("2027-05-05T09:05", "2027-05-05T10:15")
    assert flight.travellers == ("Ada Example",)


def test_a_train_pass_in_german_is_read_through_its_strings() -> None:
    fields = {
        "transitType": "PKTransitTypeTrain",
        "primaryFields": [
            {"key": "from", "label": "l_from", "value": "Wien Hbf"},
            {"key": "to", "label": "l_to", "value": "Salzburg Hbf"},
        ],
        "auxiliaryFields": [
            {"key": "a1", "label": "l_train", "value": "RJX 560"},
            {"key": "a2", "label": "l_seat", "value": "21"},
        ],
    }
    strings = '"l_from" = "Von";\n"l_to" = "Nach";\n"l_train" = "Zug";\n"l_seat" = "Sitzplatz";\n'

    (train,) = read(wallet("boardingPass", fields, strings, relevantDate="2027-08-01T07:30:00+02:00")).bookings

    assert (train.kind, train.number, train.seat) == ("train", "RJX 560", "21")
    assert (train.origin.name, train.destination.name) == ("Wien Hbf", "Salzburg Hbf")
    assert train.starts
    assert (train.starts.at, train.starts.zone) == ("2027-08-01T07:30", "Europe/Vienna")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_the_strings_of_a_pass_may_have_any_usual_encoding(encoding: str) -> None:
    fields = {"primaryFields": [{"key": "event", "label": "EVENT", "value": "l_event"}]}
    strings = '"l_event" = "Frühlingskonzert";\n'

    (concert,) = read(
        wallet("eventTicket", fields, strings, encoding=encoding, relevantDate="2027-06-01T21:00+01:00")
    ).bookings

    assert concert.name == "Frühlingskonzert"


def test_a_ticket_and_a_hotel_card_are_read_and_a_loyalty_card_is_not() -> None:
    concert = wallet(
        "eventTicket",
        {
            "primaryFields": [{"key": "event", "label": "EVENT", "value": "Fado Night"}],
            "auxiliaryFields": [{"key": "venue", "label": "VENUE", "value": "Lisboa"}],
        },
        relevantDate="2027-06-01T21:00+01:00",
    )  # fmt: skip
    hotel = wallet(
        "generic",
        {
            "primaryFields": [{"key": "hotel", "label": "HOTEL", "value": "Hotel Ejemplo"}],
            "secondaryFields": [
                {"key": "checkIn", "label": "ENTRADA", "value": "2027-06-01"},
                {"key": "checkOut", "label": "CHECK-OUT", "value": "3 de junio de 2027"},
            ],
            "backFields": [{"key": "b", "label": "Localizador", "value": "HX-221"}],
        },
    )
    loyalty = wallet("storeCard", {"primaryFields": [{"key": "balance", "label": "POINTS", "value": "1200"}]})

    (event,), (stay,) = read(concert).bookings, read(hotel).bookings

    assert (event.kind, event.name, event.starts and event.starts.at) == ("event", "Fado Night", "2027-06-01T21:00")
    assert (stay.kind, stay.name, stay.confirmation_number) == ("stay", "Hotel Ejemplo", "HX-221")
    assert stay.starts
    assert stay.ends
    assert (stay.starts.at, stay.ends.at) == ("2027-06-01", "2027-06-03")
    assert read(loyalty).unread == ("The pass is no ticket or booking, but a card or a voucher.",)


def test_a_bundle_gives_all_its_passes_and_names_the_damaged_one() -> None:
    good = wallet("boardingPass", {"primaryFields": []}, barcodes=[{"message": BOARDING}])

    reading = read(archive({"a.pkpass": good, "b.pkpass": good[:40]}), today=TODAY)

    assert [one.number for one in reading.bookings] == ["BT212"]
    assert reading.unread == ("A pass in the bundle is damaged.",)
