"""The command `trips-mcp import FILE …`, which puts confirmations of bookings into a trip."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trips_mcp.cli.command import WORDS, Command, CommandError, agreed, run_async, standard_input
from trips_mcp.cli.output import remark, say
from trips_mcp.cli.settings import add_flags, offer_of

if TYPE_CHECKING:
    from trips_mcp.bookings.model import Booking, BookingTime, FileReading
    from trips_mcp.server.offer import Offer
    from trips_mcp.tools.plans.imports import ImportPreview
    from trips_mcp.tools.plans.results import ApplyReport
    from trips_mcp.tools.tool import Answer

_NO_BOOKING: Final = "It has no machine-readable booking."
_STDIN: Final = "-"
_NEEDED: Final = ("plan_import", "apply_plan")


def _flags(parser: ArgumentParser) -> None:
    parser.usage = "trips-mcp import [-h] [--trip ID] [--dry-run] [--yes] [--json] [--today DATE] FILE ..."
    parser.add_argument(
        WORDS,
        nargs="+",
        metavar="FILE",
        help="mails (.eml), web pages, calendar files, Wallet passes, boarding passes, PDF, map files; - reads stdin",
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing; show what was read and the plan")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="print JSON; with --dry-run or --yes")
    parser.add_argument(
        "--today",
        metavar="DATE",
        type=date.fromisoformat,
        help="the day that decides the year of a boarding pass, default: today",
    )
    add_flags(parser, "offer")


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    reading: "FileReading"


@dataclass(frozen=True, slots=True)
class _Import:
    preview: "ImportPreview"
    remarks: Sequence[str]
    is_kept: bool
    """Whether another process can still apply the plan."""
    applied: "ApplyReport | None" = None

    @property
    def plan_id(self) -> str | None:
        return self.preview.plan.plan_id if self.preview.plan else None


def _run(arguments: Namespace) -> int:
    if arguments.json and not (arguments.dry_run or arguments.yes):
        raise CommandError("--json asks no questions; add --dry-run to write nothing, or --yes to write.")
    offered = offer_of(arguments)
    today = arguments.today or date.today()  # noqa: DTZ011
    files = [_File(name, _read(name, today)) for name in arguments.words]
    if arguments.dry_run:
        return _try_out(files, offered, as_json=arguments.json)
    if missing := next((offered.missing[name] for name in _NEEDED if name in offered.missing), None):
        raise CommandError(missing)
    found = run_async(_planned, files, offered, arguments.yes)
    if arguments.json:
        say(json.dumps(_document(files, found), indent=2, ensure_ascii=False))
    else:
        _show_unread(files)
        _show_plan(found)
    if found.plan_id is None:
        return 0 if found.preview.bookings and not found.preview.question else 1
    if not arguments.yes:
        return _ask_and_apply(found, offered)
    return 0 if found.applied and found.applied.state == "applied" else 1


def _try_out(files: Sequence[_File], offered: "Offer", *, as_json: bool) -> int:
    """Without an account, or if it cannot be reached, what was read is shown all the same."""
    try:
        if missing := offered.missing.get("plan_import"):
            raise CommandError(missing)
        found = run_async(_planned, files, offered, False)
    except CommandError as error:
        found = None
        remark(f"No plan: {error}")
    if as_json:
        say(json.dumps(_document(files, found), indent=2, ensure_ascii=False))
        return 0 if found or offered.conduct.trip is None else 1
    for file in files:
        for booking in file.reading.bookings:
            say(_line(booking))
        for place in file.reading.places:
            say(f"place       {place.name} ({place.latitude:.5f}, {place.longitude:.5f})")
    _show_unread(files)
    if found is not None:
        say("")
        _show_plan(found)
    return 0 if found or offered.conduct.trip is None else 1


def _ask_and_apply(found: _Import, offered: "Offer") -> int:
    from trips_mcp.cli.call import call_tool

    if not found.is_kept:
        raise CommandError("the history is off, so the plan is not kept until you answer; add --yes to import.")
    if not agreed("Import this?", "nobody can be asked here; add --yes to import it."):
        remark("Nothing was imported.")
        return 1
    given: dict[str, object] = {"planId": found.plan_id}
    applied = run_async(call_tool, "apply_plan", given, offered, _show_answer)
    return 1 if applied.is_error or (applied.structured or {}).get("state") != "applied" else 0


def _show_answer(answer: "Answer") -> None:
    say(answer.text)


async def _planned(files: Sequence[_File], offered: "Offer", applies: bool) -> _Import:
    """Raises: CommandError."""
    from trips_mcp.bookings.model import FileReading
    from trips_mcp.client.errors import CannotConnectError, TripsError
    from trips_mcp.tools.error_text import ToolRefusedError
    from trips_mcp.tools.plans.imports import plan_reading
    from trips_mcp.tools.plans.plan import PlanContext

    whole = sum((file.reading for file in files), FileReading())
    try:
        async with offered.connect() as client:
            context = PlanContext(client, offered.conduct)
            outcome = await plan_reading(context, whole, offered.conduct.trip or "")
            found = _Import(outcome.result, outcome.notes, client.history.records)
            return await _with_applied(found, context) if applies and found.plan_id else found
    except (CannotConnectError, TripsError, ToolRefusedError) as error:
        raise CommandError(str(error)) from None


async def _with_applied(found: _Import, context: Any) -> _Import:
    from trips_mcp.delivery import delivering
    from trips_mcp.tools.plans.apply import apply

    async def report(progress: float, total: float | None, word: str | None) -> None:
        remark(word or f"{progress:g} of {total:g}")

    with delivering() as delivery:
        outcome = await apply(context, found.plan_id or "", report)
        await delivery.confirm()
    return _Import(found.preview, (*found.remarks, *outcome.notes), found.is_kept, outcome.result)


def _read(name: str, today: date) -> "FileReading":
    from trips_mcp.bookings.reader import LARGEST, read_file

    try:
        if name == _STDIN:
            data = standard_input().buffer.read(LARGEST + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(LARGEST + 1)
    except OSError as error:
        raise CommandError(f"{name} cannot be read ({(error.strerror or 'it fails').lower()}).") from None
    return read_file(data, "" if name == _STDIN else Path(name).name, today=today)


def _document(files: Sequence[_File], found: _Import | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "bookings": [_shown(file.name, booking) for file in files for booking in file.reading.bookings],
        "plan": None if found is None else _plan_document(found),
        "unread": [{"file": file.name, "why": why} for file in files for why in _unread(file.reading)],
    }
    if found is not None and found.applied is not None:
        document["applied"] = found.applied.model_dump(mode="json", by_alias=True, exclude_none=True)
    return document


def _plan_document(found: _Import) -> dict[str, Any]:
    """What becomes of each booking, and the plan's preview, in one object."""
    values: dict[str, Any] = found.preview.model_dump(mode="json", by_alias=True, exclude_none=True)
    preview: dict[str, Any] = values.pop("plan", {})
    values = {name: value for name, value in values.items() if name not in ("texts", "unread")}
    return {**preview, **values, **({"remarks": [*found.remarks]} if found.remarks else {})}


def _shown(file: str, booking: "Booking") -> dict[str, Any]:
    has_ends = booking.is_ride or booking.kind == "car"
    return {
        "file": file,
        "kind": booking.kind,
        "number": booking.number or None,
        "name": booking.name or None,
        "from": booking.origin.label or None if has_ends else None,
        "to": booking.destination.label or None if has_ends else None,
        "starts": _time(booking.starts),
        "ends": _time(booking.ends),
        "confirmationNumber": booking.confirmation_number or None,
        "seat": booking.seat or None,
        "cancelled": booking.status == "cancelled",
        "travellers": list(booking.travellers),
    }


def _time(time: "BookingTime | None") -> dict[str, str | None] | None:
    return None if time is None else {"at": time.at, "zone": time.zone}


def _unread(reading: "FileReading") -> list[str]:
    is_text = reading.texts and not reading.bookings and not reading.places
    problems = [
        f"{booking.number or booking.name or 'A booking'}: {problem}"
        for booking in reading.bookings
        for problem in booking.problems
    ]
    return [*reading.unread, *problems, *([_NO_BOOKING] if is_text else [])]


def _show_unread(files: Sequence[_File]) -> None:
    for file in files:
        for why in _unread(file.reading):
            remark(f"{'standard input' if file.name == _STDIN else file.name}: {why}")


def _show_plan(found: _Import) -> None:
    from trips_mcp.tools.plans.imports import import_in_words
    from trips_mcp.tools.plans.results import report_in_words

    shown = found.preview.model_copy(update={"texts": [], "unread": []})
    said = import_in_words(shown, lambda _: "")
    for line in (*found.remarks, said):
        if line:
            say(line)
    if found.preview.question:
        remark("Name the trip with --trip ID.")
    if found.applied is not None:
        say(report_in_words(found.applied, lambda _: ""))


def _line(booking: "Booking") -> str:
    route = f"{booking.origin.label} \u2192 {booking.destination.label}" if booking.is_ride else ""
    span = " \u2013 ".join(one.at.replace("T", " ") for one in (booking.starts, booking.ends) if one)
    parts = (booking.number, booking.name, route, span, booking.confirmation_number, booking.seat)
    status = "" if booking.status == "confirmed" else f"  [{booking.status}]"
    return f"{booking.kind:<11} {'  '.join(part for part in parts if part)}{status}"


IMPORT = Command(words="import", summary="put confirmations into a trip: import FILE ...", flags=_flags, run=_run)
