"""Mails and pages: what they say in JSON-LD, in microdata, in attachments, in broken JSON."""

from typing import Any

import pytest

from trips_mcp.bookings.model import Booking

from .made_up import BOARDING, FLIGHT, HOTEL, archive, calendar, mail, page, read, wallet

RESTAURANT = {
    "@context": "https://schema.org",
    "@type": "FoodEstablishmentReservation",
    "reservationNumber": "OT12345",
    "reservationFor": {
        "@type": "FoodEstablishment",
        "name": "Trattoria Esempio",
        "address": {"addressLocality": "Roma", "addressCountry": "Italia"},
    },
    "startTime": "2027-04-10T20:30:00+00:00",
    "partySize": "2",
}
CAR = {
    "@type": "RentalCarReservation",
    "reservationNumber": "R-9931",
    "reservationFor": {"@type": "RentalCar", "name": "Compact", "rentalCompany": {"name": "Sixt"}},
    "pickupLocation": {"name": "Sixt Lisboa", "address": {"addressLocality": "Lisbon", "addressCountry": "PT"}},
    "pickupTime": "2027-07-01T09:00:00+01:00",
    "dropoffLocation": {"name": "Sixt Porto", "address": {"addressLocality": "Porto", "addressCountry": "PT"}},
    "dropoffTime": "2027-07-05T18:00:00+01:00",
}
TRAIN = {
    "@type": "TrainReservation",
    "reservationNumber": "DB7K2P",
    "reservationFor": {
        "@type": "TrainTrip",
        "trainNumber": "517",
        "trainName": "ICE",
        "departureStation": {"name": "Köln Hbf"},
        "departureTime": "2027-03-01T08:55:00+01:00",
        "arrivalStation": {"name": "Mannheim Hbf"},
        "arrivalTime": "2027-03-01T10:24:00+01:00",
    },
    "reservedTicket": {"ticketedSeat": {"seatSection": "24", "seatNumber": "61"}},
}


def one(html: str) -> Booking:
    (booking,) = read(html).bookings
    return booking


def test_a_flight_has_its_number_zones_seat_and_traveller() -> None:
    flight = one(page(FLIGHT))

    assert (flight.kind, flight.number, flight.origin.code, flight.destination.code) == (
        "flight",
        "LH715",
        "MUC",
        "HND",
    )
    assert flight.starts
    assert (flight.starts.at, flight.starts.zone) == ("2027-05-04T12:15", "Europe/Berlin")
    assert flight.ends
    assert (flight.ends.at, flight.ends.zone) == ("2027-05-05T07:40", "Asia/Tokyo")
    assert (flight.confirmation_number, flight.seat, flight.travellers) == ("QX7L2M", "12C", ("Ada Example",))
    assert flight.problems == ()


def test_a_hotel_has_its_nights_and_address() -> None:
    stay = one(page(HOTEL))

    assert (stay.kind, stay.name, stay.origin.address) == ("stay", "Ryokan Example", "1-2 Gion, Kyoto, JP")
    assert stay.starts
    assert (stay.starts.at, stay.starts.zone) == ("2027-05-05T15:00", "Asia/Tokyo")
    assert stay.ends
    assert stay.ends.at == "2027-05-08T10:00"


def test_a_table_a_car_and_a_train_are_read() -> None:
    table, car, train = read(page([RESTAURANT, CAR, TRAIN])).bookings

    assert (table.kind, table.name) == ("restaurant", "Trattoria Esempio")
    assert table.starts
    assert (table.starts.at, table.starts.zone) == ("2027-04-10T20:30", "Europe/Rome")
    assert (car.kind, car.name, car.origin.name, car.destination.name) == ("car", "Sixt", "Sixt Lisboa", "Sixt Porto")
    assert (train.kind, train.number, train.seat) == ("train", "ICE 517", "24 61")
    assert (train.origin.name, train.destination.name) == ("Köln Hbf", "Mannheim Hbf")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2027-05-04T12:15:00+02:00", "2027-05-04T12:15"),
        ("2027-05-04T10:15:00Z", "2027-05-04T12:15"),
        ("2027-05-04T12:15", "2027-05-04T12:15"),
        ("2027-05-04T12:15:00+01:00", "2027-05-04T12:15"),  # a sender that forgot summer time
        ("2027-05-04T19:15:00+09:00", "2027-05-04T12:15"),  # an instant, by another clock
        ("2027-05-04 12:15:00 +0200", "2027-05-04T12:15"),
        ("04 May 2027 12:15", "2027-05-04T12:15"),
        ("4. Mai 2027, 12:15 Uhr", "2027-05-04T12:15"),
        ("4 mai 2027 à 12h15", "2027-05-04T12:15"),
        ("4 de mayo de 2027, 12:15 pm", "2027-05-04T12:15"),
        ("2027年5月4日 12:15", "2027-05-04T12:15"),
        ("05/04/2027", None),
    ],
)
def test_a_departure_is_the_local_time_of_its_airport(written: str, shown: str | None) -> None:
    flight = one(page({**FLIGHT, "reservationFor": {**FLIGHT["reservationFor"], "departureTime": written}}))

    assert (flight.starts.at if flight.starts else None) == shown


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("http://schema.org/ReservationCancelled", "cancelled"),
        ("http://schema.org/Cancelled", "cancelled"),
        ("ReservationModified", "changed"),
        ("https://schema.org/ReservationConfirmed", "confirmed"),
        ("", "confirmed"),
    ],
)
def test_cancelled_and_changed_bookings_say_so(status: str, expected: str) -> None:
    assert one(page({**HOTEL, "reservationStatus": status})).status == expected


BROKEN = {
    "a comma after the last": '{"@type": "EventReservation", "reservationNumber": "E1", "reservationFor": '
    '{"@type": "Event", "name": "Fado & Wine", "startDate": "2027-02-03T20:00",},}',
    "missing commas": '{"@type": "EventReservation" "reservationNumber": "E1"\n"reservationFor": '
    '{"@type": "Event" "name": "Fado & Wine" "startDate": "2027-02-03T20:00"}}',
    "a line break in a string": '{"@type": "EventReservation", "note": "two\nlines", "reservationNumber": "E1", '
    '"reservationFor": {"@type": "Event", "name": "Fado & Wine", "startDate": "2027-02-03T20:00"}}',
    "single quotes, bare keys": "{'@type': 'EventReservation', reservationNumber: 'E1', reservationFor: "
    "{'@type': 'Event', name: 'Fado & Wine', startDate: '2027-02-03T20:00'}}",
    "quotes in a string": '{"@type": "EventReservation", "note": "the "best" seats", "reservationNumber": "E1", '
    '"reservationFor": {"@type": "Event", "name": "Fado & Wine", "startDate": "2027-02-03T20:00"}}',
    "entities": "{&quot;@type&quot;: &quot;EventReservation&quot;, &quot;reservationNumber&quot;: &quot;E1&quot;, "
    "&quot;reservationFor&quot;: {&quot;@type&quot;: &quot;Event&quot;, &quot;name&quot;: &quot;Fado &amp; Wine&quot;, "
    "&quot;startDate&quot;: &quot;2027-02-03T20:00&quot;}}",
    "no closing braces": '{"@type": "EventReservation", "reservationNumber": "E1", "reservationFor": '
    '{"@type": "Event", "name": "Fado & Wine", "startDate": "2027-02-03T20:00"',
    "comments": '<!-- /* generated */ {"@type": "EventReservation", // kind\n"reservationNumber": "E1", '
    '"reservationFor": '
    '{"@type": "Event", "name": "Fado & Wine", "startDate": "2027-02-03T20:00"}} -->',
    "two objects": '{"@type": "Organization"} {"@type": "EventReservation", "reservationNumber": "E1", '
    '"reservationFor": {"@type": "Event", "name": "Fado & Wine", "startDate": "2027-02-03T20:00"}};',
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN.keys())
def test_json_that_browsers_and_gmail_accept_is_accepted(script: str) -> None:
    event = one(f'<html><script type="application/ld+json">{script}</script></html>')

    assert (event.kind, event.name, event.confirmation_number) == ("event", "Fado & Wine", "E1")
    assert event.starts
    assert event.starts.at == "2027-02-03T20:00"


def test_microdata_gives_what_json_ld_gives() -> None:
    stay = one(
        """<TABLE itemscope itemtype="https://schema.org/LodgingReservation"><tr><td>
        Nr. <b itemprop=reservationNumber>HTL-9</b>
        <span itemprop="reservationFor" itemscope itemtype="http://schema.org/Hotel">
          <a href="https://example.com" itemprop="name" content="Hôtel de l&#39;Exemple">here</a>
          <p itemprop="address" itemscope itemtype="http://schema.org/PostalAddress">
          <span itemprop="streetAddress">1 rue Exemple</span><br><span itemprop="addressLocality">Lyon</span></span>
        <time itemprop="checkinTime" datetime="2027-09-01T15:00:00+02:00">1 September</time>
        <meta itemprop="checkoutTime" content="2027-09-03T11:00:00+02:00" />
        </table>"""
    )

    assert (stay.kind, stay.name, stay.confirmation_number) == ("stay", "Hôtel de l'Exemple", "HTL-9")
    assert (stay.origin.city, stay.starts and stay.starts.at) == ("Lyon", "2027-09-01T15:00")
    assert stay.ends
    assert stay.ends.at == "2027-09-03T11:00"


def test_packages_graphs_and_references_are_opened() -> None:
    package = {"@type": "ReservationPackage", "reservationNumber": "PK1", "subReservation": [_without_number(FLIGHT)]}
    graph = {
        "@context": "https://schema.org",
        "@graph": [
            {"@id": "#hotel", **HOTEL["reservationFor"]},
            {**HOTEL, "reservationFor": {"@id": "#hotel"}},
        ],
    }

    flight, stay = read(page(package, graph)).bookings

    assert (flight.kind, flight.confirmation_number) == ("flight", "PK1")
    assert (stay.kind, stay.name) == ("stay", "Ryokan Example")


def _without_number(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "reservationNumber"}


def test_a_mail_with_markup_a_pass_and_a_calendar_entry_of_one_flight_has_one_flight() -> None:
    entry = """UID:1
DTSTART:20270504T101500Z
DTEND:20270504T224000Z
SUMMARY:Flight LH 715 from MUC to HND
DESCRIPTION:Booking reference: QX7L2M"""
    boarding = "M1EXAMPLE/ADA         EQX7L2M MUCHNDLH 0715 124C012C0045 100"
    files = (
        ("flight.ics", "text/calendar", calendar(entry).encode()),
        (
            "pass.pkpass",
            "application/vnd.apple.pkpass",
            wallet(
                "boardingPass", {"auxiliaryFields": [{"key": "gate", "value": "B2"}]}, barcode={"message": boarding}
            ),
        ),
    )

    (flight,) = read(mail(page(FLIGHT), "", *files)).bookings

    assert (flight.number, flight.seat, flight.starts and flight.starts.at) == ("LH715", "12C", "2027-05-04T12:15")


def test_two_passengers_stay_two_records_and_a_forwarded_mail_is_opened() -> None:
    second = {**FLIGHT, "underName": {"name": "Bob Example"}, "airplaneSeat": "12D"}
    inner = mail(page([FLIGHT, second]))
    outer = (
        b"From: me@example.com\nTo: you@example.com\nSubject: Fwd\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n"
    )

    assert [flight.seat for flight in read(outer + inner).bookings] == ["12C", "12D"]


def test_a_mail_without_markup_is_handed_on_as_text() -> None:
    reading = read(
        mail("<html><style>p {}</style><p>Ihre Buchung im Hotel Beispiel<br>3 Nächte</p></html>", "Hotel Beispiel")
    )

    assert reading.bookings == ()
    assert reading.texts == ("Subject: Your booking\nHotel Beispiel",)


def test_a_boarding_pass_in_a_mail_takes_its_year_from_the_mail() -> None:
    (flight,) = read(mail("", f"Your pass:\n{BOARDING}\n")).bookings

    assert (flight.number, flight.starts and flight.starts.at) == ("BT212", "2026-11-05")


def test_forty_bookings_in_one_mail_are_forty() -> None:
    many = [
        {**HOTEL, "reservationNumber": f"H{number}", "checkinTime": f"2027-05-{number % 28 + 1:02}"}
        for number in range(40)
    ]

    assert len(read(mail(page(many))).bookings) == 40


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"departureTime": "31.02.2027"}, "It does not say when it starts."),
        (
            {"arrivalTime": "2027-05-04T07:40:00+09:00"},
            "It ends (2027-05-04T07:40) before it starts (2027-05-04T12:15).",
        ),
        ({"departureAirport": {"name": ""}}, "It does not say from where to where."),
    ],
)
def test_what_cannot_be_true_is_said(changed: dict[str, Any], problem: str) -> None:
    flight = one(page({**FLIGHT, "reservationFor": {**FLIGHT["reservationFor"], **changed}}))

    assert flight.problems == (problem,)


def test_markup_about_anything_else_gives_no_booking() -> None:
    others = [
        {"@type": "Organization", "name": "Example"},
        {"@type": "Hotel", "name": "Example", "address": "Paris"},
        {"@type": "Order", "orderNumber": "1"},
    ]

    assert read(page(*others)).bookings == ()


def test_all_messages_of_a_mailbox_are_read() -> None:
    dates = "From someone@example.com Fri Nov 27 09:00:00 2026\n"
    box = b"\n\n".join(dates.encode() + mail(page(one)) for one in (FLIGHT, HOTEL))

    assert [one.kind for one in read(box).bookings] == ["flight", "stay"]


def test_the_attachments_of_a_mail_as_one_archive_are_read() -> None:
    files = {"a.eml": mail(page(FLIGHT)), "b/hotel.html": page(HOTEL), "c.jpg": b"\xff\xd8\xff"}

    assert [one.kind for one in read(archive(files)).bookings] == ["flight", "stay"]


def test_an_archive_in_a_mail_in_an_archive_is_not_opened() -> None:
    inner = archive({"a.eml": mail(page(FLIGHT))})
    packed = archive({"a.eml": mail("", "", ("more.zip", "application/zip", inner))})

    assert read(packed).unread == ("The archive has neither bookings nor places.",)


def test_microdata_takes_in_what_it_refers_to() -> None:
    page_with_references = """<div itemscope itemtype="http://schema.org/FlightReservation" itemref="flight seat">
<meta itemprop="reservationNumber" content="QX7L2M"></div>
<table id="flight" itemprop="reservationFor" itemscope itemtype="http://schema.org/Flight"><tr><td>
<span itemprop="flightNumber">LH 715</span>
<span itemprop="departureAirport" itemscope><meta itemprop="iataCode" content="MUC"></span>
<time itemprop="departureTime" datetime="2027-05-04T12:15:00+02:00"></time></td></tr></table>
<div id="seat">Your seat: <b itemprop="airplaneSeat">12C</b></div>
<div id="other"><b itemprop="airplaneSeat">1A</b></div>"""

    (flight,) = read(f"<html>{page_with_references}</html>").bookings

    assert (flight.number, flight.origin.code, flight.confirmation_number, flight.seat) == (
        "LH715",
        "MUC",
        "QX7L2M",
        "12C",
    )
