"""The proxy of a call, chosen from the environment as curl does."""

import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from trips_mcp.client import CannotConnectError, Endpoint, TripsClient
from trips_mcp.client.endpoint import is_exempt, proxy_to

if TYPE_CHECKING:
    from .conftest import SkippedTime

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
Setting = Callable[..., None]
HEARD = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"items":[]}'


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Setting:
    """The environment with these proxy variables, and no others."""

    def environment(**variables: str) -> None:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.lower(), raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    environment()
    return environment


@pytest.fixture
async def proxy() -> AsyncGenerator[tuple[str, list[bytes]]]:
    """A proxy that answers every request itself, and the requests that it received."""
    asked: list[bytes] = []

    async def answer(stream: SocketStream) -> None:
        async with stream:
            asked.append(await stream.receive())
            await stream.send(HEARD)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
        async with anyio.create_task_group() as serving:
            serving.start_soon(listener.serve, answer)
            yield f"http://127.0.0.1:{port}", asked
            serving.cancel_scope.cancel()


Listed = Callable[[str], Awaitable[None]]


@pytest.fixture
def listed(time: "SkippedTime") -> Listed:
    """One call to that base URL."""

    async def listed(base_url: str) -> None:
        endpoint = Endpoint(base_url, "osk_key")
        async with TripsClient(trips=endpoint, events=None, deadline=3, clock=time.clock, sleep=time.sleep) as client:
            with anyio.fail_after(30):
                await client.trips.list()

    return listed


@pytest.fixture
def own_address() -> str:
    """An address of this computer that is not loopback, so that a proxy may be used; nothing listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        return str(probe.getsockname()[0])


@pytest.mark.parametrize(
    ("no_proxy", "exempt"),
    [
        ("", False),
        ("trips.test", True),
        ("TRIPS.test", True),
        (".test", True),
        ("*.test", True),
        ("test", True),
        ("rips.test", False),
        ("other.test, trips.test", True),
        ("other.test trips.test", True),
        ("*", True),
        ("trips.test:443", True),
        ("trips.test:8443", False),
        ("10.0.0.0/8", False),
        ("10.0.0.0/99,::/999,[,]:,http://[,*.,.,trips.test", True),
    ],
)
def test_names_are_exempt_with_all_below_them(no_proxy: str, exempt: bool) -> None:
    assert is_exempt("trips.test", 443, no_proxy) is exempt


@pytest.mark.parametrize(
    ("host", "no_proxy", "exempt"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3/8", True),
        ("10.1.2.3", "192.168.0.0/16", False),
        ("10.1.2.3", "3", False),
        ("10.1.2.3", "10.1.2.3:443", True),
        ("fd00::1", "fd00::/8", True),
        ("fd00::1", "[fd00::]/8", True),
        ("fd00::1", "[fd00::1]", True),
        ("fd00::1", "[fd00::1]:443", True),
        ("fd00::1", "[fd00::1]:80", False),
        ("fd00::1", "10.0.0.0/8, fe80::/10", False),
        ("fd00::1", "fd00:0:0:0:0:0:0:1", True),
        ("fd00::1", "10.0.0.0/8,fd00::/500,fd00::/8", True),
    ],
)
def test_addresses_are_exempt_by_block(host: str, no_proxy: str, exempt: bool) -> None:
    assert is_exempt(host, 443, no_proxy) is exempt


async def test_a_call_goes_through_the_proxy(
    listed: Listed, environment: Setting, proxy: tuple[str, list[bytes]]
) -> None:
    address, asked = proxy
    environment(HTTPS_PROXY=address)

    with pytest.raises(Exception, match="did not answer"):  # it opens no tunnel
        await listed("https://trips.test")

    assert asked[0].startswith(b"CONNECT trips.test:443")


@pytest.mark.parametrize("broken", ["10.0.0.0/8", "fd00::/8", "[::1]/128", "http://[", "]:"])
async def test_an_invalid_entry_of_no_proxy_affects_no_other_call(
    listed: Listed, environment: Setting, proxy: tuple[str, list[bytes]], broken: str
) -> None:
    address, asked = proxy
    environment(HTTPS_PROXY=address, NO_PROXY=broken)

    with pytest.raises(Exception, match="did not answer"):
        await listed("https://trips.test")

    assert asked[0].startswith(b"CONNECT trips.test:443")


async def test_an_exempt_address_is_called_directly(
    listed: Listed, environment: Setting, proxy: tuple[str, list[bytes]], own_address: str
) -> None:
    address, asked = proxy
    environment(HTTPS_PROXY=address, NO_PROXY=f"{own_address}/24")

    with pytest.raises(Exception, match="no connection could be made"):
        await listed(f"https://{own_address}:9")

    assert asked == []


@pytest.mark.parametrize("name", VARIABLES[:3])
@pytest.mark.parametrize(
    "value", ["socks5://127.0.0.1:9", "socks5h://u:hunter2@h:1", "nonsense://u:hunter2@h", "http://["]
)
async def test_this_computer_needs_no_proxy_whatever_the_variables_say(
    listed: Listed, environment: Setting, proxy: tuple[str, list[bytes]], name: str, value: str
) -> None:
    address, asked = proxy
    environment(**{name: value})

    await listed(address)

    assert len(asked) == 1


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("socks5h://u:hunter2@h:1", "names a socks5h proxy, which is not supported"),
        ("socks4://u:hunter2@h:1", "names a socks4 proxy, which is not supported"),
        ("http://u:hunter2@h:port", "is not the address of a proxy"),
        ("http://", "is not the address of a proxy"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_one_sentence_that_names_the_variable(
    listed: Listed, environment: Setting, name: str, value: str, fault: str
) -> None:
    environment(**{name: value})

    with pytest.raises(CannotConnectError, match=rf"^{name} {fault}") as caught:
        await listed("https://trips.test")

    assert "hunter2" not in str(caught.value)


def test_the_scheme_has_its_own_proxy_and_a_bare_address_is_one(environment: Setting) -> None:
    environment(HTTPS_PROXY="proxy.test:3128", ALL_PROXY="http://other.test:1")

    found = proxy_to("https://trips.test")

    assert found is not None
    assert str(found.url) == "http://proxy.test:3128"
