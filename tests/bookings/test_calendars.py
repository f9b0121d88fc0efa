"""Calendar files of airlines, railways, hotels, TripIt and Google."""

import pytest

from trips_mcp.bookings.model import Booking

from .made_up import calendar, read


def only(entry: str, method: str = "PUBLISH") -> Booking:
    (booking,) = read(calendar(entry, method=method)).bookings
    return booking


TIMES = "DTSTART:20270504T101500Z\nDTEND:20270504T224000Z"


@pytest.mark.parametrize(
    "text",
    [
        "SUMMARY:Flight LH 715 from MUC to HND",
        "SUMMARY:LH715 MUC-HND",
        "SUMMARY:Flug nach Tokio\nDESCRIPTION:Flugnr.: LH 715\\nVon: München (MUC)\\nNach: Tokyo Haneda (HND)",
        "SUMMARY:Vol LH715\nDESCRIPTION:De : Munich (MUC)\\nÀ : Tokyo (HND)",
        "SUMMARY:Flight to Tokyo (LH 715)\nLOCATION:Munich MUC\nDESCRIPTION:Arrival airport: Haneda (HND)",
        "SUMMARY:Vuelo LH 715 MUC → HND",
    ],
)
def test_a_flight_is_read_from_its_words(text: str) -> None:
    flight = only(f"UID:1\n{TIMES}\n{text}")

    assert (flight.kind, flight.number, flight.origin.code, flight.destination.code) == (
        "flight",
        "LH715",
        "MUC",
        "HND",
    )
    assert flight.starts
    assert (flight.starts.at, flight.starts.zone) == ("2027-05-04T12:15", "Europe/Berlin")
    assert flight.ends
    assert flight.ends.at == "2027-05-05T07:40"


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("Booking reference", "QX7L2M"),
        ("Buchungscode", "QX7L2M"),
        ("Numéro de réservation", "QX7L2M"),
        ("Código de reserva", "QX7L2M"),
        ("Codice prenotazione", "QX7L2M"),
        ("Confirmation #", "QX7L2M"),
    ],
)
def test_a_confirmation_number_is_found_by_its_label_in_several_languages(label: str, code: str) -> None:
    assert only(f"UID:1\n{TIMES}\nSUMMARY:LH715 MUC-HND\nDESCRIPTION:{label}: {code}").confirmation_number == code


def test_a_connection_is_all_its_rides() -> None:
    entry = """UID:1
DTSTART;TZID=Europe/Berlin:20270726T225000
DTEND;TZID=Europe/Berlin:20270727T081200
SUMMARY:Hamburg Hbf -> Basel SBB
DESCRIPTION:Reise: Hamburg Hbf nach Basel SBB\\n-\\nab 22:50 Hamburg Hbf - Gleis 8 (NJ   401)
 \\nan 06:31 Karlsruhe Hbf - Gleis 2\\n\\n
 ab 06:58 Karlsruhe Hbf - Gleis 3 (ICE 1)\\nan 08:12 Basel SBB - Gleis 5 A-C\\n-\\nDauer: 9:22"""

    night, morning = read(calendar(entry)).bookings

    assert [(one.number, one.origin.name, one.destination.name) for one in (night, morning)] == [
        ("NJ 401", "Hamburg Hbf", "Karlsruhe Hbf"),
        ("ICE 1", "Karlsruhe Hbf", "Basel SBB"),
    ]
    assert [one.starts.at for one in (night, morning) if one.starts] == ["2027-07-26T22:50", "2027-07-27T06:58"]


def test_floating_times_of_a_railway_are_local_to_the_station() -> None:
    train = only(
        "UID:1\nDTSTART:20270301T085500\nDTEND:20270301T102400\nSUMMARY:Köln Hbf → Mannheim Hbf\nDESCRIPTION:ICE 517"
    )

    assert (train.kind, train.number, train.starts and train.starts.zone) == ("train", "ICE 517", "Europe/Berlin")


def test_tripit_sends_check_in_and_check_out_as_two_entries() -> None:
    first = """UID:a@tripit.com
DTSTART:20270601T130000Z
DTEND:20270601T140000Z
SUMMARY:Check-in: Hotel Exemple
LOCATION:Lyon\\, France
DESCRIPTION:[Lodging] Confirmation #: HX221"""
    last = """UID:b@tripit.com
DTSTART:20270603T090000Z
DTEND:20270603T100000Z
SUMMARY:Check-out: Hotel Exemple
LOCATION:Lyon\\, France
DESCRIPTION:[Lodging]"""

    (stay,) = read(calendar(first, last)).bookings

    assert (stay.kind, stay.name, stay.confirmation_number) == ("stay", "Hotel Exemple", "HX221")
    assert stay.starts
    assert stay.ends
    assert (stay.starts.at, stay.ends.at) == ("2027-06-01T15:00", "2027-06-03T11:00")


def test_the_last_day_of_an_all_day_stay_is_exclusive() -> None:
    days = "DTSTART;VALUE=DATE:20270601\nDTEND;VALUE=DATE:20270604"

    hotel, google = only(f"UID:1\n{days}\nSUMMARY:Hotel: Exemple"), only(f"UID:1\n{days}\nSUMMARY:Stay at Exemple")

    assert hotel.ends
    assert google.ends
    assert (hotel.ends.at, google.ends.at) == ("2027-06-04", "2027-06-03")


def test_a_table_and_a_car_are_read() -> None:
    table = only(
        "UID:1\nDTSTART;TZID=Europe/Rome:20270410T203000\nSUMMARY:Reservation at Trattoria Esempio\nLOCATION:Roma"
    )
    lisbon = "LOCATION:Lisbon\\, Portugal"
    pick_up = f"UID:1\nDTSTART:20270701T080000Z\nDTEND:20270701T090000Z\nSUMMARY:Pick-up Rental Car: Sixt\n{lisbon}"
    drop_off = f"UID:2\nDTSTART:20270705T170000Z\nDTEND:20270705T180000Z\nSUMMARY:Drop-off Rental Car: Sixt\n{lisbon}"

    (car,) = read(calendar(pick_up, drop_off)).bookings

    assert (table.kind, table.name, table.starts and table.starts.at) == (
        "restaurant",
        "Trattoria Esempio",
        "2027-04-10T20:30",
    )
    assert (car.kind, car.name, car.starts and car.starts.at) == ("car", "Sixt", "2027-07-01T09:00")
    assert car.ends
    assert car.ends.at == "2027-07-05T18:00"


FLIGHT = f"{TIMES}\nSUMMARY:LH715 MUC-HND"


def test_cancelled_by_method_by_status_and_by_title() -> None:
    by_method = only(f"UID:1\n{FLIGHT}", method="CANCEL")
    by_status = only(f"UID:1\nSTATUS:CANCELLED\n{FLIGHT}")
    by_title = only(f"UID:1\n{TIMES}\nSUMMARY:Canceled: LH715 MUC-HND")

    assert {one.status for one in (by_method, by_status, by_title)} == {"cancelled"}


def test_the_newest_version_of_an_entry_counts_though_its_sequence_starts_again() -> None:
    old = f"UID:1\nSEQUENCE:4\nDTSTAMP:20270101T100000Z\n{FLIGHT}"
    new = "UID:1\nSEQUENCE:0\nDTSTAMP:20270201T100000Z\nDTSTART:20270504T111500Z\nSUMMARY:LH715 MUC-HND"

    for entries in ((old, new), (new, old)):
        (flight,) = read(calendar(*entries)).bookings
        assert flight.starts
        assert flight.starts.at == "2027-05-04T13:15"


def test_a_broken_entry_breaks_no_other() -> None:
    reading = read(calendar("UID:0\nDTSTART:never\nSUMMARY:LH1 MUC-HND", f"UID:1\n{FLIGHT}"))

    assert [one.number for one in reading.bookings] == ["LH715"]
    assert len(reading.unread) == 1


def test_meetings_are_counted_and_travel_among_them_is_found() -> None:
    meetings = [f"UID:m{number}\n{TIMES}\nSUMMARY:Weekly {number}\nLOCATION:Room 1" for number in range(5_000)]

    reading = read(calendar(*meetings, f"UID:f\n{FLIGHT}"))

    assert [one.number for one in reading.bookings] == ["LH715"]
    assert reading.unread == ("5,000 entries of the calendar are not about travel.",)


@pytest.mark.parametrize(
    "line",
    [
        "DESCRIPTION:<p>Dear Ada</p>Booking reference: <b>QX7L2M</b><br>Seat: 12C",
        "X-ALT-DESC;FMTTYPE=text/html:<html><body>Booking reference: QX7L2M<br/>Seat: 12C</body></html>",
    ],
)
def test_a_description_in_html_is_read_by_its_lines(line: str) -> None:
    flight = only(f"UID:1\n{TIMES}\nSUMMARY:LH715 MUC-HND\n{line}")

    assert (flight.confirmation_number, flight.seat) == ("QX7L2M", "12C")
