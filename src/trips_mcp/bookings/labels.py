"""Labels of confirmations in several languages: `Buchungscode: XYZ123` has a confirmation number."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, Literal

from trips_mcp.places.tables import fold

LabelledField = Literal[
    "confirmation", "number", "train", "seat", "coach", "traveller", "date", "departs", "arrives", "from", "to",
    "provider", "price", "checkin", "checkout", "pickup", "dropoff", "address", "event", "venue", "status", "hotel",
]  # fmt: skip

_LABELS: Final[Mapping[LabelledField, str]] = {
    "confirmation": (
        "booking reference|booking ref|booking code|booking number|booking no|booking id|booking|reservation|"
        "reservation number|reservation no|reservation code|reservation reference|reservation id|confirmation|"
        "confirmation number|confirmation no|confirmation code|confirmation id|conf|pnr|record locator|locator|"
        "filekey|"
        "airline reference|reference|ref|order number|order no|order id|itinerary number|"
        "buchungscode|buchungsnummer|buchungsnr|buchungsreferenz|reservierungsnummer|reservierungscode|"
        "auftragsnummer|"
        "bestellnummer|bestatigungsnummer|bestatigungscode|"
        "reference de reservation|numero de reservation|code de reservation|dossier|reference dossier|"
        "numero de dossier|"
        "numero de confirmation|reference de dossier|code de confirmation|no de reservation|"
        "codigo de reserva|numero de reserva|localizador|localizador de reserva|numero de confirmacion|"
        "codigo de confirmacion|"
        "codice prenotazione|codice di prenotazione|numero prenotazione|numero di prenotazione|numero di conferma|"
        "codigo da reserva|numero da reserva|boekingsnummer|reserveringsnummer|boekingscode|boekingsreferentie|"
        "bokningsnummer|bokningskod|bookingnummer|numer rezerwacji|kod rezerwacji|cislo rezervace|"
        "予約番号|确认号|预订号|예약번호"
    ),
    "number": (
        "flight|flight number|flight no|flight nr|flight num|flugnummer|flugnr|flug|vol|numero de vol|no de vol|"
        "vuelo|numero de vuelo|"
        "volo|numero volo|numero di volo|voo|numero do voo|vlucht|vluchtnummer|flyg|flygnummer|lot|numer lotu|let|"
        "便名|航班|편명"
    ),
    "train": (
        "train|train number|train no|zug|zugnummer|zugnr|numero de train|train n|tren|numero de tren|treno|"
        "numero treno|trein|"
        "treinnummer|tag|tagnummer|pociag|vlak|bus|bus number|coach number|service|line|linie|voyage|sailing|ship|"
        "vessel"
    ),
    "seat": (
        "seat|seats|seat number|sitz|sitzplatz|platz|siege|place|asiento|plaza|posto|assento|stoel|plats|"
        "miejsce|sedadlo|座席|座位|좌석"
    ),
    "coach": "coach|car|carriage|wagen|voiture|coche|carrozza|rijtuig|vagn|wagon",
    "traveller": (
        "passenger|passenger name|passengers|name|name of passenger|traveller|traveler|travellers|traveller name|"
        "guest|guest name|"
        "under name|reisender|fahrgast|passagier|gast|name des fahrgastes|passager|voyageur|nom|nom du passager|"
        "pasajero|viajero|"
        "huesped|passeggero|viaggiatore|ospite|passageiro|reiziger|resenar|pasazer|nombre|nome|attendee|"
        "ticket holder|holder"
    ),
    "date": (
        "date|departure date|dep date|depart date|dept date|travel date|flight date|day|datum|abflugdatum|"
        "reisedatum|reisetag|abfahrtsdatum|"
        "date de depart|jour|fecha|fecha de salida|data|data di partenza|data de partida|vertrekdatum|event date|"
        "when|wann|quand|cuando|quando"
    ),
    "departs": (
        "departure|departure time|dep|dep time|depart|departs|departing|std|leaves|abflug|abflugzeit|abfahrt|"
        "abfahrtszeit|ab|"
        "depart time|depart hour|heure de depart|salida|hora de salida|partenza|ora di partenza|orario partenza|"
        "partida|hora de partida|"
        "vertrek|vertrektijd|avgang|odjezd|odjazd|wylot|odlet|出発|出発時刻"
    ),
    "arrives": (
        "arrival|arrival time|arr|arr time|arrive|arrives|sta|ankunft|ankunftszeit|an|arrivee|heure d arrivee|"
        "llegada|"
        "hora de llegada|arrivo|ora di arrivo|orario arrivo|chegada|hora de chegada|aankomst|aankomsttijd|ankomst|"
        "przyjazd|到着"
    ),
    "from": (
        "from|origin|origin airport|departure airport|departure station|departure city|dep city|depart city|von|"
        "abflugort|startbahnhof|"
        "de|gare de depart|aeroport de depart|desde|origen|da|da aeroporto|partenza da|van|fran|z|出発地"
    ),
    "to": (
        "to|destination|destination airport|arrival airport|arrival station|arrival city|arr city|at|nach|ziel|"
        "zielflughafen|"
        "zielbahnhof|ankunftsort|a|vers|gare d arrivee|aeroport d arrivee|hacia|hasta|destino|destinazione|"
        "arrivo a|para|naar|till|do|到着地"
    ),
    "provider": (
        "airline|airline name|carrier|operated by|operator|durchgefuhrt von|fluggesellschaft|train company|"
        "compagnie|aerolinea|compagnia"
    ),
    "price": (
        "price|total|total price|amount|preis|gesamtpreis|prix|montant|precio|importe|prezzo|totale|preco|"
        "prijs|fare"
    ),
    "checkin": (
        "check in|checkin|check in date|check in time|arrival date|anreise|anreisetag|check in ab|arrivee le|"
        "date d arrivee|entrada|"
        "fecha de entrada|data di arrivo|inchecken|ankomstdag|チェックイン"
    ),
    "checkout": (
        "check out|checkout|check out date|check out time|abreise|abreisetag|depart le|salida el|"
        "fecha de salida hotel|"
        "data di partenza hotel|uitchecken|チェックアウト"
    ),
    "pickup": (
        "pick up|pickup|pick up location|pickup location|pick up date|pick up time|abholung|abholort|"
        "anmietung|prise en charge|recogida|ritiro|ophalen"
    ),
    "dropoff": (
        "drop off|dropoff|drop off location|dropoff location|return|return location|ruckgabe|ruckgabeort|"
        "retour|restitution|devolucion|riconsegna|inleveren"
    ),
    "address": "address|adresse|direccion|indirizzo|endereco|adres|住所",
    "event": "event|event name|show|veranstaltung|evenement|evento|titel|title|film|movie",
    "venue": "venue|location|place name|veranstaltungsort|ort|lieu|lugar|luogo|locatie",
    "status": "status|booking status|buchung|etat|estado|stato",
    "hotel": "hotel|hotel name|property|unterkunft|hebergement|alojamiento|alloggio|accommodation",
}  # fmt: skip
_GROUPS: Final = frozenset(
    re.findall(
        r"\w+", "aux auxiliary prim primary sec secondary secnd header head back front field fields f main value pass"
    )
)
"""Parts of keys of passes that say where a field is shown: `aux_flight`."""
_MARKS: Final = re.compile("[#\u00b0\u00ba\u2116.]")
_NUMBER_WORD: Final = re.compile(" (?:n|no|nr|num)$")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])")
_LINE: Final = re.compile(r"[ \t\-*\u2022]*([^\n:\uff1a]{1,40}?)[ \t.]*[:\uff1a][ \t]*([^\n]{1,300})")
_CODE: Final = re.compile(r"#?\s*([0-9]{3,4}(?:\.[0-9]{3}){1,3}|[A-Z0-9](?:[A-Z0-9-]{2,24}[A-Z0-9]))(?![\w-])")
_NUMBERED: Final = re.compile(
    r"([^\W\d_][^\n:#]{2,40}?)\s*(?:#|n[\u00b0\u00ba]|\u2116)\s*:?[ \t]*([A-Z0-9][A-Z0-9-]{3,24})\b"
)
"""`Confirmation # GHT567`, without a colon."""


@cache
def field_of(label: str) -> LabelledField | None:
    """The field that a label names, in any of the languages."""
    plain = fold(_MARKS.sub(" ", label[:80]))
    found = _fields().get(plain) or _fields().get(_NUMBER_WORD.sub("", plain))
    if found is not None:
        return found
    *_, kind, last = ("", "", *plain.split())
    shorter = [_fields().get(f"{kind} {last}"), _fields().get(last)]
    return "confirmation" if "confirmation" in shorter else None


def field_of_key(key: str) -> LabelledField | None:
    """The field that a programmer's key names: `aux_flight`, `departureTime`, `seat2`."""
    words = [word for word in fold(_CAMEL.sub(" ", key[:80])).split() if word not in _GROUPS and not word.isdecimal()]
    return _fields().get(" ".join(words))


def labelled(text: str) -> Mapping[LabelledField, str]:
    """The first value of each labelled line in a text."""
    found: dict[LabelledField, str] = {}
    for label, value in _LINE.findall(text):
        name = field_of(label)
        if name is not None and value.strip():
            found.setdefault(name, value.strip())
    for label, value in () if "confirmation" in found else _NUMBERED.findall(text):
        if field_of(label.strip(" \t*-\u2022")) == "confirmation":
            found.setdefault("confirmation", value)
    return found


def confirmation_in(values: Iterable[str]) -> str:
    """The first value that can be a confirmation number: capitals and digits."""
    for value in values:
        found = _CODE.match(value.strip())
        if found is not None:
            return found[1]
    return ""


@cache
def _fields() -> Mapping[str, LabelledField]:
    return {label: field for field, labels in _LABELS.items() for label in labels.split("|")}
