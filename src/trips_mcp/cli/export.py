"""The command `trips-mcp export`, which writes a trip as a file."""

import os
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trips_mcp.cli.command import Command, CommandError, run_async
from trips_mcp.cli.output import remark, say_file
from trips_mcp.cli.settings import add_flags, offer_of

if TYPE_CHECKING:
    from trips_mcp.client import TripsClient
    from trips_mcp.server.offer import Offer
    from trips_mcp.tools.resources.exports import TripFile

FORMATS: Final = ("ics", "gpx", "geojson", "kml", "html", "md", "json")


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument("wanted", metavar="TRIP", help="a trip's id, or words of its title")
    parser.add_argument(
        "--format",
        required=True,
        choices=FORMATS,
        help="ics for a calendar; gpx, geojson, kml for a map; html for a page",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write to a file, which is replaced; else to stdout")
    parser.add_argument(
        "--with-secrets", action="store_true", help="with notes, contacts, codes and confirmation numbers"
    )
    parser.add_argument("--with-to-dos", action="store_true", help="put the to-dos into the calendar too")
    add_flags(parser, "offer")


def _run(arguments: Namespace) -> int:
    if arguments.with_to_dos and arguments.format != "ics":
        raise CommandError("--with-to-dos is for --format ics; md, html and json have the to-dos, and maps have none.")
    file = run_async(_exported, arguments, offer_of(arguments))
    for note in file.notes:
        remark(note)
    if arguments.output is None:
        say_file(file.text)
        return 0
    _write(Path(arguments.output), file.text, private=arguments.with_secrets)
    remark(f"Wrote {arguments.output}: {len(file.outline.entries)} entries, {len(file.outline.places)} places.")
    return 0


async def _exported(arguments: Namespace, offered: "Offer") -> "TripFile":
    from trips_mcp.client.errors import CannotConnectError, TripsError
    from trips_mcp.tools.resources.exports import file_of

    try:
        async with offered.connect() as client:
            trip = await _trip_id(client, arguments.wanted, offered.conduct.trip)
            options = {"to_dos": True} if arguments.with_to_dos else {}
            secrets: bool = arguments.with_secrets
            return await file_of(client, trip, arguments.format, offered.conduct, with_secrets=secrets, **options)
    except (CannotConnectError, TripsError) as error:
        raise CommandError(str(error)) from None


async def _trip_id(client: "TripsClient", wanted: str, bound: str | None) -> str:
    """An id comes before a title. Raises: CommandError."""
    if bound is not None:
        if wanted != bound:
            raise CommandError(f"this server is bound to the trip {bound}; export that one, or leave out --trip.")
        return bound
    trips = [trip async for trip in client.iterate_trips()]
    if any(trip.id == wanted for trip in trips):
        return wanted
    words = wanted.casefold().split()
    found = [trip for trip in trips if words and all(word in (trip.title or "").casefold() for word in words)]
    if len(found) == 1:
        return found[0].id
    if found:
        several = ", ".join(f"{trip.title} ({trip.id})" for trip in found[:5])
        raise CommandError(f"several trips match {wanted[:100]!r}: {several}; give the id of one.")
    raise CommandError(f"there is no trip {wanted[:100]!r}; `trips-mcp call list_trips` lists them.")


def _write(target: Path, text: str, *, private: bool) -> None:
    """Replaces the file in one step. One with secrets is for its owner alone. Raises: CommandError."""
    try:
        handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            if not private:
                umask = os.umask(0)
                os.umask(umask)
                Path(partial).chmod(0o666 & ~umask)
            Path(partial).replace(target)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CommandError(f"cannot write {target} ({error.strerror}); choose another file with -o.") from None


EXPORT = Command(
    words="export", summary="write a trip as a calendar, a map, a page or a document", flags=_flags, run=_run
)
