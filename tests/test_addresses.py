"""Addresses: which mean this computer, for everything that asks; and whom a proxy says a request is from."""

import pytest

from trips_mcp.addresses import TrustedProxies, client_network, is_loopback
from trips_mcp.cli.install.entries import Remote
from trips_mcp.client import CannotConnectError, Endpoint
from trips_mcp.server.http.settings import HttpSettings, auth_of

HERE = ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.8.8.8", "[::1]", "[::ffff:127.0.0.1]"]
ELSEWHERE = ["example.com", "localhost.example.com", "notlocalhost", "10.0.0.7", "[fe80::1]", "[::2]", "0.0.0.0"]  # noqa: S104


@pytest.mark.parametrize(("host", "here"), [(host, True) for host in HERE] + [(host, False) for host in ELSEWHERE])
def test_what_this_computer_is_called_is_the_same_for_all_who_ask(host: str, here: bool) -> None:
    url = f"http://{host}:8848/mcp"

    def takes_plain_http() -> bool:
        try:
            Endpoint(url)
        except CannotConnectError:
            return False
        return True

    assert is_loopback(host) == is_loopback(f"{host}:8848") == is_loopback(host.strip("[]")) == here
    assert takes_plain_http() == here
    assert Remote(url, {}, "").is_open_to_readers != here
    assert auth_of(HttpSettings(), host) == ("none" if here else "key")
    assert auth_of(HttpSettings(allowed_hosts=(host,)), "127.0.0.1") == ("none" if here else "key")
    assert auth_of(HttpSettings(allowed_origins=(f"http://{host}:3000",)), "127.0.0.1") == ("none" if here else "key")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", ["1.2.3.4"], "203.0.113.9"),
        ("10.0.0.5", [], "10.0.0.5"),
        ("10.0.0.5", ["1.2.3.4"], "1.2.3.4"),
        ("::ffff:10.0.0.5", ["1.2.3.4:5678"], "1.2.3.4"),
        ("10.0.0.5", ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        ("10.0.0.5", ["6.6.6.6", "1.2.3.4, 10.0.0.6"], "1.2.3.4"),
        ("10.0.0.5", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("10.0.0.5", ["1.2.3.4, " + "9" * 30_000], "10.0.0.5"),
        ("10.0.0.5", ["1.2.3.4, unknown, 10.0.0.6"], "10.0.0.6"),
        ("10.0.0.5", [""], "10.0.0.5"),
    ],
)
def test_what_a_trusted_proxy_says_counts_and_what_others_say_does_not(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert TrustedProxies(["10.0.0.0/29"]).client(peer, forwarded) == client


def test_a_client_is_its_ipv4_address_or_the_network_of_its_ipv6_address() -> None:
    assert client_network("203.0.113.9") == client_network("::ffff:203.0.113.9") == "203.0.113.9"
    assert client_network("2001:db8:1:2::a") == client_network("2001:db8:1:2:ffff::b") == "2001:db8:1:2::/64"
    assert client_network("2001:db8:1:3::a") != client_network("2001:db8:1:2::a")
    assert client_network("x" * 30_000) == "unknown"
