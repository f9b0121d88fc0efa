"""`doctor`: every line says what was found, and what to do where it is not well; and nothing is changed by looking."""

import json
import os
import re
import socket
import sqlite3
import ssl
import stat
import sys
import threading
import zoneinfo
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest
from typing_extensions import override

from tests.certificates import self_signed
from trips_mcp.backend import create_key
from trips_mcp.cli.commands import run
from trips_mcp.cli.doctor import apis, storage
from trips_mcp.client.journal import SqliteJournal
from trips_mcp.connect import connect
from trips_mcp.contract.trips import CreateTrip
from trips_mcp.history import RecordedChange
from trips_mcp.history.sqlite import SqliteHistory
from trips_mcp.settings import Settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound
KEY = "osk_0123456789_0123456789"
ME = {"user": {"_id": "u1", "name": "Ada"}, "groups": [], "scopes": ["trips:read"]}


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    def line(self, about: str) -> str:
        """The first about this."""
        return next(line for line in self.out.splitlines() if line[6:].startswith(f"{about}:"))


Doctor = Callable[..., Ended]
StandIn = Callable[..., str]


@pytest.fixture
def doctor(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Doctor:
    """`trips-mcp doctor` with these settings, in this process; nobody's database, journal, proxy or uvx."""
    ours = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")
    for name in [name for name in os.environ if name.startswith(ours) or name.upper().endswith("_PROXY")]:
        monkeypatch.delenv(name)
    uvx = tmp_path_factory.mktemp("programs") / "uvx"
    uvx.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(uvx.parent))
    monkeypatch.setenv("TRIPS_MCP_DATABASE", str(tmp_path / "trips.db"))
    monkeypatch.setenv("TRIPS_MCP_JOURNAL", str(tmp_path / "journal.db"))
    monkeypatch.setenv("TRIPS_MCP_HISTORY", str(tmp_path / "history.db"))

    def doctor(*words: str, **settings: str) -> Ended:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        code = run(["doctor", *words])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Ended(code, said.out, said.err)

    return doctor


@pytest.fixture
def stand_in() -> Generator[StandIn]:
    """The address of something that answers every request so."""
    running: list[ThreadingHTTPServer] = []

    def stand_in(status: int = 200, body: object = ME, **headers: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response_only(status)
                known = {"Content-Type": "application/json", "Content-Length": str(len(sent))}
                for name, value in {**known, **{n.replace("_", "-"): v for n, v in headers.items()}}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(sent)

            @override
            def log_message(self, *_: object, **__: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        running.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield stand_in
    for server in running:
        server.shutdown()
        server.server_close()


@contextmanager
def deaf() -> Generator[str]:
    """The address of something that takes connections, and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def closed() -> str:
    """An address at which nothing listens: discard, where nothing may be bound by chance."""
    return "http://127.0.0.1:9"


def everything_in(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


def test_with_nothing_set_all_is_well_and_local_and_nothing_is_made(doctor: Doctor, tmp_path: Path) -> None:
    ended = doctor()

    assert (ended.code, ended.err) == (0, "")
    assert ended.line("api").startswith("ok    api: the embedded backend, no account is set")
    assert f"{tmp_path / 'trips.db'} does not exist yet; the first use creates it" in ended.line("database")
    assert f"{tmp_path / 'journal.db'} does not exist yet" in ended.line("journal")
    assert "are free" in ended.line("disk")
    assert "Python 3." in ended.line("versions")
    assert "SQLite 3." in ended.line("versions")
    assert list(tmp_path.iterdir()) == []


def test_zones_that_nobody_has_are_told(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor().line("time zones").startswith("ok    time zones: known, also by their former names (tzdata 20")

    monkeypatch.setitem(sys.modules, "tzdata", None)
    for package in [name for name in sys.modules if name.startswith("tzdata.")]:
        monkeypatch.delitem(sys.modules, package)
    zoneinfo.reset_tzpath([str(tmp_path)])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        told = doctor().line("time zones")
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()

    assert told.startswith("warn  time zones: not known: Europe/Paris, Asia/Tokyo, US/Pacific, Asia/Calcutta.")
    assert "Install the package tzdata" in told


def test_a_database_and_a_journal_are_looked_at_and_left_as_they_are(doctor: Doctor, tmp_path: Path) -> None:
    make_database(tmp_path / "trips.db")
    anyio.run(unknown_write, tmp_path / "journal.db")
    anyio.run(recorded_change, tmp_path / "history.db")
    before = everything_in(tmp_path)

    ended = doctor()

    assert everything_in(tmp_path) == before
    assert ended.code == 0, ended.out
    assert "KiB, version 0002, which is the newest" in ended.line("database")
    assert ended.line("history").endswith("history.db, 1 change")
    assert ended.line("journal").startswith("warn")
    assert "1 write of unknown outcome. Check whether the change is there" in ended.line("journal")
    assert ended.out.endswith("Nothing is wrong. 1 hint, see what is marked warn.\n")


def make_database(file: Path) -> None:
    async def make() -> None:
        await create_key(str(file), [])

    anyio.run(make)


async def unknown_write(file: Path) -> None:
    journal = SqliteJournal(file)
    await journal.leave_unknown(await journal.begin("digest", "create_leg"))
    await journal.aclose()


async def recorded_change(file: Path) -> None:
    history = SqliteHistory(file)
    made_at = datetime.now(UTC).timestamp()
    await history.begin(RecordedChange(id="c", account="a", tool="create_leg", arguments={}, made_at=made_at))
    await history.aclose()


def test_a_database_in_use_is_looked_at_beside_who_uses_it(doctor: Doctor, tmp_path: Path) -> None:
    file = tmp_path / "trips.db"
    make_database(file)

    with closing(sqlite3.connect(file)) as other:
        other.execute("UPDATE schema_version SET version_num = 'unheard-of'")
        other.commit()
        newer = doctor()
        other.execute("UPDATE schema_version SET version_num = '0002'")
        other.commit()

    assert newer.code == 1
    assert "was written by a newer trips-mcp (database version unheard-of" in newer.line("database")
    assert "version 0002, which is the newest" in doctor().line("database")


def test_a_migration_that_is_due_is_told_and_not_made(doctor: Doctor, tmp_path: Path) -> None:
    file = tmp_path / "trips.db"
    make_database(file)
    with closing(sqlite3.connect(file)) as db:
        db.executescript("DROP TABLE schema_version; CREATE TABLE schema_version (version INTEGER);")
        db.execute("INSERT INTO schema_version VALUES (1)")
        db.commit()
    before = everything_in(tmp_path)

    ended = doctor()

    assert ended.line("database").startswith("warn")
    assert "version 1 of its tables; 0002 is the newest. The next start keeps a copy" in ended.line("database")
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("name", ["trips.db", "journal.db", "history.db"])
@pytest.mark.parametrize(
    ("kind", "said"),
    [("folder", "is "), ("corrupt", "cannot be read as a "), ("foreign", "another program|something else")],
)
def test_a_file_that_cannot_be_used_is_something_to_mend(
    doctor: Doctor, tmp_path: Path, name: str, kind: str, said: str
) -> None:
    file = tmp_path / name
    if kind == "folder":
        (file / "trips.db").mkdir(parents=True)  # a folder alone may be where the database is to be
    elif kind == "corrupt":
        file.write_bytes(b"these bytes are no database, however often they are read. " * 100)
    else:
        with closing(sqlite3.connect(file)) as db:
            db.execute("CREATE TABLE recipes (name TEXT)")

    ended = doctor()

    line = ended.line({"trips.db": "database", "journal.db": "journal", "history.db": "history"}[name])
    assert (ended.code, ended.err) == (1, "")
    assert line.startswith("fail")
    assert str(file) in line
    assert any(words in line for words in said.split("|"))


def test_what_cannot_be_written_or_others_may_read_is_told(doctor: Doctor, tmp_path: Path) -> None:
    make_database(tmp_path / "trips.db")
    anyio.run(unknown_write, tmp_path / "journal.db")
    (tmp_path / "journal.db").chmod(0o644)
    (tmp_path / "trips.db").chmod(0o444)

    ended = doctor()

    assert ended.code == 1
    assert "trips.db cannot be written. Make its folder writable, or name" in ended.line("database")
    assert f"chmod 600 {tmp_path / 'journal.db'}" in ended.line("journal permissions")
    assert stat.S_IMODE((tmp_path / "journal.db").stat().st_mode) == 0o644


def test_a_full_disk_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    free = [50 * 2**20, 2**20]

    def left(_: Path) -> int:
        return free.pop(0)

    monkeypatch.setattr("trips_mcp.cli.doctor.storage.free_bytes", left)
    scarce, full = doctor(), doctor()

    assert (scarce.code, full.code) == (0, 1)
    assert scarce.line("disk").startswith("warn  disk: only 50.0 MiB are free")
    assert full.line("disk").startswith("fail  disk: only 1.0 MiB are free")


def test_a_disk_is_found_for_a_folder_that_does_not_exist_yet() -> None:
    assert storage.free_bytes(Path("/nowhere/at/all/trips.db")) is not None


def test_a_key_is_examined_and_never_shown_whole(
    doctor: Doctor, base: str, key_for: Callable[..., Awaitable[str]]
) -> None:
    key = anyio.run(key_for, "a patient", "trips:read", "messages:read")
    settings = {
        "OSOTO_API_KEY": key,
        "OSOTO_BASE_URL": f"{base}/api/v1",
        "TRAVELMODE_TOKEN": key,
        "TRAVELMODE_BASE_URL": base,
    }

    ended = doctor(**settings)
    reading = doctor("--read-only")
    told = doctor("--json")

    assert (ended.code, ended.err) == (0, "")
    assert f"OSOTO_API_KEY is osk_…{key[-4:]} (variable)" in ended.line("setting")
    for said in (ended, told):
        assert key[4:-4] not in said.out + said.err
    assert f"another service at {base}/api/v1 answers in " in ended.line("trips api")
    assert "valid; you are a patient" in ended.line("trips key")
    assert ended.line("trips scopes").startswith("warn")
    assert "without trips:write no changing trips (create_trip, update_trip, archive_trip and" in ended.line(
        "trips scopes"
    )
    assert ended.line("trips clock").startswith("ok ")
    assert ended.line("events key") == "ok    events key: valid"
    assert reading.line("trips scopes") == "ok    trips scopes: the key allows trips:read, messages:read"


def test_what_is_left_of_the_rate_limit_is_told(doctor: Doctor, stand_in: StandIn) -> None:
    some = doctor(OSOTO_API_KEY=KEY, OSOTO_BASE_URL=stand_in(X_RateLimit_Limit="60", X_RateLimit_Remaining="7"))
    none = doctor(OSOTO_BASE_URL=stand_in(X_RateLimit_Limit="60", X_RateLimit_Remaining="0"))
    over = doctor(OSOTO_BASE_URL=stand_in(429, {"error": {"code": "RATE_LIMITED"}}, Retry_After="12"))

    about = "trips rate limit"
    assert some.line(about) == f"ok    {about}: 7 of 60 requests are left, for 60 seconds at most"
    assert none.line(about).startswith(f"warn  {about}: 0 of 60 requests are left, for 60 seconds at most. Calls wait")
    assert over.line(about).startswith(f"warn  {about}: used up for 12 seconds at most. Calls wait that long")
    assert over.line("trips key").startswith("warn  trips key: it could not be checked now. Run this again")
    assert (some.code, none.code, over.code) == (0, 0, 0)


def test_a_wrong_key_is_something_to_mend(doctor: Doctor, base: str) -> None:
    ended = doctor(
        OSOTO_API_KEY=KEY,
        OSOTO_BASE_URL=f"{base}/api/v1",
        TRAVELMODE_TOKEN=KEY,
        TRAVELMODE_BASE_URL=base,
    )

    assert ended.code == 1
    assert ended.line("trips key").startswith("fail  trips key: the key in OSOTO_API_KEY is wrong or was revoked")
    assert "Set OSOTO_API_KEY to a valid key; Osoto makes keys under" in ended.line("trips key")
    assert ended.line("events key").startswith("fail  events key: the key in TRAVELMODE_TOKEN is wrong")
    assert ended.line("trips api").startswith("ok ")
    assert "0123456789_" not in ended.out + ended.err
    assert ended.out.endswith("2 to fix, see what is marked fail.\n")


PAGE = "<!doctype html><title>Log in</title>"


@pytest.mark.parametrize(
    ("status", "body", "headers", "said"),
    [
        (503, {"error": {"code": "INTERNAL_ERROR", "message": "x"}}, {}, "is there, but fails (HTTP 503). Try again"),
        (200, PAGE, {"Content_Type": "text/html; charset=utf-8"}, "answers with a web page (HTTP 200), and not as"),
        (401, PAGE, {"Content_Type": "text/html"}, "answers with a web page (HTTP 401), and not as"),
        (302, "", {"Location": "https://login.example/"}, "redirects (HTTP 302), and a key is never sent elsewhere"),
        (200, {"kind": "weather", "degrees": 21}, {}, "answers, but not as the "),
        (200, "not even JSON", {}, "answers, but not as the "),
        (404, {"status": 404}, {}, "at this address (HTTP 404)"),
        (418, {"error": "teapot"}, {}, "refuses the check's request to the "),
    ],
)
@pytest.mark.parametrize("api", ["trips", "events"])
def test_what_answers_may_be_something_else(
    doctor: Doctor, stand_in: StandIn, api: str, status: int, body: object, headers: dict[str, str], said: str
) -> None:
    there = stand_in(status, body, **headers)
    key, url = ("OSOTO_API_KEY", "OSOTO_BASE_URL") if api == "trips" else ("TRAVELMODE_TOKEN", "TRAVELMODE_BASE_URL")

    ended = doctor(**{key: KEY, url: there})

    assert ended.code == 1
    line = ended.line(f"{api} api")
    assert line.startswith(f"fail  {api} api: another service at {there} ")
    assert said in line
    assert ("Try again later" in line) or f"Check {url}" in line


@pytest.mark.parametrize(
    ("hours", "level", "said"),
    [
        (-3, "warn", "this computer is 3 hours ahead of the service. Set the clock: "),
        (48, "warn", "this computer is 2 days behind the service. Set the clock: "),
        (0, "ok  ", "this computer and the service have the same time"),
    ],
)
def test_a_clock_that_is_wrong_is_a_hint(doctor: Doctor, stand_in: StandIn, hours: int, level: str, said: str) -> None:
    there = stand_in(Date=format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True))

    ended = doctor(OSOTO_API_KEY=KEY, OSOTO_BASE_URL=there)

    assert ended.code == 0
    assert ended.line("trips clock").startswith(f"{level}  trips clock: {said}")


def test_a_service_that_tells_no_time_and_no_scopes_is_taken_as_it_is(doctor: Doctor, stand_in: StandIn) -> None:
    there = stand_in(body={"user": {"_id": "u1", "name": "A\x1b[2Jda"}}, Date="yesterday")

    ended = doctor(OSOTO_API_KEY=KEY, OSOTO_BASE_URL=there)

    assert ended.code == 0
    assert "clock" not in ended.out
    assert ended.line("trips key") == "ok    trips key: valid; you are A [2Jda, in no group"
    assert "does not say what the key may do" in ended.line("trips scopes")


def test_scopes_that_are_set_otherwise_than_the_key_has_them_are_told(doctor: Doctor, stand_in: StandIn) -> None:
    ended = doctor(OSOTO_API_KEY=KEY, OSOTO_BASE_URL=stand_in(), TRIPS_MCP_SCOPES="trips:read trips:write")

    assert "TRIPS_MCP_SCOPES says trips:read, trips:write, and the key has others" in ended.out


def no_names(*_: object, **__: object) -> list[Any]:
    raise socket.gaierror(socket.EAI_NONAME, "nobody of that name")


def test_what_stands_in_the_way_is_said_in_words(
    doctor: Doctor, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = stand_in().removeprefix("http://")
    refused = doctor(OSOTO_API_KEY=KEY, OSOTO_BASE_URL=closed())
    no_tls = doctor(OSOTO_BASE_URL=f"https://{plain}")
    proxied = doctor(OSOTO_BASE_URL="https://trips.example", HTTPS_PROXY="http://me:hunter2@127.0.0.1:9")
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setattr(socket, "getaddrinfo", no_names)
    unknown = doctor(OSOTO_BASE_URL="https://no-such-host.example/api/v1")

    cannot = "cannot be reached: "
    assert f"{cannot}nothing listens at 127.0.0.1:9. Check the host and port" in refused.line("trips api")
    assert f"{cannot}{plain} does not speak TLS. Check the port" in no_tls.line("trips api")
    assert f"{cannot}the proxy http://127.0.0.1:9 does not forward the request. Check HTTPS_PROXY" in proxied.line(
        "trips api"
    )
    assert f"{cannot}no address is known for the name no-such-host.example. Check OSOTO_BASE_URL" in unknown.line(
        "trips api"
    )
    assert proxied.line("proxy") == "ok    proxy: HTTPS_PROXY is http://127.0.0.1:9"
    assert "hunter2" not in proxied.out + proxied.err
    assert {ended.code for ended in (refused, no_tls, proxied, unknown)} == {1}


def test_a_certificate_that_nobody_vouches_for_is_told(doctor: Doctor, tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(self_signed(tmp_path / "own.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    place = f"127.0.0.1:{server.server_port}"
    try:
        ended = doctor(OSOTO_API_KEY=KEY, OSOTO_BASE_URL=f"https://{place}")
    finally:
        server.shutdown()
        server.server_close()

    assert ended.code == 1
    assert f"cannot be reached: the certificate of {place} is not trusted (self-signed certificate)" in ended.out
    assert "Check this computer's clock; if your network inspects TLS, name its certificate in SSL" in ended.out


def test_what_never_answers_is_not_waited_for(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apis, "SECONDS", 0.3)

    with deaf() as trips, deaf() as events:
        ended = doctor(OSOTO_API_KEY=KEY, OSOTO_BASE_URL=trips, TRAVELMODE_TOKEN=KEY, TRAVELMODE_BASE_URL=events)

    assert ended.code == 1
    for api in ("trips", "events"):
        assert "cannot be reached: no answer came within " in ended.line(f"{api} api")


def test_a_key_that_was_not_expanded_is_something_to_mend(doctor: Doctor, tmp_path: Path) -> None:
    ended = doctor(OSOTO_API_KEY="${OSOTO_API_KEY}")

    assert ended.code == 1
    assert "OSOTO_API_KEY is a variable that was not expanded (variable)" in ended.line("setting")
    assert ended.line("settings").startswith("fail  settings: OSOTO_API_KEY is a reference such as ${NAME}, which")
    assert ended.line("trips api").startswith(
        "fail  trips api: off, as OSOTO_API_KEY holds no key but a variable that was "
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "about", "said"),
    [
        ({"OSOTO_BASE_URL": "https://trips.example"}, "settings", "OSOTO_BASE_URL is set without OSOTO_API_KEY"),
        ({"TRIPS_MCP_LOG": "loud"}, "settings", "TRIPS_MCP_LOG must be one of"),
        ({"TRIPS_MCP_READONLY": "1"}, "settings", "TRIPS_MCP_READONLY is not a setting; rename it to TRIPS_MCP_READ_"),
        ({"TRIPS_MCP_TOOLS": "no_such_tool"}, "tools", "names no_such_tool, which is no tool"),
        (
            {"OSOTO_API_KEY": KEY, "OSOTO_BASE_URL": "https://me:hunter2@trips.example/v1"},
            "trips api",
            "OSOTO_BASE_URL: The base URL must not hold a user name or password",
        ),
        ({"OSOTO_API_KEY": KEY, "OSOTO_BASE_URL": "http://trips.example"}, "trips api", "must begin with https://"),
        ({"TRIPS_MCP_DATABASE": "mysql://me:hunter2@db/trips"}, "database", "names no database that trips-mcp knows"),
        ({"SSL_CERT_FILE": "/nowhere/ca.pem"}, "certificates", "which does not exist. Fix or unset SSL_CERT_FILE"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_told_and_the_rest_goes_on(
    doctor: Doctor, settings: dict[str, str], about: str, said: str
) -> None:
    ended = doctor(**settings)

    assert (ended.code, ended.err) == (1, "")
    assert ended.line(about).startswith("fail")
    assert said in ended.line(about)
    assert ended.line("versions").startswith("ok ")
    assert "hunter2" not in ended.out


def test_it_says_of_each_setting_where_it_is_from(doctor: Doctor, tmp_path: Path) -> None:
    told = json.loads(doctor("--json", "--trip", "jx7", "--read-only", TRIPS_MCP_TRIP="other", OSOTO_API_KEY="x").out)

    found = {setting["name"]: (setting["value"], setting["source"]) for setting in told["settings"]}
    assert found["--trip"] == ("jx7", "flag")
    assert found["--read-only"] == ("on", "flag")
    assert found["OSOTO_API_KEY"] == ("…", "variable")
    assert found["TRIPS_MCP_DATABASE"] == (str(tmp_path / "trips.db"), "variable")
    assert found["TRAVELMODE_BASE_URL"] == ("https://api.travelmode.ai", "default")
    assert "TRIPS_MCP_TRIP" not in found


def test_the_same_facts_are_to_be_had_as_json(doctor: Doctor, stand_in: StandIn) -> None:
    limits = {"X_RateLimit_Limit": "60", "X_RateLimit_Remaining": "59"}
    there = stand_in(Date=format_datetime(datetime.now(UTC), usegmt=True), **limits)
    words = doctor(OSOTO_API_KEY=KEY, OSOTO_BASE_URL=there)

    ended = doctor("--json")

    told = json.loads(ended.out)
    assert (ended.code, ended.err) == (0, "")
    assert list(told) == ["ok", "wrong", "hints", "settings", "checks"]
    assert (told["ok"], told["wrong"]) == (True, 0)
    of_text = [line[6:].partition(":")[0].replace(" ", "-") for line in words.out.splitlines()[:-2]]
    assert [check["check"] for check in told["checks"]] == of_text
    facts = {check["check"]: check["facts"] for check in told["checks"]}
    assert facts["trips-rate-limit"] == {"limit": 60, "remaining": 59, "resetsInSeconds": 60}
    assert facts["trips-scopes"]["scopes"] == ["trips:read"]
    assert facts["trips-clock"]["secondsAhead"] in (0, 1)
    assert facts["trips-api"]["url"] == there
    assert facts["database" if "database" in facts else "journal"]["exists"] is False
    assert {"trips-mcp", "mcp", "python", "sqlite", "platform"} <= set(facts["versions"])
    for check in told["checks"]:
        assert set(check) - {"toDo"} == {"check", "level", "found", "facts"}
        assert ("toDo" in check) <= (check["level"] != "ok")
    assert KEY[4:-4] not in ended.out


def documented() -> dict[str, set[str]]:
    """The facts of each check, as docs/doctor.md has them."""
    page = Path(__file__).parents[2].joinpath("docs/doctor.md").read_text("utf-8").partition("| `check` |")[2]
    rows = [row.split("|") for row in page.splitlines() if row.startswith("| `")]
    known = {name: set(re.findall(r"`([\w-]+)`", row[3])) for row in rows for name in re.findall(r"`(.+?)`", row[1])}
    return {**known, "setting": {"name", "value", "source"}}


def test_the_docs_name_every_check_and_what_it_tells(
    doctor: Doctor, stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_database(tmp_path / "trips.db")
    anyio.run(unknown_write, tmp_path / "journal.db")
    anyio.run(recorded_change, tmp_path / "history.db")
    for file in tmp_path.glob("*.db"):
        file.chmod(0o644)
    http = {"TRIPS_MCP_TRANSPORT": "http", "HTTPS_PROXY": "http://proxy.example"}

    local = doctor("--json", "--trip", "jx7", **http)
    mistaken = doctor("--json", TRIPS_MCP_SETTING="unheard of")
    monkeypatch.delenv("TRIPS_MCP_SETTING")
    there = stand_in(Date=format_datetime(datetime.now(UTC)), X_RateLimit_Limit="9", X_RateLimit_Remaining="8")
    keys = {"OSOTO_API_KEY": KEY, "TRAVELMODE_TOKEN": KEY}
    reached = doctor("--json", **keys, OSOTO_BASE_URL=there, TRAVELMODE_BASE_URL=closed())

    known, seen = documented(), set[str]()
    for check in [check for ended in (local, mistaken, reached) for check in json.loads(ended.out)["checks"]]:
        seen.add(check["check"])
        assert set(check["facts"]) <= known[check["check"]], check
    of_events = {f"events-{what}" for what in ("key", "rate-limit", "clock")}
    assert set(known) - seen == {*of_events, "certificates"} - seen


@pytest.mark.parametrize(
    ("settings", "level", "said"),
    [
        ({"TRANSPORT": "http"}, "ok  ", "127.0.0.1 port 8848, anybody on this computer may call"),
        (
            {"TRANSPORT": "http", "HOST": EVERYWHERE},
            "warn",
            "its caller's key. Only calls to localhost",
        ),
        ({"HOST": EVERYWHERE, "ALLOWED_HOST": "trips.example"}, "warn", "unencrypted; put a TLS proxy in front"),
        ({"HOST": EVERYWHERE, "AUTH": "none"}, "fail", "TRIPS_MCP_AUTH is none, and 0.0.0.0 can be reached"),
        ({"ALLOWED_HOST": "trips.example"}, "ok  ", "127.0.0.1 port 8848, each call needs its caller's key"),
        ({"ALLOWED_ORIGIN": "app://notes"}, "ok  ", "127.0.0.1 port 8848, each call needs its caller's key"),
        ({"HOST": "[::1]"}, "ok  ", "::1 port 8848, anybody on this computer may call"),
        ({"HOST": "::ffff:127.0.0.1"}, "ok  ", "anybody on this computer may call"),
        ({"AUTH": "none", "ALLOWED_HOST": "trips.example"}, "fail", "TRIPS_MCP_AUTH is none, and trips.example is"),
        ({"AUTH": "none", "TRUSTED_PROXY": "::1"}, "fail", "TRIPS_MCP_AUTH is none, and what a proxy passes on"),
        ({"PORT": "many"}, "fail", "TRIPS_MCP_PORT must be a number"),
    ],
)
def test_settings_of_a_server_over_http_are_examined_where_one_is_meant(
    doctor: Doctor, stand_in: StandIn, settings: dict[str, str], level: str, said: str
) -> None:
    ended = doctor(**{f"TRIPS_MCP_{name}": value for name, value in settings.items()})

    assert ended.line("http").startswith(f"{level}  http: ")
    assert said in ended.line("http")
    assert ended.code == (level == "fail")


def test_where_callers_bring_their_keys_the_services_are_examined_without(
    doctor: Doctor, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRIPS_MCP_DATABASE")

    ended = doctor(TRIPS_MCP_AUTH="key", OSOTO_BASE_URL=f"{base}/api/v1", TRAVELMODE_BASE_URL=base)

    assert ended.code == 0, ended.out
    for api in ("trips", "events"):
        assert ended.line(f"{api} api").startswith("ok ")
        assert ended.line(f"{api} key").endswith("each call brings its caller's own")


def test_without_uvx_clients_could_not_start_it(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    missing = doctor(PATH=str(tmp_path))
    uvx = tmp_path / ".local/bin/uvx"
    uvx.parent.mkdir(parents=True)
    uvx.touch(mode=0o755)

    assert missing.code == 0
    assert missing.line("uvx").startswith("warn  uvx: not found")
    assert doctor().line("uvx") == f"ok    uvx: {uvx}"


def test_the_flags_of_a_server_over_http_are_taken(doctor: Doctor) -> None:
    ended = doctor("--transport", "http", "--port", "9000", "--host", "127.0.0.1")
    mistaken = doctor("--port", "eighty")
    over_stdio = doctor("--transport", "stdio", "--port", "9000")

    assert ended.line("http").startswith("ok    http: 127.0.0.1 port 9000, anybody on this computer may call")
    assert "--port is 9000 (flag)" in ended.out
    assert "--port must be a number from 0 to 65535" in mistaken.line("http")
    assert not [line for line in over_stdio.out.splitlines() if " http: " in line]


async def new_trip(database: Path) -> str:
    settings = Settings.from_env({"TRIPS_MCP_DATABASE": str(database), "TRIPS_MCP_JOURNAL": "off"})
    async with connect(settings) as client:
        group = (await client.me()).default_group_id or ""
        trip = CreateTrip(group_id=group, title="Kyoto", start_date="2027-04-01", end_date="2027-04-09")
        return (await client.trips.create(trip)).id


def test_the_trip_it_is_bound_to_exists_or_not(doctor: Doctor, tmp_path: Path) -> None:
    nowhere = doctor("--trip", "jx7")
    left_alone = list(tmp_path.iterdir())
    trip = anyio.run(new_trip, tmp_path / "trips.db")
    there = doctor("--trip", trip)
    other = doctor("--trip", "jx7")

    assert left_alone == []
    assert (there.code, there.line("trip")) == (0, f"ok    trip: the server is bound to the trip {trip}, which exists")
    for ended in (nowhere, other):
        assert ended.code == 1
        assert ended.line("trip").startswith("fail  trip: there is no trip jx7, to which the server is bound. Set ")


@pytest.mark.parametrize(("status", "level"), [(200, "ok"), (404, "fail")], ids=["there", "not there"])
def test_the_trip_it_is_bound_to_is_asked_of_the_service(
    doctor: Doctor, stand_in: StandIn, status: int, level: str
) -> None:
    trip = {"_id": "jx7", "title": "Kyoto", "startDate": "2027-04-01", "endDate": "2027-04-02", "status": "draft"}
    body = {**ME, **trip} if status == 200 else {"error": {"code": "NOT_FOUND", "message": "There is no such trip."}}

    ended = doctor("--trip", "jx7", OSOTO_API_KEY=KEY, OSOTO_BASE_URL=stand_in(status, body))

    assert ended.line("trip").startswith(level)
