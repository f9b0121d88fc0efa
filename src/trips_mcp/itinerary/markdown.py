"""Days and timelines as Markdown, with the same facts as the structured form.

Each text of a trip goes on one line, so that a line break in a title cannot fake a line of ours.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from trips_mcp.itinerary.formatting import one_line
from trips_mcp.itinerary.results import (
    Bed,
    Day,
    DayChoice,
    Due,
    End,
    Gap,
    LegHere,
    LegLine,
    Pin,
    Row,
    Thing,
    Timeline,
)

_CODE = "airport code "
Hint = Callable[[str], str]
"""Rewrites a sentence that names tools if some of them are not offered."""

_KIND_WORDS = {"check_in": "check-in", "check_out": "check-out", "pick_up": "pick-up of", "drop_off": "drop-off of"}


def day_in_markdown(day: Day, hint: Hint = str) -> str:
    if day.choices:
        return "\n".join([*_sentences(day.unclear), *map(_choice, day.choices)])
    lines = [_heading(day), *_legs_here(day), *_nights(day)]
    if day.things:
        lines += ["", *(f"- {_thing(thing, day.date, day.zone)}" for thing in day.things)]
    else:
        lines.append("Nothing is planned.")
    if day.more_things:
        lines.append(
            _more(f"and {day.more_things} more: list_commitments, list_legs and list_trip_events give all.", hint)
        )
    after = [*_free(day), *_due(day.due, day.more_due, hint), *_sentences(day.unclear)]
    return "\n".join([*lines, *([""] if after and day.things else []), *after])


def timeline_in_markdown(timeline: Timeline, hint: Hint = str) -> str:
    lines = [f"# {_named(timeline.title, 'Trip', timeline.trip_id)}"]
    if timeline.starts:
        count = f"{timeline.days} days" if timeline.days != 1 else "1 day"
        lines.append(f"{timeline.starts} to {timeline.ends}, {count}.")
    lines += [f"- {_leg_line(leg)}" for leg in timeline.legs or ()]
    if timeline.more_legs:
        lines.append(_more(f"and {timeline.more_legs} more legs: list_legs gives all.", hint))
    lines += [*_due(timeline.due, timeline.more_due, hint), *_sentences(timeline.unclear)]
    before: Row | None = None
    for row in timeline.rows or ():
        lines += ["", *_row(row, before, hint)]
        before = row
    if timeline.undated:
        lines += ["", "## Without a date", *(f"- {_thing(thing, None, None)}" for thing in timeline.undated)]
    if timeline.more_undated:
        lines.append(_more(f"and {timeline.more_undated} more: list_commitments and list_trip_events give all.", hint))
    if timeline.continues:
        lines += ["", f"Not all fits in one answer: get_timeline with from {timeline.continues} gives the rest."]
    return "\n".join(lines)


def _heading(day: Day) -> str:
    number = f", day {day.number} of {day.of}" if day.number else ""
    trip = f" of {_named(day.trip, 'the trip', day.trip_id)}" if day.trip_id else ""
    return f"# {day.weekday} {day.date}{number}{trip}{f' ({day.zone})' if day.zone else ''}"


def _legs_here(day: Day) -> Iterator[str]:
    if day.legs:
        more = f"; and {day.more_legs} more legs" if day.more_legs else ""
        yield f"In: {'; '.join(_leg_here(leg, day.zone) for leg in day.legs)}{more}."


def _leg_here(leg: LegHere, zone: str | None) -> str:
    other_zone = "" if zone else f", {leg.zone or 'zone unknown'}"
    return f"{_place(leg.title, leg.destination)}{other_zone}{_ids(legId=leg.leg_id)}"


def _place(title: str | None, destination: str | None) -> str:
    names = [one_line(text) for text in (title, destination) if text]
    if len(names) == 2 and names[1].casefold() in names[0].casefold():
        names.pop()
    return ", ".join(names) or "a leg without a name"


def _nights(day: Day) -> Iterator[str]:
    """The same bed for both nights is shown once."""
    wake, sleep = day.wake or [], day.sleep or []
    if wake and _ids_of(wake) == _ids_of(sleep):
        yield f"Wake and sleep: {_beds(sleep)}."
        return
    if wake:
        yield f"Wake: {_beds(wake)}."
    if sleep:
        yield f"Sleep: {_beds(sleep)}."


def _ids_of(beds: Iterable[Bed]) -> list[tuple[object, ...]]:
    return [(bed.kind, bed.leg_id, bed.flight, bed.commitment_id) for bed in beds]


def _beds(beds: Sequence[Bed]) -> str:
    return "; ".join(map(_bed, beds))


def _bed(bed: Bed) -> str:
    names = [one_line(text) for text in (bed.name, bed.address) if text] or ["a stay without a name"]
    if bed.kind == "flight":
        names = ["under way", *names] if bed.name else ["under way"]
    until = [f"until {bed.until}"] if bed.until else []
    night = [f"night {bed.night} of {bed.of}"] if bed.night and bed.of and bed.of > 1 else []
    return (
        f"{', '.join(names + until + night)}{_ids(legId=bed.leg_id, flight=bed.flight, commitmentId=bed.commitment_id)}"
    )


def _thing(thing: Thing, date: str | None, zone: str | None) -> str:
    said = _title(thing)
    if kind := _KIND_WORDS.get(thing.kind):
        said = f"{kind} {said}"
    parts = [
        f"{_when(thing, zone)} {said}".strip(),
        *_both_ends(thing, date),
        *filter(None, (thing.category if thing.category != "other" else None, _seat(thing.seat))),
        *([one_line(thing.event_type)] if thing.event_type else []),
        *([f"at {one_line(thing.place)}"] if thing.place else []),
        *([f"as written: {one_line(thing.written)}"] if thing.written else []),
        *_pin(thing.pin),
        *([f"{thing.transfer} from the place before"] if thing.transfer else []),
        *_zone_from(thing.zone_from),
    ]
    ids = _ids(
        legId=thing.leg_id,
        flight=thing.flight,
        commitmentId=thing.commitment_id,
        event_id=thing.event_id,
    )
    remark = f". {thing.remark.rstrip('.')}" if thing.remark else ""
    notes = f". Notes: {one_line(thing.notes)}" if thing.notes else ""
    return f"{', '.join(parts)}{ids}{remark}{notes}."


def _zone_from(places: Sequence[str] | None) -> Iterator[str]:
    if places:
        said = " and ".join(places)
        if len(places) > 1 and all(place.startswith(_CODE) for place in places):
            said = f"{_CODE.strip()}s {' and '.join(place.removeprefix(_CODE) for place in places)}"
        yield f"zone{'s' if len(places) > 1 else ''} from {said}"


def _title(thing: Thing) -> str:
    if thing.title is None:
        return "without a title" if thing.kind in ("commitment", "event") else thing.kind.replace("_", " ")
    return one_line(thing.title)


def _when(thing: Thing, zone: str | None) -> str:
    """The time, its zone unless it is the day's, and what is missing."""
    if thing.departs or thing.arrives:
        return _when_moving(thing)
    if thing.all_day:
        return "all day:"
    start = f"since {thing.since}" if thing.since else thing.time
    end = f"{thing.until_date} {thing.until}" if thing.until_date else thing.until
    if end and (thing.since or not start):
        start, end = " ".join(filter(None, (start, f"until {end}"))), None
    time = f"{start} to {end}" if start and thing.until_date else f"{start}-{end}" if start and end else start or ""
    at = f" {thing.zone}" if thing.zone and thing.zone != zone and time else ""
    lacking = f" ({_lacking(thing.missing)})" if thing.missing else ""
    return f"{time}{at}{lacking}:".strip() if time else f"{_lacking(thing.missing)}:" if thing.missing else ""


def _lacking(missing: Iterable[str] | None) -> str:
    return ", ".join(f"{lack} {'unknown' if lack.endswith('zone') else 'not set'}" for lack in missing or ())


def _when_moving(thing: Thing) -> str:
    if thing.kind == "flight_arrival":
        return f"{thing.time or 'at a time not set'} arrives:"
    return "under way:" if thing.kind == "flight_under_way" else ""


def _both_ends(thing: Thing, date: str | None) -> Iterator[str]:
    if thing.departs or thing.arrives:
        yield f"{_end(thing.departs, date)} → {_end(thing.arrives, date)}"
    if thing.duration:
        yield thing.duration


def _end(end: End | None, date: str | None) -> str:
    if end is None:
        return "time not set"
    day = None if end.date == date else f"{end.weekday} {end.date}"
    time = end.time or "time not set"
    return " ".join(filter(None, (day, time, (end.zone or "(zone unknown)") if end.time else None)))


def _seat(seat: str | None) -> str | None:
    return f"seat {one_line(seat)}" if seat else None


def _pin(pin: Pin | None) -> Iterator[str]:
    if pin is None:
        return
    place = ", ".join(f"{number:g}" for number in (pin.lat, pin.lng) if number is not None)
    known = "; ".join(filter(None, (place, f"pinId {one_line(pin.pin_id)}")))
    yield f"pin {one_line(pin.name)} ({known})" if pin.name else f"pin ({known})"


def _ids(**ids: str | int | None) -> str:
    known = ", ".join(f"{name} {one_line(str(value))}" for name, value in ids.items() if value not in (None, ""))
    return f" ({known})" if known else ""


def _free(day: Day) -> Iterator[str]:
    if day.free:
        yield f"Free: {', '.join(_gap(gap, day.zone) for gap in day.free)}."


def _gap(gap: Gap, usual: str | None) -> str:
    zone = f" {gap.zone}" if gap.zone and gap.zone != usual else ""
    return f"{gap.time}-{gap.until}{zone}{f' (then a {gap.before})' if gap.before else ''}"


def _due(due: Sequence[Due] | None, more: int | None, hint: Hint) -> Iterator[str]:
    if due:
        items = [f"{one_line(item.text or '')} ({item.urgency}, itemId {one_line(item.item_id)})" for item in due]
        rest = f"; and {more} more{' in list_action_items' if hint('list_action_items') else ''}" if more else ""
        yield f"Due: {'; '.join(items)}{rest}."


def _sentences(said: Iterable[str] | None) -> list[str]:
    return list(said or ())


def _more(sentence: str, hint: Hint) -> str:
    said = hint(sentence)
    return f"- {said[:1].lower()}{said[1:]}"


def _choice(choice: DayChoice) -> str:
    trip = f" of {_named(choice.trip, 'a trip', choice.trip_id)}" if choice.trip_id else ""
    return f"- {choice.weekday} {choice.date}{trip}{f': {one_line(choice.where)}' if choice.where else ''}"


def _named(title: str | None, otherwise: str, id: str | None) -> str:  # noqa: A002
    return f"{one_line(title) if title else otherwise}{_ids(tripId=id)}"


def _leg_line(leg: LegLine) -> str:
    dates = f"{leg.starts or 'no start date'} to {leg.ends or 'no end date'}"
    stay = f", stay: {one_line(leg.stay)}" if leg.stay else ""
    where = _place(leg.title, leg.destination)
    return f"{where}: {dates}, {leg.zone or 'zone unknown'}{stay}{_ids(legId=leg.leg_id)}"


def _row(row: Row, before: Row | None, hint: Hint) -> Iterator[str]:
    """The bed is shown only if it differs from the night before."""
    zone = f" ({row.zone})" if row.zone else ""
    until = f" to {row.until}" if row.until else ""
    yield f"## {row.weekday} {row.date}{until}{zone}"
    if row.remark:
        yield row.remark
    elif not row.things:
        yield "Nothing is planned."
    yield from (f"- {_thing(thing, row.date, row.zone)}" for thing in row.things or ())
    if row.more_things:
        yield _more(f"and {row.more_things} more: get_day has more of this day.", hint)
    if row.sleep and (before is None or _ids_of(row.sleep) != _ids_of(before.sleep or ())):
        yield f"Sleep: {_beds(row.sleep)}."
    if row.no_bed and (before is None or not before.no_bed):
        yield "Sleep: not set."
