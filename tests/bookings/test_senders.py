"""How many senders write: airlines, railways, hotels, rental companies and restaurants, in several languages."""

import json
from typing import Any

import pytest

from trips_mcp.bookings.model import Booking
from trips_mcp.json_values import is_object

from .made_up import FLIGHT, HOTEL, calendar, mail, page, read, wallet

CLOCKS = "UID:1\nDTSTART;TZID=Europe/Berlin:20270504T121500\nDTEND;TZID=Europe/Berlin:20270504T141500\n"
NIGHTS = "UID:1\nDTSTART;VALUE=DATE:20270504\nDTEND;VALUE=DATE:20270507\n"
DAYS = "UID:1\nDTSTART;TZID=Europe/Berlin:20270504T121500\nDTEND;TZID=Europe/Berlin:20270507T100000\n"

RIDES = {
    "LH 400 FRA-JFK": ("flight", "LH400", "FRA", "JFK"),
    "Flight to London (LH 2472)": ("flight", "LH2472", "MUC", "London"),
    "Vol AF1234 Paris CDG - Toulouse": ("flight", "AF1234", "CDG", "TLS"),
    "Flight W6 2201: Budapest - London Luton": ("flight", "W62201", "BUD", "LTN"),
    "✈️ Munich → Lisbon • TP 551": ("flight", "TP551", "MUC", "LIS"),
    "Flug EW 9460 Düsseldorf \u2013 Mallorca": ("flight", "EW9460", "DUS", "PMI"),
    "KL1234 - Amsterdam (AMS) - Paris (CDG)": ("flight", "KL1234", "AMS", "CDG"),
    "ICE 517: Köln Hbf → München Hbf": ("train", "ICE 517", "Köln Hbf", "München Hbf"),
    "Train INOUI n°6617 Paris Gare de Lyon → Lyon Part Dieu": (
        "train", "INOUI 6617", "Paris Gare de Lyon", "Lyon Part Dieu",
    ),
    "Frecciarossa 9516: Roma Termini - Milano Centrale": (
        "train", "Frecciarossa 9516", "Roma Termini", "Milano Centrale",
    ),
    "Italo 9924 Napoli Centrale > Torino Porta Nuova": (
        "train", "Italo 9924", "Napoli Centrale", "Torino Porta Nuova",
    ),
    "Train from London Euston to Manchester Piccadilly": (
        "train", "", "London Euston", "Manchester Piccadilly",
    ),
    "FlixBus 421: Berlin ZOB → Praha ÚAN Florenc": ("bus", "421", "Berlin ZOB", "Praha ÚAN Florenc"),
    "Ferry Dover to Calais": ("ferry", "", "Dover", "Calais"),
    "Fähre: Kiel \u2013 Oslo": ("ferry", "", "Kiel", "Oslo"),
}  # fmt: skip


def the_one(data: bytes | str, name: str = "") -> Booking:
    (booking,) = read(data, name).bookings
    return booking


@pytest.mark.parametrize("title", RIDES)
def test_a_ride_has_its_number_and_ends_from_the_title_of_an_entry(title: str) -> None:
    ride = the_one(calendar(f"{CLOCKS}SUMMARY:{title}\nLOCATION:Munich MUC"))

    assert (ride.kind, ride.number, ride.origin.label, ride.destination.label) == RIDES[title]


def test_namesakes_on_another_continent_are_not_where_a_ferry_goes() -> None:
    ferry = the_one(calendar(f"{CLOCKS}SUMMARY:Ferry Dover to Calais"))

    assert ferry.starts is not None
    assert ferry.starts.at == "2027-05-04T12:15"  # not in Dover, Delaware


STAYS = {
    "Stay at Hotel Post": "Hotel Post",
    "Your stay at Hotel Post": "Hotel Post",
    "Hotelreservierung Hotel Post": "Hotel Post",
    "Ihr Aufenthalt im Hotel Post": "Hotel Post",
    "Réservation à l'Hôtel du Nord": "Hôtel du Nord",
    "Votre séjour à l'Hôtel du Nord": "Hôtel du Nord",
    "Reserva en Hotel Sol": "Hotel Sol",
    "Airbnb: Loft in Lisbon": "Loft in Lisbon",
}
CODES = {
    "Booking number: 1234.567.890": "1234.567.890",
    "Confirmation #HX12345": "HX12345",
    "Confirmation # HX12345": "HX12345",
    "Buchungsnummer: HX12345": "HX12345",
    "Numéro de confirmation : HX12345": "HX12345",
    "Número de reserva: HX12345": "HX12345",
}


@pytest.mark.parametrize("title", STAYS)
def test_a_stay_has_its_name_in_several_languages(title: str) -> None:
    stay = the_one(calendar(f"{NIGHTS}SUMMARY:{title}\nLOCATION:Hauptstr. 1\\, 80331 München"))

    assert (stay.kind, stay.name) == ("stay", STAYS[title])
    assert stay.starts is not None
    assert (stay.starts.at, stay.starts.zone) == ("2027-05-04", "Europe/Berlin")


@pytest.mark.parametrize("line", CODES)
def test_a_confirmation_number_is_found_however_it_is_labelled(line: str) -> None:
    assert (
        the_one(calendar(f"{NIGHTS}SUMMARY:Stay at Hotel Post\nDESCRIPTION:{line}")).confirmation_number == CODES[line]
    )


CARS = {
    "Hertz rental car pick-up": "Hertz",
    "Car rental - Sixt": "Sixt",
    "Mietwagen: Europcar": "Europcar",
    "Location de voiture Avis": "Avis",
    "Alquiler de coche: Hertz": "Hertz",
}
TABLES = {
    "Reservation at Giro Giro": "Giro Giro",
    "Restaurant Le Comptoir - 2 pers": "Restaurant Le Comptoir",
    "Tischreservierung im Restaurant Adler": "Restaurant Adler",
    "Réservation de table chez Paul": "Paul",
    "Reserva de mesa en Casa Lucio": "Casa Lucio",
}


@pytest.mark.parametrize("title", CARS)
def test_a_car_has_its_company_in_several_languages(title: str) -> None:
    car = the_one(calendar(f"{DAYS}SUMMARY:{title}\nLOCATION:Lisbon Airport"))

    assert (car.kind, car.name) == ("car", CARS[title])
    assert car.starts is not None
    assert car.ends is not None
    assert (car.starts.at, car.ends.at) == ("2027-05-04T11:15", "2027-05-07T09:00")


@pytest.mark.parametrize("title", TABLES)
def test_a_table_has_its_restaurant_in_several_languages(title: str) -> None:
    table = the_one(calendar(f"{CLOCKS}SUMMARY:{title}\nDESCRIPTION:Table for 2\nLOCATION:Munich"))

    assert (table.kind, table.name) == ("restaurant", TABLES[title])


SUBJECTS = {
    "en": "Your booking was cancelled",
    "de": "Ihre Buchung wurde storniert",
    "fr": "Votre réservation est annulée",
}


@pytest.mark.parametrize("language", SUBJECTS)
@pytest.mark.parametrize("booking", [FLIGHT, HOTEL], ids=["flight", "hotel"])
@pytest.mark.parametrize(("status", "expected"), [("ReservationCancelled", "cancelled"), ("Modified", "changed")])
def test_cancelled_and_changed_mails_say_so_in_any_language(
    language: str, booking: dict[str, Any], status: str, expected: str
) -> None:
    html = page({**booking, "reservationStatus": f"http://schema.org/{status}"})

    assert the_one(mail(html, SUBJECTS[language])).status == expected


HOTEL_CARDS = {
    "en": ("HOTEL", "CHECK-IN", "CHECK-OUT", "CONFIRMATION", "11 April 2027", "13 April 2027"),
    "de": ("HOTEL", "ANREISE", "ABREISE", "BUCHUNGSNUMMER", "11. April 2027", "13. April 2027"),
    "fr": ("HÔTEL", "DATE D'ARRIVÉE", "DÉPART LE", "N° DE CONFIRMATION", "11 avril 2027", "13 avril 2027"),
}


@pytest.mark.parametrize("language", HOTEL_CARDS)
def test_a_hotels_pass_is_read_in_several_languages(language: str) -> None:
    hotel, checkin, checkout, code, first, last = HOTEL_CARDS[language]
    fields = {
        "primaryFields": [{"key": "a", "label": hotel, "value": "Hotel Example"}],
        "secondaryFields": [
            {"key": "b", "label": checkin, "value": first},
            {"key": "c", "label": checkout, "value": last},
            {"key": "d", "label": code, "value": "998877"},
        ],
    }

    stay = the_one(wallet("generic", fields))

    assert stay.starts is not None
    assert stay.ends is not None
    assert (stay.kind, stay.name, stay.starts.at, stay.ends.at, stay.confirmation_number) == (
        "stay", "Hotel Example", "2027-04-11", "2027-04-13", "998877",
    )  # fmt: skip


def test_a_train_pass_with_stations_as_labels_and_times_as_values_is_read() -> None:
    fields = {
        "transitType": "PKTransitTypeTrain",
        "headerFields": [{"key": "n", "label": "TRAIN N°", "value": "6617"}],
        "primaryFields": [
            {"key": "from", "label": "PARIS GARE DE LYON", "value": "12h15"},
            {"key": "to", "label": "LYON PART DIEU", "value": "14h15"},
        ],
        "secondaryFields": [{"key": "date", "label": "DATE", "value": "11 avril 2027"}],
        "auxiliaryFields": [
            {"key": "s", "label": "SITZPLATZ NR", "value": "67"},
            {"key": "p", "label": "PASSENGER", "value": "EXAMPLE/ADA"},
        ],
    }

    train = the_one(wallet("boardingPass", fields))

    assert (train.number, train.origin.label, train.destination.label) == (
        "6617", "PARIS GARE DE LYON", "LYON PART DIEU",
    )  # fmt: skip
    assert train.starts is not None
    assert train.ends is not None
    assert (train.starts.at, train.ends.at) == ("2027-04-11T12:15", "2027-04-11T14:15")
    assert (train.seat, train.travellers) == ("67", ("ADA EXAMPLE",))


def test_a_stay_whose_days_and_hours_stand_apart_has_both() -> None:
    apart = {**HOTEL, "checkinDate": "2027-05-05", "checkinTime": "15:00", "checkoutDate": "2027-05-08"}
    del apart["checkoutTime"]

    stay = the_one(page(apart))

    assert stay.starts is not None
    assert stay.ends is not None
    assert (stay.starts.at, stay.ends.at) == ("2027-05-05T15:00", "2027-05-08")


def test_prefixed_properties_are_read() -> None:
    def prefixed(value: Any) -> Any:
        if not is_object(value):
            return value
        return {name if name.startswith("@") else f"schema:{name}": prefixed(inner) for name, inner in value.items()}

    plain, with_prefixes = the_one(page(FLIGHT)), the_one(page(prefixed(FLIGHT)))

    assert with_prefixes == plain


def test_lists_in_lists_are_opened() -> None:
    assert the_one(f'<script type="application/ld+json">{json.dumps([[FLIGHT]])}</script>').number == "LH715"


def test_a_number_of_the_package_fills_in_for_a_reservation_that_leaves_its_own_empty() -> None:
    package = {
        "@type": "ReservationPackage",
        "reservationNumber": "PK1234",
        "subReservation": [{**FLIGHT, "reservationNumber": ""}],
    }

    assert the_one(page(package)).confirmation_number == "PK1234"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("München", "MUC"),
        ("Lisboa", "LIS"),
        ("Wien Schwechat", "VIE"),
        ("FRANKFURT INTL", "FRA"),
        ("LHR - London Heathrow", "LHR"),
        ("Paris Orly", "ORY"),
        ("London", ""),
        ("Roma", ""),
        ("Tokyo", ""),
    ],
)
def test_an_airport_is_named_by_its_city_only_if_that_has_a_single_one(name: str, code: str) -> None:
    flight = the_one(
        page({**FLIGHT, "reservationFor": {**FLIGHT["reservationFor"], "departureAirport": {"name": name}}})
    )

    assert flight.origin.code == code


@pytest.mark.parametrize(
    "written",
    [
        "2027-05-04 12:15:00",
        "20270504T1215",
        "2027-5-4T12:15",
        "2027/05/04 12:15",
        "2027-05-04T12:15:00+02:00[Europe/Berlin]",
        "2027-05-04T10:15:00Z",
        "2027-05-04T12:15 PM",
        "Tue May 04 2027 12:15:00 GMT+0200 (CEST)",
        "04-MAY-2027 12:15",
        "Di., 4. Mai 2027 12:15 Uhr",
        "mardi 4 mai 2027 à 12h15",
        "4 de mayo de 2027 12:15",
        "2027年5月4日 12:15",
    ],
)
def test_a_time_is_read_however_it_is_written(written: str) -> None:
    flight = the_one(page({**FLIGHT, "reservationFor": {**FLIGHT["reservationFor"], "departureTime": written}}))

    assert flight.starts is not None
    assert (flight.starts.at, flight.starts.zone) == ("2027-05-04T12:15", "Europe/Berlin")
