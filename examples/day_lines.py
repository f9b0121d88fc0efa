"""The items of a day of a trip, one line each, as a traveller would note them. day_sheet.py prints them."""

from collections.abc import Iterator
from datetime import date

from trips_mcp.itinerary.day import day_of
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.results import Bed, End, Thing

WORDS = {
    "check_in": "Check in: ",
    "check_out": "Check out: ",
    "pick_up": "Pick up: ",
    "drop_off": "Drop off: ",
    "flight_arrival": "Arrive: ",
    "flight_under_way": "Under way: ",
}
CODES = {
    "door_code": "Door",
    "wifi_name": "Wi-Fi",
    "wifi_password": "Wi-Fi password",
    "host_phone": "Host's phone",
    "confirmation_number": "Booking",
    "check_in_instructions": "Getting in",
}


def lines_of(journey: Journey, day: date, *, codes: bool) -> Iterator[str]:
    asked = day_of(journey, day)
    yield f"{day:%A} {day.day} {day:%B %Y}{f', day {asked.number} of {asked.of}' if asked.number else ''}"
    yield from dict.fromkeys(leg.destination or leg.title or "" for leg in asked.legs or ())
    for thing in asked.things or ():
        yield line(thing)
        if codes and thing.flight is not None:
            yield from secrets(journey, thing.leg_id, thing.flight)
    for bed in asked.sleep or ():
        yield f"Sleep: {sleep(bed)}"
        if codes and bed.kind == "stay":
            yield from secrets(journey, bed.leg_id)
    yield from asked.unclear or ()


def line(thing: Thing) -> str:
    if thing.kind == "flight":
        return f"{end(thing.departs)}  {thing.title}, lands {end(thing.arrives, thing.departs)}{more(thing)}"
    hours = "-".join(filter(None, (thing.time, thing.until))) or thing.written or ("all day" if thing.all_day else "")
    zone = f" ({place_of(thing.zone)})" if thing.zone and thing.time else ""
    return f"{hours}{zone}  {WORDS.get(thing.kind, '')}{thing.title or thing.kind}{more(thing)}".strip()


def more(thing: Thing) -> str:
    seat, pin = thing.seat and f"seat {thing.seat}", thing.pin and thing.pin.name
    return (
        "".join(f". {said.rstrip('.')}" for said in (seat, thing.place, pin, thing.remark, thing.notes) if said) + "."
    )


def end(at: End | None, other: End | None = None) -> str:
    if at is None:
        return "at a time not set"
    day = f"{at.weekday} {at.date} " if other and other.date != at.date else ""
    return f"{day}{at.time or ''} ({place_of(at.zone)})"


def place_of(zone: str | None) -> str:
    return f"{zone.split('/')[-1].replace('_', ' ')} time" if zone else "zone not known"


def sleep(bed: Bed) -> str:
    return ", ".join(filter(None, ("under way" if bed.kind == "flight" else None, bed.name, bed.address)))


def secrets(journey: Journey, leg_id: str | None, flight: int | None = None) -> Iterator[str]:
    leg = journey.stretch[leg_id].source if leg_id and leg_id in journey.stretch else None
    held = None if leg is None else leg.accommodation if flight is None else (leg.flights or ())[flight]
    yield from (f"    {word}: {said}" for name, word in CODES.items() if (said := getattr(held, name, None)))


if __name__ == "__main__":
    print(__doc__)
