"""docs/faq.md quotes what is really said, word for word; each answer is short, and has something to run."""

import re
import socket
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

from trips_mcp.backend.store.postgresql import NO_DRIVER
from trips_mcp.backend.store.schema import SCHEMA, newer
from trips_mcp.backend.store.sqlite_connection import _SENTENCES
from trips_mcp.cli.command import CommandError
from trips_mcp.cli.listener import listening
from trips_mcp.client import CannotConnectError, Endpoint, TripsClient
from trips_mcp.client.errors import ForbiddenError, OutcomeUnknownError, RateLimitedError, UnauthorizedError
from trips_mcp.client.session import failure
from trips_mcp.contract.events import CREATE_EVENT
from trips_mcp.contract.fields import MASK
from trips_mcp.contract.trips import CREATE_TRIP, LIST_TRIPS
from trips_mcp.server.http.auth import Origins, check_local, no_key
from trips_mcp.server.http.request import HttpRequest, RefusalError, not_found
from trips_mcp.settings import Settings, SettingsError
from trips_mcp.tools.error_text import advice

from .pages import ROOT

PAGE = (ROOT / "docs/faq.md").read_text("utf-8")
MOST_LINES = 5


def a_setting_alone() -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"OSOTO_BASE_URL": "https://trips.example/api/v1"})
    return str(caught.value)


def a_key_that_is_a_reference() -> str:
    return " ".join(Settings.from_env({"OSOTO_API_KEY": "${OSOTO_API_KEY}"}).notices)


def refused(kind: type[UnauthorizedError | ForbiddenError | RateLimitedError], status: int, after: float = 0) -> str:
    return advice(kind(CREATE_TRIP, status=status, code="", retry_after=after), "create_trip", "", reads=False)


def unknown(again: bool) -> str:
    operation = CREATE_TRIP if again else CREATE_EVENT
    return advice(OutcomeUnknownError(operation, repeatable=again), operation.name, "", reads=False)


def untrusted() -> str:
    error = httpx.ConnectError("")
    error.__cause__ = ssl.SSLCertVerificationError("")
    return str(failure(LIST_TRIPS, error, None))


def by_page(**headers: str) -> str:
    with pytest.raises(RefusalError) as caught:
        Origins("127.0.0.1", (), ()).check(visit(**headers))
    return caught.value.message


def through_a_proxy() -> str:
    with pytest.raises(RefusalError) as caught:
        check_local(visit(via="1.1 proxy.example"))
    return caught.value.message


def visit(**headers: str) -> HttpRequest:
    async def nothing(*_: Any) -> Any: ...

    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": lines, "http_version": "1.1"}
    return HttpRequest(scope, nothing, nothing, 1)


def locked() -> str:
    return _SENTENCES["SQLITE_BUSY"].format(place="trips.db")


SAID: dict[str, Callable[[], str]] = {
    "OSOTO_BASE_URL is set without OSOTO_API_KEY; set both, or neither.": a_setting_alone,
    "OSOTO_API_KEY is a reference such as ${NAME}, which the program that started this server did not expand": (
        a_key_that_is_a_reference
    ),
    ", so the Trips API is off; write the key itself there, or remove OSOTO_API_KEY.": a_key_that_is_a_reference,
    MASK: lambda: MASK,
    "The API key is missing, wrong or revoked": lambda: refused(UnauthorizedError, 401),
    "A key is missing: send your Trips API key as Authorization: Bearer osk_...": lambda: no_key().message,
    "this needs the scope trips:write and membership of the trip": lambda: refused(ForbiddenError, 403),
    "Nothing was done: wait 20 seconds, then call": lambda: refused(RateLimitedError, 429, 20),
    "Outcome unknown: the service did not answer": lambda: unknown(again=True),
    "Calling create_trip again with the same arguments is safe: it will not be created twice.": lambda: unknown(True),
    "Do not simply call create_event again": lambda: unknown(again=False),
    "no connection could be made": lambda: str(failure(LIST_TRIPS, httpx.ConnectError(""), None)),
    "the proxy did not let it through": lambda: str(failure(LIST_TRIPS, httpx.ProxyError(""), None)),
    "its certificate is not trusted; set SSL_CERT_FILE to a file of those to trust": untrusted,
    "is locked by another program; close that and try again": locked,
    "was written by a newer trips-mcp": lambda: str(newer("trips.db", "9999", SCHEMA)),
    "PostgreSQL needs a driver that is not here": lambda: NO_DRIVER,
    "This server goes by another name (Host).": lambda: by_page(host="trips.example.com"),
    "Pages of this origin may not call here (Origin).": lambda: by_page(host="localhost", origin="https://a.example"),
    "This request came through a proxy": through_a_proxy,
    ", and without keys this server answers programs on its own computer alone: start it with --auth key for others.": (
        through_a_proxy
    ),
    "There is nothing at this address; MCP is at /mcp.": lambda: not_found("/mcp").message,
}


@pytest.mark.parametrize("quoted", SAID)
def test_what_is_quoted_is_what_is_said(quoted: str) -> None:
    assert quoted in SAID[quoted]()
    assert quoted in " ".join(PAGE.split())


async def test_the_sentence_about_proxies_and_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")

    async with TripsClient(trips=Endpoint("https://trips.example/api/v1"), events=None) as client:
        with pytest.raises(CannotConnectError) as caught:
            await client.trips.list()

    assert str(caught.value) in " ".join(PAGE.split())


def test_the_sentence_about_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"^cannot listen on 127\.0\.0\.1 port {port} \("):
            listening("127.0.0.1", port)

    assert "`cannot listen on 127.0.0.1 port 8848`" in PAGE


def test_the_folders_are_those_that_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)

    for kind, system in ((Unix, "Linux"), (MacOS, "macOS")):
        folder = kind("trips-mcp", appauthor=False).user_data_path.relative_to("/home/ada")
        assert f"`~/{folder}` ({system})" in PAGE


ANSWERS = re.split(r"^#{2,3} (?!It does|Tools are|Calls are|The trips|Over HTTP)", PAGE, flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.splitlines()[0])
def test_an_answer_is_short_and_has_something_to_run(answer: str) -> None:
    text, _, command = answer.partition("```sh\n")
    _, *lines = [line for line in text.splitlines() if line]

    assert 1 <= len(lines) <= MOST_LINES
    assert command.splitlines()[1] == "```"
